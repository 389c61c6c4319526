import { isObject, type JsonObject } from './json.js';

/** Statuses of a verification that Didit's sessions can lead to (`queued`, `cancelled` and `failed` are the gateway's own). */
export type SessionStatus =
  'pending' | 'in-progress' | 'approved' | 'declined' | 'in-review' | 'resubmission' | 'expired' | 'abandoned';

export type StepName = 'id-verification' | 'passive-liveness' | 'face-match' | 'aml-screening';
export type StepStatus = 'waiting' | 'running' | 'passed' | 'failed' | 'review' | 'skipped';

export interface StepState {
  name: StepName;
  status: StepStatus;
}

export interface StepsView {
  steps: StepState[];
  /** Modules whose reports have a status that nobody knows; for a signal. */
  unknown: string[];
}

/** Didit's ten session statuses, exact in case: `Kyc Expired` has a small `yc`. */
const SESSION: Readonly<Record<string, SessionStatus>> = {
  'Not Started': 'pending',
  'In Progress': 'in-progress',
  'Awaiting User': 'in-progress',
  'In Review': 'in-review',
  Approved: 'approved',
  Declined: 'declined',
  Resubmitted: 'resubmission',
  Expired: 'expired',
  Abandoned: 'abandoned',
  'Kyc Expired': 'expired',
};

/** Sessions in these statuses run no further step unless somebody sets them going again. */
const ENDED: ReadonlySet<SessionStatus | undefined> = new Set([
  'approved',
  'declined',
  'in-review',
  'expired',
  'abandoned',
] as const);

const REPORT: Readonly<Record<string, StepStatus>> = {
  'Not Finished': 'running',
  Approved: 'passed',
  Declined: 'failed',
  Expired: 'failed',
  'In Review': 'review',
  'Resub Requested': 'waiting',
};

/** The step that each module of a decision stands for, and its names in `features`. */
const STEPS = [
  { name: 'id-verification', module: 'id_verifications', features: ['ID_VERIFICATION', 'OCR'] },
  { name: 'passive-liveness', module: 'liveness_checks', features: ['LIVENESS'] },
  { name: 'face-match', module: 'face_matches', features: ['FACE_MATCH', 'FACEMATCH'] },
  { name: 'aml-screening', module: 'aml_screenings', features: ['AML'] },
] as const;

/** Where one step has several reports the one that asks for most attention speaks for it. */
const WEIGHT: readonly StepStatus[] = ['failed', 'review', 'running', 'waiting', 'passed', 'skipped'];

/** Ours for a session status of Didit's; undefined for one that nobody knows, which is a signal and changes nothing. */
export function sessionStatus(status: unknown): SessionStatus | undefined {
  return typeof status === 'string' && Object.hasOwn(SESSION, status) ? SESSION[status] : undefined;
}

/** The four steps as a decision shows them. A module is null until it has produced something; `features` says whether it will. */
export function stepsOf(decision: unknown): StepsView {
  const body = isObject(decision) ? decision : {};
  const ended = ENDED.has(sessionStatus(body['status']));
  const features = featuresOf(body);
  const unknown: string[] = [];
  const steps = STEPS.map((step): StepState => {
    const reports = reportsOf(body, step.module);
    if (reports.length === 0) {
      const planned = features === undefined || step.features.some((feature) => features.has(feature));
      return { name: step.name, status: planned && !ended ? 'waiting' : 'skipped' };
    }
    const statuses = reports.map((report) => reportStatus(report['status']));
    if (statuses.includes(undefined)) unknown.push(step.module);
    // A report that cannot be read is work under way, or a matter for a person once the session has ended.
    return { name: step.name, status: heaviest(statuses.map((status) => status ?? (ended ? 'review' : 'running'))) };
  });
  return { steps, unknown };
}

/** Ours for the status of a report; undefined for one that nobody knows. */
export function reportStatus(status: unknown): StepStatus | undefined {
  return typeof status === 'string' && Object.hasOwn(REPORT, status) ? REPORT[status] : undefined;
}

function heaviest(statuses: readonly StepStatus[]): StepStatus {
  return WEIGHT.find((status) => statuses.includes(status)) ?? 'waiting';
}

function reportsOf(body: JsonObject, module: string): JsonObject[] {
  const reports = body[module];
  return Array.isArray(reports) ? reports.filter(isObject) : [];
}

/** Names, or with `include=events` objects that hold them. */
function featuresOf(body: JsonObject): Set<string> | undefined {
  const { features } = body;
  if (!Array.isArray(features)) return undefined;
  const names = features.map((item: unknown) => (isObject(item) ? item['feature'] : item));
  return new Set(names.filter((name) => typeof name === 'string'));
}
