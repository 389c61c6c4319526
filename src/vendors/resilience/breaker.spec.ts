import { beforeEach, describe, expect, it } from 'vitest';
import { Breaker, type PermitResult } from './breaker.js';
import { BREAKER } from './testing/parts.js';

describe('a breaker', () => {
  let nowMs: number;
  let breaker: Breaker;
  const states: string[] = [];
  beforeEach(() => {
    nowMs = 1_000_000;
    states.length = 0;
    breaker = new Breaker({ settings: BREAKER, onChange: (state) => states.push(state) }, nowMs);
  });

  function pass(...results: PermitResult[]): boolean[] {
    return results.map((result) => {
      const permit = breaker.enter(nowMs);
      if (permit !== undefined) breaker.leave(permit, result, 'bank', nowMs);
      return permit !== undefined;
    });
  }
  const times = (n: number, result: PermitResult): PermitResult[] => Array.from({ length: n }, () => result);
  const open = (): void => void pass(...times(10, 'failure'));

  it('stays closed below its minimum of calls', () => {
    pass(...times(9, 'failure'));
    expect(breaker.state).toBe('closed');
  });

  it('opens at its ratio of failures, and not before', () => {
    pass(...times(6, 'success'), ...times(5, 'failure'));
    expect(breaker.state).toBe('closed');
    pass('failure');
    expect(breaker.state).toBe('open');
  });

  it('opens at once when as many fail in a row, whatever was before', () => {
    pass(...times(500, 'success'), ...times(9, 'failure'));
    expect(breaker.state).toBe('closed');
    pass('failure');
    expect(breaker.state).toBe('open');
  });

  it('opens when answers are but slow', () => {
    pass(...times(2, 'success'), ...times(7, 'slow'));
    expect(breaker.state).toBe('closed');
    pass('slow');
    expect(breaker.state).toBe('open');
  });

  it('forgets what fell out of its window, and learns nothing from callers that went away', () => {
    pass(...times(9, 'failure'));
    nowMs += 11_000;
    pass(...times(3, 'failure'), ...times(50, 'nothing'), ...times(50, 'unsent'));
    expect(breaker.view(nowMs)).toMatchObject({ state: 'closed', calls: 3, failureRatio: 1 });
  });

  it('lets nobody through while it is open, and then so many probes at a time', () => {
    open();
    expect(pass('success')).toEqual([false]);
    expect(breaker.closedForMs(nowMs)).toBe(1_000);
    nowMs += 1_000;
    const probes = [breaker.enter(nowMs), breaker.enter(nowMs)];
    expect(probes).not.toContain(undefined);
    expect(breaker.enter(nowMs)).toBeUndefined();
    expect(breaker.closedForMs(nowMs)).toBe(3_000);
    for (const probe of probes) if (probe !== undefined) breaker.leave(probe, 'success', 'bank', nowMs);
    expect(breaker.state).toBe('closed');
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it('stays open longer each time a probe fails, up to its longest', () => {
    open();
    const waits: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const waitMs = breaker.closedForMs(nowMs);
      waits.push(waitMs);
      nowMs += waitMs;
      expect(pass('slow', 'success')).toEqual([true, false]);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  it('begins anew once it was closed', () => {
    open();
    nowMs += 1_000;
    pass('success', 'success');
    expect(breaker.view(nowMs)).toMatchObject({ state: 'closed', calls: 0 });
    open();
    expect(breaker.closedForMs(nowMs)).toBe(1_000);
  });

  it('gives the place of a probe without an answer to another one in time', () => {
    open();
    nowMs += 1_000;
    const hung = [breaker.enter(nowMs), breaker.enter(nowMs)];
    nowMs += 2_999;
    expect(breaker.enter(nowMs)).toBeUndefined();
    nowMs += 1;
    pass('success');
    // They failed before it was back.
    for (const probe of hung) if (probe !== undefined) breaker.leave(probe, 'failure', 'bank', nowMs);
    expect(breaker.state).toBe('half-open');
    pass('success');
    expect(breaker.state).toBe('closed');
  });

  it('learns nothing from what began in another state', () => {
    const early = breaker.enter(nowMs);
    open();
    nowMs += 1_000;
    pass('success');
    if (early !== undefined) breaker.leave(early, 'failure', 'bank', nowMs);
    expect(breaker.state).toBe('half-open');
  });

  it('gives back the place of a probe that never left, and not that of one whose caller went away', () => {
    open();
    nowMs += 1_000;
    expect(pass('unsent', 'unsent', 'unsent', 'nothing', 'nothing', 'success')).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
    nowMs += BREAKER.probeEvery;
    expect(pass('success', 'success')).toEqual([true, true]);
    expect(breaker.state).toBe('closed');
  });

  it('asks whether it may', () => {
    breaker = new Breaker({ settings: BREAKER, mayTrip: () => false }, nowMs);
    pass(...times(100, 'failure'));
    expect(breaker.state).toBe('closed');
  });
});
