import type { StoredRecord } from '../record.js';
import { type Mapped, OTHER, PRODUCT, type Severity, STATUSES } from './classes.js';
import { actorOf, apiOf, callMembers, gatewayOf, httpOf, numberOf, sourceOf, textOf, userOf } from './objects.js';

const ACTIVITY_OF_METHOD: Readonly<Record<string, number>> = { POST: 1, GET: 2, HEAD: 2, PUT: 3, PATCH: 3, DELETE: 4 };

/** Both issuers answer there. */
const TOKEN_ROUTE = '/oauth/token';

/** Rules that look at who comes rather than at what is asked: their refusals are what a SOC watches for. */
const DETECTIONS: readonly { rule: RegExp; title: string; severity: Severity }[] = [
  { rule: /^address\./, title: 'Call from an address that may not call', severity: 'medium' },
  { rule: /^agent\./, title: 'Call of a user agent that may not call', severity: 'medium' },
  { rule: /^webhook\.signature$/, title: 'Webhook that its vendor did not sign', severity: 'high' },
];
/** Whatever counted them: a client, a key, an address. */
const OVER_A_RATE = { title: 'Calls over a rate', severity: 'medium' } as const;

const UNAUTHORIZED = 401;
const TOO_MANY = 429;

/** A call and its answer: what it was refused by decides what it is. */
export function call(record: StoredRecord): Mapped {
  const denied = record.decision?.outcome === 'deny';
  const detection = denied ? detectionOf(record) : undefined;
  if (detection !== undefined) return refusal(record, detection.title, detection.severity);
  if (record.http?.route === TOKEN_ROUTE || (denied && record.http?.status === UNAUTHORIZED))
    return authentication(record);
  const status = statusOf(record);
  return {
    class: 'api-activity',
    ...activityOf(record),
    severity: severityOf(record),
    status,
    message: denied ? 'A call was refused.' : 'A call was answered.',
    members: { ...callMembers(record), ...statusMembers(record) },
    ...(denied ? { profiles: ['security_control'] } : {}),
  };
}

/** Refused calls of one address, beyond the first that have records of their own. */
export function counted(record: StoredRecord): Mapped {
  const [from, to] = [instantOf(record, 'from'), instantOf(record, 'to')];
  return {
    ...authentication(record),
    status: STATUSES.failure,
    severity: 'medium',
    message: 'Calls of one address were refused for their credentials.',
    members: {
      ...authentication(record).members,
      count: numberOf(record, 'count') ?? 1,
      ...(from === undefined ? {} : { start_time: from }),
      ...(to === undefined ? {} : { end_time: to }),
    },
  };
}

/** What was refused while no record could be written, from the journal of the instance. */
export function refusals(record: StoredRecord): Mapped {
  const intact = record.detail?.['intact'] !== false;
  return {
    class: 'api-activity',
    activity: OTHER,
    activityName: 'Refused while the log was down',
    severity: intact ? 'medium' : 'high',
    status: STATUSES.failure,
    message: intact
      ? 'Calls were refused while no record could be written.'
      : 'The journal of calls refused while no record could be written was altered.',
    members: { ...callMembers(record), count: numberOf(record, 'count') ?? 1 },
  };
}

function detectionOf(record: StoredRecord): { title: string; severity: Severity } | undefined {
  const rule = record.decision?.rule ?? '';
  const known = DETECTIONS.find((one) => one.rule.test(rule));
  return known ?? (record.http?.status === TOO_MANY ? OVER_A_RATE : undefined);
}

function refusal(record: StoredRecord, title: string, severity: Severity): Mapped {
  const rule = record.decision?.rule ?? 'unknown';
  return {
    class: 'detection-finding',
    activity: 1,
    severity,
    // New: whether anything follows is for whoever reads it to say.
    status: { id: 1, name: 'New' },
    message: `${title}.`,
    members: {
      finding_info: {
        uid: record.id,
        title,
        types: ['refusal'],
        created_time: Date.parse(record.at),
        analytic: { name: rule, uid: rule, type_id: 1, type: 'Rule' },
      },
      evidences: [{ actor: actorOf(record), api: apiOf(record), src_endpoint: sourceOf(record), ...httpOf(record) }],
      is_alert: true,
      status_detail: record.decision?.reason ?? rule,
      ...BLOCKED,
    },
    profiles: ['security_control'],
  };
}

function authentication(record: StoredRecord): Mapped {
  const status = statusOf(record);
  const good = status === STATUSES.success;
  return {
    class: 'authentication',
    activity: 1,
    severity: good ? 'info' : 'low',
    status,
    message: good ? 'A token was issued.' : 'Credentials were refused.',
    members: {
      user: userOf(record),
      actor: actorOf(record),
      service: { name: PRODUCT.name, uid: record.origin },
      dst_endpoint: gatewayOf(record),
      src_endpoint: sourceOf(record),
      auth_protocol_id: OTHER,
      auth_protocol: record.http?.route === TOKEN_ROUTE ? 'OAuth 2.0' : 'API key and access token',
      is_remote: true,
      ...httpOf(record),
      ...statusMembers(record),
    },
    ...(good ? {} : { profiles: ['security_control'] }),
  };
}

const BLOCKED = { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' };

function statusOf(record: StoredRecord): Mapped['status'] {
  if (record.decision?.outcome === 'deny') return STATUSES.failure;
  const code = record.http?.status;
  if (code === undefined) return STATUSES.unknown;
  return code < 400 ? STATUSES.success : STATUSES.failure;
}

function severityOf(record: StoredRecord): Severity {
  if ((record.http?.status ?? 0) >= 500) return 'medium';
  return record.decision?.outcome === 'deny' ? 'low' : 'info';
}

function statusMembers({ decision, http }: StoredRecord): object {
  return {
    ...(http === undefined ? {} : { status_code: String(http.status) }),
    ...(decision === undefined ? {} : { status_detail: `${decision.rule}: ${decision.reason}` }),
    ...(decision?.outcome === 'deny' ? BLOCKED : {}),
  };
}

function activityOf({ http }: StoredRecord): Pick<Mapped, 'activity' | 'activityName'> {
  const activity = ACTIVITY_OF_METHOD[http?.method ?? ''];
  return activity === undefined ? { activity: OTHER, activityName: http?.method ?? 'Unknown' } : { activity };
}

function instantOf(record: StoredRecord, name: string): number | undefined {
  const ms = Date.parse(textOf(record, name) ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
