import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Breaker, type Permit, type PermitResult } from './breaker.js';
import { BREAKER } from './testing/parts.js';

type Act = { kind: 'enter' } | { kind: 'leave'; which: number; result: PermitResult } | { kind: 'wait'; ms: number };

const result = fc.constantFrom<PermitResult>('success', 'failure', 'slow', 'nothing', 'unsent');
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'enter' as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat(50), result }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 6_000 }) }) },
);
const settings = fc.record({
  minimumCalls: fc.integer({ min: 2, max: 12 }),
  failureRatio: fc.double({ min: 0.1, max: 1, noNaN: true }),
  probes: fc.integer({ min: 1, max: 4 }),
});

describe('a breaker, whatever comes', () => {
  it('lets at most its probes through in any probe interval while it is not closed, and none while it waits', () => {
    fc.assert(
      fc.property(settings, fc.array(act, { maxLength: 300 }), (over, acts) => {
        let nowMs = 5_000_000;
        const breaker = new Breaker({ settings: { ...BREAKER, ...over } }, nowMs);
        const underWay: Permit[] = [];
        let unanswered: Permit[] = [];
        for (const one of acts) {
          if (one.kind === 'wait') nowMs += one.ms;
          else if (one.kind === 'enter') {
            const before = breaker.state;
            const closedForMs = breaker.closedForMs(nowMs);
            const permit = breaker.enter(nowMs);
            expect(permit === undefined).toBe(closedForMs > 0);
            if (before !== 'half-open') unanswered = [];
            if (permit !== undefined) underWay.push(permit);
            if (permit !== undefined && before !== 'closed') unanswered.push(permit);
            const young = unanswered.filter(({ startedMs }) => nowMs - startedMs < BREAKER.probeEvery);
            expect(young.length).toBeLessThanOrEqual(over.probes);
          } else if (underWay.length > 0) {
            const [permit] = underWay.splice(one.which % underWay.length, 1);
            // One that was sent and tells nothing is as good as one without an answer.
            if (one.result !== 'nothing') unanswered = unanswered.filter((probe) => probe !== permit);
            if (permit !== undefined) breaker.leave(permit, one.result, 'bank', nowMs);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is closed again within its longest wait and one interval, once everything succeeds', () => {
    fc.assert(
      fc.property(settings, fc.array(act, { maxLength: 200 }), (over, acts) => {
        let nowMs = 5_000_000;
        const breaker = new Breaker({ settings: { ...BREAKER, ...over } }, nowMs);
        const underWay: Permit[] = [];
        for (const one of acts) {
          if (one.kind === 'wait') nowMs += one.ms;
          else if (one.kind === 'enter') {
            const permit = breaker.enter(nowMs);
            if (permit !== undefined) underWay.push(permit);
          } else {
            const permit = underWay.pop();
            if (permit !== undefined) breaker.leave(permit, one.result, 'bank', nowMs);
          }
        }
        const backMs = nowMs;
        while (breaker.state !== 'closed') {
          const permit = breaker.enter(nowMs);
          if (permit === undefined) nowMs += 100;
          else breaker.leave(permit, 'success', 'bank', nowMs);
          expect(nowMs - backMs).toBeLessThanOrEqual(BREAKER.longestOpen + BREAKER.probeEvery + 200);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never opens on less than its ratios', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 400 }), (failures) => {
        const nowMs = 5_000_000;
        const breaker = new Breaker({ settings: { ...BREAKER, minimumCalls: 20 } }, nowMs);
        let failed = 0;
        let row = 0;
        for (const [at, fails] of failures.entries()) {
          failed += fails ? 1 : 0;
          row = fails ? row + 1 : 0;
          const permit = breaker.enter(nowMs);
          if (permit === undefined) return;
          breaker.leave(permit, fails ? 'failure' : 'success', 'bank', nowMs);
          const due = fails && (row >= 20 || (at + 1 >= 20 && failed * 2 >= at + 1));
          expect(breaker.state).toBe(due ? 'open' : 'closed');
        }
      }),
    );
  });
});
