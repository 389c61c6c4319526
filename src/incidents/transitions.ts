export const INCIDENT_STATES = ['assessing', 'not-major', 'major', 'reclassified', 'closed'] as const;

export type IncidentState = (typeof INCIDENT_STATES)[number];

/** What a person may do that moves an incident. */
export type IncidentEvent = 'decide.major' | 'decide.not-major' | 'close';

/**
 * Where each act leads; what a state does not list it does not take. A major incident that turns out never to have been one is
 * reclassified (Implementing Regulation (EU) 2025/302 Article 5). What was decided is not decided again the same way: a later instant
 * of classification would move a clock that already runs.
 */
export const TRANSITIONS: Readonly<Record<IncidentState, Readonly<Partial<Record<IncidentEvent, IncidentState>>>>> = {
  assessing: { 'decide.major': 'major', 'decide.not-major': 'not-major' },
  'not-major': { 'decide.major': 'major', close: 'closed' },
  major: { 'decide.not-major': 'reclassified', close: 'closed' },
  reclassified: { 'decide.major': 'major', close: 'closed' },
  closed: {},
};

export function next(state: IncidentState, event: IncidentEvent): IncidentState | undefined {
  return TRANSITIONS[state][event];
}
