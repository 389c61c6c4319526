import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Coverage } from './coverage.js';

const MOST = 60;
const run = fc.tuple(fc.nat(MOST), fc.nat(MOST)).map(([a, b]) => ({ first: Math.min(a, b), past: Math.max(a, b) + 1 }));
/** As one history tells it: the tree's state follows from the size. */
const told = ({ first, past }: { first: number; past: number }, history = 'h') => ({
  first,
  past,
  before: `${history}${first}`,
  after: `${history}${past}`,
});

describe('runs in any order', () => {
  it('join into those that touch, and no others', () => {
    fc.assert(
      fc.property(fc.array(run, { maxLength: 20 }), (runs) => {
        const coverage = new Coverage();
        const covered = new Set<number>();
        for (const one of runs) {
          expect(coverage.add(told(one))).toBeUndefined();
          for (let n = one.first; n < one.past; n += 1) covered.add(n);
        }
        const found = coverage.runs;
        expect(found.flatMap(({ first, past }) => Array.from({ length: past - first }, (_, n) => first + n))).toEqual(
          [...covered].sort((a, b) => a - b),
        );
        for (const [n, { first, past, before, after }] of found.entries()) {
          expect({ before, after }).toEqual({ before: `h${first}`, after: `h${past}` });
          const next = found[n + 1];
          if (next !== undefined) expect(next.first).toBeGreaterThan(past);
        }
      }),
    );
  });

  it('of two histories are told apart where they meet', () => {
    const coverage = new Coverage();
    coverage.add(told({ first: 10, past: 20 }));
    expect(coverage.add(told({ first: 20, past: 30 }, 'other'))).toBe(20);
    expect(coverage.add(told({ first: 0, past: 10 }, 'other'))).toBe(10);
    expect(new Coverage().add(told({ first: 0, past: 10 }))).toBeUndefined();
  });
});
