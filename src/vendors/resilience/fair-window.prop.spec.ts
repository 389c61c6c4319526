import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairWindow, OWN_WORK, sharesOf, WEBHOOKS } from './fair-window.js';

const WINDOW_MS = 60_000;
const shares = fc.record({
  limit: fc.integer({ min: 10, max: 120 }),
  windowMs: fc.constant(WINDOW_MS),
  reserve: fc.double({ min: 0, max: 0.5, noNaN: true }),
  background: fc.double({ min: 0, max: 0.3, noNaN: true }),
});
const who = fc.constantFrom('a', 'b', 'c', 'd', OWN_WORK, WEBHOOKS);
const asks = fc.array(fc.record({ who, waitMs: fc.integer({ min: 0, max: 3_000 }), back: fc.boolean() }), {
  maxLength: 600,
});

describe('the vendor’s window, whoever asks', () => {
  it('never grants more than the limit in any window, nor the gateway’s own work more than its share', () => {
    fc.assert(
      fc.property(shares, asks, (settings, all) => {
        const window = new FairWindow(settings);
        const granted: { who: string; atMs: number }[] = [];
        let nowMs = 0;
        for (const ask of all) {
          nowMs += ask.waitMs;
          if (window.take(ask.who, [], nowMs) > 0) continue;
          if (ask.back && ask.waitMs < 50) window.refund(ask.who);
          else granted.push({ who: ask.who, atMs: nowMs });
        }
        for (const { atMs } of granted) {
          const inside = granted.filter((one) => one.atMs >= atMs && one.atMs < atMs + WINDOW_MS);
          expect(inside.length).toBeLessThanOrEqual(settings.limit);
          expect(inside.filter((one) => one.who === OWN_WORK).length).toBeLessThanOrEqual(sharesOf(settings).own);
        }
      }),
    );
  });

  it('says no wait that is longer than needed: whoever waits so long and asks alone is served', () => {
    fc.assert(
      fc.property(shares, asks, who, (settings, all, last) => {
        const window = new FairWindow(settings);
        let nowMs = 0;
        for (const ask of all) {
          nowMs += ask.waitMs;
          window.take(ask.who, [], nowMs);
        }
        for (let asked = 0; ; asked += 1) {
          const waitMs = window.take(last, [], nowMs);
          if (waitMs === 0) break;
          expect(asked).toBeLessThanOrEqual(settings.limit);
          expect(waitMs).toBeLessThanOrEqual(WINDOW_MS + 2_000);
          nowMs += waitMs;
        }
      }),
    );
  });

  it('starves nobody: of clients that ask without end each gets its share of every window', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 40, max: 120 }),
        fc.nat(5),
        (clients, limit, seed) => {
          const settings = { limit, windowMs: WINDOW_MS, reserve: 0.1, background: 0.1 };
          const window = new FairWindow(settings);
          const names = Array.from({ length: clients }, (_, n) => `client-${n}`);
          const got = new Map(names.map((name) => [name, 0]));
          const share = sharesOf(settings).of(clients);
          // The first one has taken all that it could before the others came.
          while (window.take('client-0', [], 0) === 0);
          const stepMs = 97 + seed;
          for (let nowMs = 1; nowMs < 4 * 62_000; nowMs += stepMs) {
            // The greedy one asks first, and more often.
            for (const name of ['client-0', 'client-0', ...names]) {
              if (window.take(name, names, nowMs) > 0 || nowMs < 3 * 62_000) continue;
              got.set(name, (got.get(name) ?? 0) + 1);
            }
          }
          for (const [, calls] of got) expect(calls).toBeGreaterThanOrEqual(share - 2);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('lends what others leave idle, and keeps something for who comes next', () => {
    const settings = { limit: 100, windowMs: WINDOW_MS, reserve: 0.1, background: 0.1 };
    const window = new FairWindow(settings);
    const taken = (client: string): number => {
      let n = 0;
      while (window.take(client, [], 0) === 0) n += 1;
      return n;
    };
    expect(taken('greedy')).toBe(80);
    expect(taken(OWN_WORK)).toBe(10);
    expect(taken('newcomer')).toBe(10);
    expect(window.take('newcomer', [], 0)).toBe(62_000);
    expect(window.take('newcomer', [], 62_000)).toBe(0);
  });
});
