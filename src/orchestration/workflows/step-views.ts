import type { StepStatus } from '../../vendors/index.js';
import type { Step } from '../verifications/steps.js';
import type { StepRow } from './run-store.js';
import type { StepState } from './step-states.js';

/** How the gateway's own states are told outside; an error has no answer to tell, and its rung says so. */
const STATUS: Readonly<Record<StepState, StepStatus>> = {
  waiting: 'waiting',
  sending: 'running',
  resting: 'running',
  queued: 'waiting',
  passed: 'passed',
  failed: 'failed',
  review: 'review',
  error: 'failed',
  skipped: 'skipped',
};

export function viewOfSteps(steps: readonly StepRow[]): Step[] {
  return steps.map(({ name, state, rung, startedAt, endedAt }) => ({
    name,
    status: STATUS[state],
    rung,
    ...(startedAt === null || state === 'skipped' ? {} : { startedAt: startedAt.toISOString() }),
    ...(endedAt === null || state === 'skipped' ? {} : { endedAt: endedAt.toISOString() }),
  }));
}
