import type { StoredRecord } from '../record.js';
import { type Mapped, OTHER, PRODUCT, type Severity, STATUSES } from './classes.js';
import { actorOf, numberOf, sourceOf, textOf, userOf } from './objects.js';

const CREATE = 1;
const UPDATE = 3;
const DELETE = 4;

/** A step in the life of an incident under DORA. */
export function incident(record: StoredRecord): Mapped {
  const state = textOf(record, 'state');
  const opened = textOf(record, 'act') === 'opened';
  const closed = state === 'closed';
  const major = state === 'major' || state === 'reclassified';
  const uid = textOf(record, 'incident') ?? record.id;
  const reference = textOf(record, 'reference') ?? uid;
  return {
    class: 'incident-finding',
    activity: closed ? 3 : opened ? 1 : 2,
    severity: major ? 'high' : 'medium',
    status: closed ? { id: 5, name: 'Closed' } : opened ? { id: 1, name: 'New' } : { id: 2, name: 'In Progress' },
    message: closed ? 'An incident was closed.' : opened ? 'An incident was opened.' : 'An incident was changed.',
    members: {
      finding_info_list: [{ uid, title: `Incident ${reference}`, types: ['ICT-related incident'] }],
      desc: `Incident ${reference}`,
      assignee_group: { name: 'incident-manager' },
      assignee: userOf(record),
      comment: textOf(record, 'act') ?? 'changed',
    },
  };
}

/** What an act of an administrator did, by the last word of its name. */
const ACTS: readonly [RegExp, number][] = [
  [/\.(created|provided|key-added|secret-added|placed|added)$/, CREATE],
  [/\.(key-revoked|secret-revoked|removed|deleted|released|erased)$/, DELETE],
  [/./, UPDATE],
];

export function administration(record: StoredRecord): Mapped {
  const act = textOf(record, 'act') ?? 'unknown';
  const entity = {
    type: act.split('.')[0] ?? 'unknown',
    uid: textOf(record, 'clientId') ?? textOf(record, 'administratorId') ?? record.client ?? record.id,
    name: act,
  };
  const activity = ACTS.find(([pattern]) => pattern.test(act))?.[1] ?? UPDATE;
  return entityManagement({
    record,
    activity,
    entity,
    severity: 'low',
    message: 'An administrator changed something.',
  });
}

interface EntityChange {
  record: StoredRecord;
  activity: number;
  entity: { type: string; uid: string; name?: string };
  severity: Severity;
  message: string;
}

function entityManagement({ record, activity, entity, severity, message }: EntityChange): Mapped {
  return {
    class: 'entity-management',
    activity,
    severity,
    status: STATUSES.success,
    message,
    members: {
      entity,
      actor: actorOf(record),
      src_endpoint: sourceOf(record),
      ...(textOf(record, 'reason') === undefined ? {} : { comment: textOf(record, 'reason') }),
    },
  };
}

export const subjectErased = (record: StoredRecord): Mapped =>
  entityManagement({
    record,
    activity: DELETE,
    entity: { type: 'subject', uid: record.subject ?? record.id },
    severity: 'low',
    message: 'The personal data of a subject was erased.',
  });

export const legalHold =
  (what: 'placed' | 'released') =>
  (record: StoredRecord): Mapped =>
    entityManagement({
      record,
      activity: what === 'placed' ? CREATE : DELETE,
      entity: { type: 'legal hold', uid: textOf(record, 'hold') ?? record.id },
      severity: 'low',
      message: `A legal hold was ${what}.`,
    });

/** What happens to a drill; faults at work are for whoever watches the estate to know of. */
const OF_A_DRILL = {
  proposed: { activity: CREATE, severity: 'low', message: 'A drill was proposed.' },
  approved: { activity: UPDATE, severity: 'medium', message: 'A drill was approved.' },
  started: { activity: UPDATE, severity: 'medium', message: 'A drill began: faults are at work.' },
  over: { activity: UPDATE, severity: 'medium', message: 'A drill is over.' },
  reported: { activity: UPDATE, severity: 'low', message: 'The report of a drill was filed.' },
  signed: { activity: UPDATE, severity: 'low', message: 'The report of a drill was signed.' },
} as const;

export const drill =
  (what: keyof typeof OF_A_DRILL) =>
  (record: StoredRecord): Mapped => {
    const { activity, severity, message } = OF_A_DRILL[what];
    const name = textOf(record, 'name');
    const entity = {
      type: 'drill',
      uid: textOf(record, 'drill') ?? record.id,
      ...(name === undefined ? {} : { name }),
    };
    return entityManagement({ record, activity, entity, severity, message });
  };

/** What is told of the log itself: its keys, its names, where it is anchored and kept. */
const OF_THE_LOG = {
  key: { activity: CREATE, type: 'signing key', severity: 'medium', message: 'A key signs the log from now on.' },
  origin: { activity: CREATE, type: 'audit log', severity: 'high', message: 'The log begins under another name.' },
  anchored: { activity: UPDATE, type: 'audit log', severity: 'info', message: 'The log was anchored elsewhere.' },
  archived: { activity: UPDATE, type: 'audit log', severity: 'low', message: 'Old records went to the archive.' },
  restored: { activity: UPDATE, type: 'audit log', severity: 'low', message: 'Archived records can be read again.' },
  refused: {
    activity: UPDATE,
    type: 'audit log',
    severity: 'high',
    message: 'A checkpoint whose signature is not good was published and refused.',
  },
  checkpoints: { activity: UPDATE, type: 'audit log', severity: 'info', message: 'The checkpoints so far are told.' },
} as const;

export const ofTheLog =
  (what: keyof typeof OF_THE_LOG) =>
  (record: StoredRecord): Mapped => {
    const { activity, type, severity, message } = OF_THE_LOG[what];
    const entity = { type, uid: textOf(record, 'vkey') ?? record.origin, name: record.origin };
    return entityManagement({ record, activity, entity, severity, message });
  };

/** The gateway's own life; what lies between a start and no stop was a crash. */
export const lifecycle =
  (activity: 3 | 4) =>
  (record: StoredRecord): Mapped => ({
    class: 'application-lifecycle',
    activity,
    severity: 'info',
    status: STATUSES.success,
    message: activity === 3 ? 'An instance started.' : 'An instance stopped.',
    members: { app: { ...PRODUCT, uid: record.instance } },
  });

export const clock =
  (drifts: boolean) =>
  (record: StoredRecord): Mapped => ({
    class: 'application-lifecycle',
    activity: OTHER,
    activityName: drifts ? 'Clock drift' : 'Clock measured',
    severity: drifts ? 'medium' : 'info',
    status: drifts ? STATUSES.failure : STATUSES.success,
    message: drifts ? 'The clock of an instance is off.' : 'The clock of an instance was measured.',
    members: {
      app: { ...PRODUCT, uid: record.instance },
      ...(numberOf(record, 'offsetUs') === undefined ? {} : { status_code: String(numberOf(record, 'offsetUs')) }),
    },
  });

/** What kept, or keeps, the log from being kept; told by other ways while it lasts. */
/** The gateway stopped calling a vendor's operation, or calls it again. */
export const breaker =
  (opened: boolean) =>
  (record: StoredRecord): Mapped => ({
    class: 'application-lifecycle',
    activity: OTHER,
    activityName: opened ? 'Breaker opened' : 'Breaker closed',
    severity: opened ? 'medium' : 'info',
    status: opened ? STATUSES.failure : STATUSES.success,
    message: `The breaker before ${textOf(record, 'operation') ?? '*'} of ${textOf(record, 'vendor') ?? 'a vendor'} ${opened ? 'opened' : 'closed'}.`,
    members: { app: { ...PRODUCT, uid: record.instance } },
  });

export const alarm = (record: StoredRecord): Mapped => {
  const raised = textOf(record, 'state') === 'raised';
  return {
    class: 'application-lifecycle',
    activity: OTHER,
    activityName: raised ? 'Alarm raised' : 'Alarm over',
    severity: raised ? 'high' : 'info',
    status: raised ? STATUSES.failure : STATUSES.success,
    message: `The alarm ${textOf(record, 'alarm') ?? 'unknown'} is ${textOf(record, 'state') ?? 'told'}.`,
    members: { app: { ...PRODUCT, uid: record.instance } },
  };
};
