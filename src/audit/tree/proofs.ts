import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './merkle.js';

/** A run of leaves, from `from` up to but not including `to`, whose tree hash is one hash of a proof. */
export interface Range {
  from: number;
  to: number;
}

/** The largest power of two smaller than `size`: where RFC 6962 splits a tree of at least two leaves. */
function split(size: number): number {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
}

/**
 * The hashes of an inclusion proof, from the leaf upwards (RFC 6962 section 2.1.1), as runs of leaves: whoever has the tiles computes each
 * from whole subtrees.
 */
export function inclusionRanges(index: number, size: number): Range[] {
  const ranges: Range[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + split(to - from);
    if (index < middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  return ranges.reverse();
}

/** The hashes of a consistency proof (RFC 6962 section 2.1.2) between two sizes, as runs of leaves. */
export function consistencyRanges(first: number, second: number): Range[] {
  const ranges: Range[] = [];
  let from = 0;
  let to = second;
  // Whether what is left of the first tree is still a tree of its own, whose hash the verifier has.
  let whole = true;
  while (first !== to) {
    const middle = from + split(to - from);
    if (first <= middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
      whole = false;
    }
  }
  if (!whole) ranges.push({ from, to });
  return ranges.reverse();
}

/** RFC 9162 section 2.1.3.2. */
export function verifyInclusion(
  index: number,
  size: number,
  leaf: Buffer,
  proof: readonly Buffer[],
  root: Buffer,
): boolean {
  if (index < 0 || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hash.equals(root);
}

/** RFC 9162 section 2.1.4.2; a tree of size 0 is consistent with every other, by an empty proof. */
export function verifyConsistency(
  first: number,
  second: number,
  proof: readonly Buffer[],
  firstRoot: Buffer,
  secondRoot: Buffer,
): boolean {
  if (first < 0 || first > second || !areHashes([firstRoot, secondRoot, ...proof])) return false;
  if (first === 0 && !firstRoot.equals(EMPTY_ROOT)) return false;
  if (first === second) return proof.length === 0 && firstRoot.equals(secondRoot);
  if (first === 0) return proof.length === 0;
  let [node, last] = [first - 1, second - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  const [start, ...rest] = isPowerOfTwo(first) ? [firstRoot, ...proof] : proof;
  if (start === undefined) return false;
  let [one, two] = [start, start];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      one = nodeHash(sibling, one);
      two = nodeHash(sibling, two);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      two = nodeHash(two, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && one.equals(firstRoot) && two.equals(secondRoot);
}

/** What comes from elsewhere may have any length, and two hashes in the place of one would prove what is not so. */
function areHashes(hashes: readonly Buffer[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}
