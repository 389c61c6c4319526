import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT, leafHash, nodeHash, rootOf } from './merkle.js';
import { consistencyRanges, inclusionRanges, type Range, verifyConsistency, verifyInclusion } from './proofs.js';

/** RFC 6962 section 2.1, word for word. */
function mth(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return EMPTY_ROOT;
  if (leaves.length === 1) return only;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}

const leaves = Array.from({ length: 80 }, (_, n) => leafHash(Buffer.from(`leaf ${n}`)));
const over = ({ from, to }: Range): Buffer => mth(leaves.slice(from, to));
const size = fc.integer({ min: 1, max: leaves.length });

describe('for any tree', () => {
  it('the root is the one of the recursive definition', () => {
    fc.assert(
      fc.property(size, (n) => {
        expect(rootOf(leaves.slice(0, n))).toEqual(mth(leaves.slice(0, n)));
      }),
    );
  });

  it('every leaf is proved to be in it, and no other leaf in its place', () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.nat(), (n, seed, other) => {
        const index = seed % n;
        const root = mth(leaves.slice(0, n));
        const proof = inclusionRanges(index, n).map(over);
        expect(verifyInclusion(index, n, leaves[index] ?? EMPTY_ROOT, proof, root)).toBe(true);
        const wrong = leaves[other % leaves.length] ?? EMPTY_ROOT;
        if (other % leaves.length !== index) expect(verifyInclusion(index, n, wrong, proof, root)).toBe(false);
        expect(verifyInclusion(index, n, leaves[index] ?? EMPTY_ROOT, [...proof, root], root)).toBe(false);
        if (proof.length > 0)
          expect(verifyInclusion(index, n, leaves[index] ?? EMPTY_ROOT, proof.slice(1), root)).toBe(false);
      }),
    );
  });

  it('every smaller tree is proved to be its beginning, and no other', () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.nat(), (n, seed, broken) => {
        const first = 1 + (seed % n);
        const [before, after] = [mth(leaves.slice(0, first)), mth(leaves.slice(0, n))];
        const proof = consistencyRanges(first, n).map(over);
        expect(verifyConsistency(first, n, proof, before, after)).toBe(true);
        expect(verifyConsistency(first, n, proof, EMPTY_ROOT, after)).toBe(false);
        expect(verifyConsistency(first, n, proof, before, EMPTY_ROOT)).toBe(false);
        if (proof.length === 0) return;
        const other = proof.with(broken % proof.length, EMPTY_ROOT);
        expect(verifyConsistency(first, n, other, before, after)).toBe(false);
        expect(verifyConsistency(first, n, proof.slice(1), before, after)).toBe(false);
      }),
    );
  });

  it('a proof is no longer than the tree is high', () => {
    fc.assert(
      fc.property(size, fc.nat(), (n, seed) => {
        const height = Math.ceil(Math.log2(n));
        expect(inclusionRanges(seed % n, n).length).toBeLessThanOrEqual(height);
        expect(consistencyRanges(1 + (seed % n), n).length).toBeLessThanOrEqual(height + 1);
      }),
    );
  });
});
