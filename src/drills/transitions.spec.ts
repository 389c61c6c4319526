import { describe, expect, it } from 'vitest';
import { DRILL_STATES, isOver, next, TRANSITIONS } from './transitions.js';

describe('the states of a drill', () => {
  it('are all reached from a proposal, and every one leads to an end', () => {
    const reached = new Set(['proposed']);
    for (let size = 0; size !== reached.size;) {
      size = reached.size;
      for (const state of DRILL_STATES.filter((one) => reached.has(one)))
        for (const to of Object.values(TRANSITIONS[state])) reached.add(to);
    }
    expect([...reached].toSorted()).toEqual([...DRILL_STATES].toSorted());
    expect(DRILL_STATES.filter(isOver)).toEqual(['stopped', 'ended', 'aborted']);
  });

  it('lets nobody start what was not approved, but by the event that says so', () => {
    expect(next('proposed', 'start')).toBeUndefined();
    expect(next('proposed', 'start.unapproved')).toBe('running');
    expect(next('approved', 'start')).toBe('running');
    expect(next('stopped', 'start')).toBeUndefined();
  });

  it('can be stopped as long as it is not over', () => {
    expect(DRILL_STATES.filter((state) => next(state, 'stop') === 'stopped')).toEqual([
      'proposed',
      'approved',
      'running',
    ]);
  });
});
