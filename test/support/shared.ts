import { inject } from 'vitest';
import { System } from './system.js';

/** The system that the suites share; each suite keeps to subjects of its own. */
export function sharedSystem(): System {
  const { dataDir, credentials } = inject('shared');
  return new System(dataDir, credentials, undefined);
}
