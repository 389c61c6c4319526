import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rounds } from '../../src/drills/runner/probes.js';
import { Breaker, type Permit } from '../../src/vendors/resilience/breaker.js';
import { BREAKER } from '../../src/vendors/resilience/testing/parts.js';

const STEP_MS = 50;

const settings = fc.record({
  open: fc.integer({ min: 2, max: 40 }).map((steps) => steps * STEP_MS),
  longestOpen: fc.integer({ min: 40, max: 120 }).map((steps) => steps * STEP_MS),
  probeEvery: fc.integer({ min: 2, max: 100 }).map((steps) => steps * STEP_MS),
  probes: fc.integer({ min: 1, max: 4 }),
});

/** Probes that a breaker lets out to a vendor that stays dead, while callers press on it all the time; each fails after so long. */
function probesIn(forMs: number, failAfterMs: () => number, over: object): number {
  const breaker = new Breaker({ settings: { ...BREAKER, ...over } }, 0);
  const trip = Array.from({ length: BREAKER.minimumCalls }, () => breaker.enter(0));
  for (const permit of trip) if (permit !== undefined) breaker.leave(permit, 'failure', 'bank', 0);
  const underWay: { permit: Permit; endsMs: number }[] = [];
  let probes = 0;
  for (let nowMs = 0; nowMs <= forMs; nowMs += STEP_MS) {
    for (const one of underWay.filter(({ endsMs }) => endsMs <= nowMs)) {
      underWay.splice(underWay.indexOf(one), 1);
      breaker.leave(one.permit, 'failure', 'bank', nowMs);
    }
    for (let permit = breaker.enter(nowMs); permit !== undefined; permit = breaker.enter(nowMs)) {
      probes += 1;
      underWay.push({ permit, endsMs: nowMs + failAfterMs() });
    }
  }
  return probes;
}

it('a breaker sends a dead vendor no more than a drill holds it to, and all of that when its probes fail at once', () => {
  fc.assert(
    fc.property(
      settings,
      fc.integer({ min: 0, max: 30_000 }),
      fc.infiniteStream(fc.nat(8_000)),
      (over, forMs, times) => {
        const most = rounds(forMs, { ...BREAKER, ...over }) * over.probes;
        expect(probesIn(forMs, () => times.next().value ?? 0, over)).toBeLessThanOrEqual(most);
      },
    ),
    { numRuns: 200 },
  );
  const patient = { ...BREAKER, probeEvery: 60_000 };
  for (const forMs of [1_000, 3_000, 8_000, 20_000]) {
    const often = rounds(forMs, patient);
    // A probe that fails takes a step.
    expect(probesIn(forMs + often * STEP_MS, () => STEP_MS, patient)).toBe(often * patient.probes);
  }
});
