import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rounds } from '../../src/drills/runner/probes.js';
import { Breaker, type Permit, type PermitResult } from '../../src/vendors/resilience/breaker.js';
import { BREAKER } from '../../src/vendors/resilience/testing/parts.js';

const STEP_MS = 50;

const settings = fc.record({
  open: fc.integer({ min: 2, max: 40 }).map((steps) => steps * STEP_MS),
  longestOpen: fc.integer({ min: 40, max: 120 }).map((steps) => steps * STEP_MS),
  probeEvery: fc.integer({ min: 2, max: 100 }).map((steps) => steps * STEP_MS),
  probes: fc.integer({ min: 1, max: 4 }),
});

interface End {
  afterMs: number;
  result: PermitResult;
}

const end: fc.Arbitrary<End> = fc.record({
  afterMs: fc.nat(8_000),
  result: fc.constantFrom<PermitResult>('failure', 'slow', 'nothing'),
});

/** Probes that a breaker lets out to a vendor that stays dead, while callers press on it all the time. @param next how one ends */
function probesIn(forMs: number, next: () => End, over: object): number {
  const breaker = new Breaker({ settings: { ...BREAKER, ...over } }, 0);
  const trip = Array.from({ length: BREAKER.minimumCalls }, () => breaker.enter(0));
  for (const permit of trip) if (permit !== undefined) breaker.leave(permit, 'failure', 'bank', 0);
  const underWay: { permit: Permit; endsMs: number; result: PermitResult }[] = [];
  let probes = 0;
  for (let nowMs = 0; nowMs <= forMs; nowMs += STEP_MS) {
    for (const one of underWay.filter(({ endsMs }) => endsMs <= nowMs)) {
      underWay.splice(underWay.indexOf(one), 1);
      breaker.leave(one.permit, one.result, 'bank', nowMs);
    }
    for (let permit = breaker.enter(nowMs); permit !== undefined; permit = breaker.enter(nowMs)) {
      probes += 1;
      const { afterMs, result } = next();
      underWay.push({ permit, endsMs: nowMs + afterMs, result });
    }
  }
  return probes;
}

it('a breaker sends a dead vendor no more than a drill holds it to, and all of that when its probes fail at once', () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 0, max: 30_000 }), fc.infiniteStream(end), (over, forMs, ends) => {
      const most = rounds(forMs, { ...BREAKER, ...over }) * over.probes;
      expect(probesIn(forMs, () => ends.next().value ?? { afterMs: 0, result: 'failure' }, over)).toBeLessThanOrEqual(
        most,
      );
    }),
    { numRuns: 200 },
  );
  const patient = { ...BREAKER, probeEvery: 60_000 };
  for (const forMs of [1_000, 3_000, 8_000, 20_000]) {
    const often = rounds(forMs, patient);
    // A probe that fails takes a step.
    expect(probesIn(forMs + often * STEP_MS, () => ({ afterMs: STEP_MS, result: 'failure' }), patient)).toBe(
      often * patient.probes,
    );
  }
});
