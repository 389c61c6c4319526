import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../platform/index.js';
import { FreshnessRules } from './freshness.js';

const HOUR_MS = 3_600_000;

describe('what of an answer may be kept (RFC 9111)', () => {
  const clock = new ManualClock();
  const rules = new FreshnessRules(clock, HOUR_MS);
  const after = (headers: Record<string, string>, ms: number, status = 200) => {
    const kept = rules.keepable(status, headers);
    // As it comes back from the database.
    const stored = kept && (JSON.parse(JSON.stringify(kept)) as typeof kept);
    clock.advance(ms);
    return stored && rules.judge(stored);
  };

  it('guesses no freshness, and lets an answer stand in for as long as the settings say', () => {
    expect(after({}, 0)).toEqual({ ageSeconds: 0, fresh: false, standsIn: true });
    expect(after({}, 90_500)).toEqual({ ageSeconds: 90, fresh: false, standsIn: true });
    expect(after({}, HOUR_MS)).toMatchObject({ standsIn: false });
  });

  it('honours the vendor’s own freshness and age', () => {
    const headers = { 'cache-control': 'max-age=60' };
    expect(after(headers, 59_000)).toEqual({ ageSeconds: 59, fresh: true, standsIn: true });
    expect(after(headers, 61_000)).toMatchObject({ fresh: false, standsIn: true });
    expect(after({ ...headers, age: '50' }, 11_000)).toEqual({ ageSeconds: 61, fresh: false, standsIn: true });
    const date = clock.now();
    const expires = new Date(date.getTime() + 30_000).toUTCString();
    expect(after({ date: date.toUTCString(), expires }, 10_000)).toMatchObject({ fresh: true });
  });

  it.each(['no-store', 'no-cache', 'must-revalidate', 'max-age=0, must-revalidate'])(
    'keeps nothing under %s',
    (value) => {
      expect(after({ 'cache-control': value }, 0)).toBeUndefined();
    },
  );

  it('takes the vendor’s word on how long it may stand in (RFC 5861)', () => {
    const headers = { 'cache-control': 'max-age=10, stale-if-error=20' };
    expect(after(headers, 29_000)).toMatchObject({ fresh: false, standsIn: true });
    expect(after(headers, 31_000)).toMatchObject({ standsIn: false });
    expect(after({ 'cache-control': 'max-age=10, must-revalidate' }, 11_000)).toMatchObject({ standsIn: false });
  });

  it('keeps no answer that says it is one of many', () => {
    expect(after({ vary: '*', 'cache-control': 'max-age=60' }, 0)?.fresh).not.toBe(true);
  });

  it.each([500, 206])('keeps no %i', (status) => {
    expect(after({}, 0, status)).toBeUndefined();
  });
});
