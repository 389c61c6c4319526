import { describe, expect, it } from 'vitest';
import { INCIDENT_STATES, next, TRANSITIONS } from './transitions.js';

describe('TRANSITIONS', () => {
  it('has a row for each state and leads only to known ones', () => {
    expect(Object.keys(TRANSITIONS).sort()).toEqual([...INCIDENT_STATES].sort());
    for (const row of Object.values(TRANSITIONS))
      for (const to of Object.values(row)) expect(INCIDENT_STATES).toContain(to);
  });

  it('reclassifies what was decided major, and never calls it not major', () => {
    expect(next('assessing', 'decide.not-major')).toBe('not-major');
    expect(next('major', 'decide.not-major')).toBe('reclassified');
  });

  it('does not decide the same again, so that no running clock moves', () => {
    expect(next('major', 'decide.major')).toBeUndefined();
    expect(next('not-major', 'decide.not-major')).toBeUndefined();
  });

  it('closes nothing undecided and opens nothing closed', () => {
    expect(next('assessing', 'close')).toBeUndefined();
    expect(TRANSITIONS.closed).toEqual({});
  });
});
