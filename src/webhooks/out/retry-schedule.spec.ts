import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../platform/index.js';
import { Pace } from './pace.js';
import { FAILURES_TO_REST, nextAttemptMs, restMs } from './retry-schedule.js';

describe('when a delivery is tried again', () => {
  const { retries } = loadConfig({}).webhooks.out;

  it('is spread over about three days', () => {
    const inAll = retries.reduce((sum, _, at) => sum + (nextAttemptMs(retries, at + 1, undefined, () => 0.5) ?? 0), 0);
    expect(inAll / 86_400_000).toBeGreaterThan(3);
    expect(inAll / 86_400_000).toBeLessThan(3.5);
    expect(nextAttemptMs(retries, retries.length + 1, undefined)).toBeUndefined();
  });

  it('differs by up to a fifth, and is never sooner than the receiver asks', () => {
    expect([0, 1].map((dice) => nextAttemptMs([10_000], 1, undefined, () => dice))).toEqual([8_000, 12_000]);
    expect(nextAttemptMs([10_000], 1, 60_000)).toBe(60_000);
  });
});

describe('an endpoint that fails', () => {
  it('rests after some failures in a row, longer each time, and never for more than five minutes', () => {
    expect([1, FAILURES_TO_REST - 1, FAILURES_TO_REST, FAILURES_TO_REST + 1, 1_000].map(restMs)).toEqual([
      0, 0, 1_000, 2_000, 300_000,
    ]);
  });

  it('gets fewer attempts at once, and more again as it answers', () => {
    const pace = new Pace({ all: 100, each: 8 });
    const room = () => pace.rooms().rooms.get('one');
    const begin = (n: number) => Array.from({ length: n }, () => pace.begin('one'));
    begin(4);
    expect([room(), pace.rooms().room, pace.free]).toEqual([0, 4, 96]);
    for (let n = 0; n < 4; n += 1) pace.end('one', true);
    expect(room()).toBe(8);
    begin(2);
    pace.end('one', false);
    pace.end('one', false);
    expect([room(), pace.underWay]).toEqual([2, 0]);
  });
});
