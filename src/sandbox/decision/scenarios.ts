import type { SessionStatus } from '../sessions/transitions.js';
import type { Feature, FeatureStatus } from './features.js';

/** What happened to the person in front of the camera. */
export const scenarios = ['clean', 'sanctions-hit', 'spoof', 'mismatch', 'expired-document'] as const;
export type Scenario = (typeof scenarios)[number];

/** The check that each scenario trips. */
const tripped: Record<Scenario, Feature | null> = {
  clean: null,
  'sanctions-hit': 'AML',
  spoof: 'LIVENESS',
  mismatch: 'FACE_MATCH',
  'expired-document': 'ID_VERIFICATION',
};

/** Where nobody chose a scenario, the one that makes the outcome plausible. */
export const scenarioFor = (status: SessionStatus): Scenario => {
  if (status === 'Declined') return 'mismatch';
  if (status === 'In Review') return 'sanctions-hit';
  return 'clean';
};

/** The outcome that a person who chose only a scenario would see. */
export const outcomeOf = (scenario: Scenario): SessionStatus => {
  if (scenario === 'clean') return 'Approved';
  return scenario === 'sanctions-hit' ? 'In Review' : 'Declined';
};

/** What a check found, given how the session as a whole ended: a tripped check is declined only where the session is. */
export const featureStatus = (feature: Feature, scenario: Scenario, outcome: SessionStatus): FeatureStatus => {
  if (tripped[scenario] !== feature) return 'Approved';
  return outcome === 'Declined' ? 'Declined' : 'In Review';
};

export const isScenario = (value: unknown): value is Scenario => scenarios.some((scenario) => scenario === value);
