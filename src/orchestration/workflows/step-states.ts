/** Where a step of a run stands. */
export const STEP_STATES = [
  /** Not begun: steps before it are under way. */
  'waiting',
  /** Its intent is durable, and the vendor may have it. */
  'sending',
  /** The vendor has certainly not done it, or may do it twice: it is sent again after a rest. */
  'resting',
  /** Attempts are used up, and it waits for the vendor to be back. */
  'queued',
  'passed',
  'failed',
  /** A person has to look. */
  'review',
  /** No rung was left: the standard error. */
  'error',
  'skipped',
] as const;

export type StepState = (typeof STEP_STATES)[number];

/** What can happen to a step. */
export type StepEvent =
  | 'sent'
  | 'answered.passed'
  | 'answered.failed'
  | 'answered.review'
  /** Tried again after a rest. */
  | 'put-off'
  /** The ladder's rung `queued`. */
  | 'fell-to.queued'
  /** The ladder's rung `manual`. */
  | 'fell-to.manual'
  /** Past the ladder's end. */
  | 'fell-to.error'
  /** Its condition does not hold. */
  | 'passed-over'
  /** The run was called off, or another step ended in an error. */
  | 'stopped';

type Row = Readonly<Partial<Record<StepEvent, StepState>>>;

const fallen: Row = { 'fell-to.manual': 'review', 'fell-to.error': 'error', stopped: 'skipped' };

/** The life of a step: from, event → to. What stands in no row does not happen. */
export const STEP_TRANSITIONS: Readonly<Record<StepState, Row>> = {
  waiting: { ...fallen, sent: 'sending', 'passed-over': 'skipped' },
  sending: {
    ...fallen,
    'answered.passed': 'passed',
    'answered.failed': 'failed',
    'answered.review': 'review',
    'put-off': 'resting',
    'fell-to.queued': 'queued',
  },
  resting: { ...fallen, sent: 'sending' },
  queued: { ...fallen, sent: 'sending' },
  passed: {},
  failed: {},
  review: {},
  error: {},
  skipped: {},
};

/** Where the event leads. @throws when it does not happen from there, which would be a defect */
export function nextStepState(from: StepState, event: StepEvent): StepState {
  const to = STEP_TRANSITIONS[from][event];
  if (to === undefined) throw new Error(`a step that is ${from} knows no ${event}`);
  return to;
}

/** Whether nothing more happens to a step in this state. */
export function isEnded(state: StepState): boolean {
  return Object.keys(STEP_TRANSITIONS[state]).length === 0;
}

/** States in which a step can end and the run goes on. */
export const STEP_ENDS = ['passed', 'failed', 'review', 'skipped'] as const satisfies StepState[];
export type StepEnd = (typeof STEP_ENDS)[number];
