import type { StepName, StepState, StepStatus } from '../../vendors/index.js';
import type { Rung } from '../fallback/rungs.js';

/** One step of a workflow. Instants are when the gateway saw it, since the vendor gives none. */
export interface Step {
  name: string;
  status: StepStatus;
  /** How it came to be done; `none` when no rung was left. */
  rung: Rung;
  startedAt?: string;
  endedAt?: string;
}

const ONBOARDING: readonly StepName[] = ['id-verification', 'passive-liveness', 'face-match', 'aml-screening'];

export function firstSteps(): Step[] {
  return ONBOARDING.map((name) => ({ name, status: 'waiting', rung: 'fresh' }));
}

/** The steps of a verification that came to stand on another rung. */
export function onRung(steps: readonly Step[], rung: Rung): Step[] {
  return steps.map((step) => ({ ...step, rung }));
}

/** The steps as the vendor shows them now; instants already known stay, and steps of further modules follow as they are seen. */
export function advance(steps: readonly Step[], seen: readonly StepState[], now: Date): Step[] {
  const at = now.toISOString();
  const known = new Set(steps.map(({ name }) => name));
  const further = seen.filter(({ name }) => !known.has(name));
  return [
    ...steps.map((step) => {
      const status = seen.find(({ name }) => name === step.name)?.status ?? step.status;
      return status === step.status ? step : moved(step, status, at);
    }),
    ...further.map(({ name, status }) => moved({ name, status: 'waiting', rung: 'fresh' }, status, at)),
  ];
}

function moved({ name, rung, startedAt }: Step, status: StepStatus, now: string): Step {
  switch (status) {
    case 'waiting':
    case 'skipped':
      return { name, status, rung };
    case 'running':
      return { name, status, rung, startedAt: startedAt ?? now };
    default:
      return { name, status, rung, ...(startedAt === undefined ? {} : { startedAt }), endedAt: now };
  }
}
