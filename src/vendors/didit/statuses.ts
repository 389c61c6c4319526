import { isObject, type JsonObject } from './json.js';
import { REPORTING, type ReportingModule, type StepName } from './modules.js';

/** Statuses of a verification that Didit's sessions can lead to (`queued`, `cancelled` and `failed` are the gateway's own). */
export type SessionStatus =
  'pending' | 'in-progress' | 'approved' | 'declined' | 'in-review' | 'resubmission' | 'expired' | 'abandoned';

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

/** Statuses of a module's report. */
export const REPORT: Readonly<Record<string, StepStatus>> = {
  'Not Finished': 'running',
  Approved: 'passed',
  Declined: 'failed',
  Expired: 'failed',
  'In Review': 'review',
  'Resub Requested': 'waiting',
};

/** Where one step has several reports the one that asks for most attention speaks for it. */
const WEIGHT: readonly StepStatus[] = ['failed', 'review', 'running', 'waiting', 'passed', 'skipped'];

/** Ours for a session status of Didit's; undefined for one that nobody knows, which is a signal and changes nothing. */
export function sessionStatus(status: unknown): SessionStatus | undefined {
  return typeof status === 'string' && Object.hasOwn(SESSION, status) ? SESSION[status] : undefined;
}

/**
 * The steps as a decision shows them: the four of `onboarding` and whatever further modules its workflow has. A module is null until it has
 * produced something; `features` says whether it will.
 */
export function stepsOf(decision: unknown): StepsView {
  const body = isObject(decision) ? decision : {};
  const ended = ENDED.has(sessionStatus(body['status']));
  const features = featuresOf(body);
  const unknown: string[] = [];
  const steps = REPORTING.flatMap((row): StepState[] => {
    const reports = reportsOf(body, row.array);
    if (reports.length === 0) return notYet(row, ended, features);
    const statuses = reports.map((report) => reportStatus(report['status']));
    if (statuses.includes(undefined)) unknown.push(row.array);
    // A report that cannot be read is work under way, or a matter for a person once the session has ended.
    const status = heaviest(statuses.map((known) => known ?? (ended ? 'review' : 'running')));
    return [{ name: row.word, status }];
  });
  return { steps, unknown };
}

function notYet(row: ReportingModule, ended: boolean, features: Set<string> | undefined): StepState[] {
  const named = row.features.some((feature) => features?.has(feature));
  if (!row.onboarding && !named) return [];
  const planned = features === undefined || named;
  return [{ name: row.word, status: planned && !ended ? 'waiting' : 'skipped' }];
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
