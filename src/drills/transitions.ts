export const DRILL_STATES = ['proposed', 'approved', 'running', 'stopped', 'ended', 'aborted'] as const;

export type DrillState = (typeof DRILL_STATES)[number];

/** `stop` is a person's, `end` the time's, `abort` a guard's or a limit's. */
export type DrillEvent = 'approve' | 'start' | 'start.unapproved' | 'stop' | 'end' | 'abort';

/** Where each event leads; what a state does not list it does not take. `start.unapproved` is for systems that need no second person. */
export const TRANSITIONS: Readonly<Record<DrillState, Readonly<Partial<Record<DrillEvent, DrillState>>>>> = {
  proposed: { approve: 'approved', 'start.unapproved': 'running', stop: 'stopped' },
  approved: { start: 'running', 'start.unapproved': 'running', stop: 'stopped' },
  running: { stop: 'stopped', end: 'ended', abort: 'aborted' },
  stopped: {},
  ended: {},
  aborted: {},
};

export function next(state: DrillState, event: DrillEvent): DrillState | undefined {
  return TRANSITIONS[state][event];
}

export function isOver(state: DrillState): boolean {
  return Object.keys(TRANSITIONS[state]).length === 0;
}
