import { describe, expect, it } from 'vitest';
import type { Attempt } from '../proxy/attempts.js';
import type { OperationName } from '../../vendors/index.js';
import { early, type OpenTime, probings, rounds } from './probes.js';

const SETTINGS = { open: 1_000, longestOpen: 5_000, probes: 2, probeEvery: 3_000 };
const OVER_MS = 20_000;

const attempt = (leftMs: number, operation: OperationName, members: Partial<Attempt> = {}): Attempt => ({
  leftMs,
  operation,
  struck: true,
  ...members,
});
const open = (operation: string, fromMs: number, toMs = Infinity): OpenTime => ({ operation, fromMs, toMs });

describe('attempts while a breaker is open', () => {
  const judged = (attempts: Attempt[], times: OpenTime[], overMs = OVER_MS) =>
    probings(attempts, times, SETTINGS, overMs).map((probing) => [
      probing.operation,
      probing.attempts.length,
      probing.most,
    ]);

  it('are those of its own operation, at the dead vendor, after its opening and until its closing', () => {
    const attempts = [
      attempt(5_000, 'session.create'),
      attempt(6_000, 'session.create'),
      attempt(6_100, 'session.list'),
      attempt(7_000, 'session.create', { struck: false }),
      attempt(8_200, 'session.create'),
    ];
    expect(judged(attempts, [open('session.create', 5_000, 8_000)])).toEqual([['session.create', 1, 4]]);
  });

  it('are all of them for the whole vendor', () => {
    const attempts = [attempt(6_000, 'session.create'), attempt(6_100, 'session.list')];
    expect(judged(attempts, [open('*', 5_000)], 6_500)).toEqual([['*', 2, 2]]);
  });

  it('end with the fault, and what opens later is not judged', () => {
    const attempts = [attempt(6_000, 'session.create'), attempt(9_000, 'session.create')];
    expect(judged(attempts, [open('session.create', 5_000), open('session.list', 8_500)], 8_000)).toEqual([
      ['session.create', 1, 4],
    ]);
  });

  it('may be made at once again when the whole vendor has closed meanwhile', () => {
    expect(judged([], [open('session.create', 5_000), open('*', 5_000, 6_000)], 6_500)).toEqual([
      ['session.create', 0, 4],
      ['*', 0, 2],
    ]);
  });

  it('are let out in rounds that come ever more slowly, and for a hanging probe at its interval', () => {
    expect([999, 1_000, 2_999, 3_000, 6_000, 9_000].map((ms) => rounds(ms, SETTINGS))).toEqual([0, 1, 1, 2, 3, 4]);
    const patient = { ...SETTINGS, probeEvery: 60_000 };
    expect([3_000, 6_999, 7_000, 11_999, 12_000].map((ms) => rounds(ms, patient))).toEqual([2, 2, 3, 3, 4]);
  });
});

it('attempts before the time that a 429 named are those of its operation that left once it was known', () => {
  const told = attempt(1_000, 'session.create', { away: { fromMs: 1_020, toMs: 3_020 } });
  const others = [
    attempt(1_010, 'session.create'),
    attempt(2_000, 'session.list'),
    attempt(2_900, 'session.create'),
    attempt(3_020, 'session.create'),
  ];
  expect(early([told, ...others])).toBe(1);
});
