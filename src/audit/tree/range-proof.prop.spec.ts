import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT, Frontier, leafHash, rootOf } from './merkle.js';
import { GrowingRange, proveRange, verifyRange } from './range-proof.js';
import { TILE_WIDTH, tileName, type TileSource, TileTree } from './tile-tree.js';

/** More than one tile of leaves, so that runs lie across tiles. */
const SIZE = 600;
const leaves = Array.from({ length: SIZE }, (_, n) => leafHash(Buffer.from(`leaf ${n}`)));

/** Tiles as the database holds them. */
function tilesOf(all: readonly Buffer[]): TileSource {
  const tiles = new Map<string, Buffer[]>();
  const frontier = new Frontier((level, index, hash) => {
    if (level % 8 !== 0) return;
    const name = tileName({ level: level / 8, index: Math.floor(index / TILE_WIDTH) });
    tiles.set(name, [...(tiles.get(name) ?? []), hash]);
  });
  for (const leaf of all) frontier.add(leaf);
  return {
    tiles: (keys) =>
      Promise.resolve(
        new Map(keys.map((key) => [tileName(key), Buffer.concat(tiles.get(tileName(key)) ?? [])] as const)),
      ),
  };
}

const tree = new TileTree(tilesOf(leaves));

describe('the proof of a run of leaves', () => {
  it('holds for every run of every small tree', async () => {
    for (let size = 1; size <= 20; size += 1) {
      const root = rootOf(leaves.slice(0, size));
      for (let first = 0; first < size; first += 1) {
        for (let past = first + 1; past <= size; past += 1) {
          const proof = await proveRange(tree, first, past, size);
          expect(verifyRange(first, leaves.slice(first, past), size, proof, root)).toBe(true);
        }
      }
    }
  });

  const run = fc
    .tuple(fc.integer({ min: 1, max: SIZE }), fc.nat(), fc.nat())
    .map(([size, a, b]): [number, number, number] => {
      const first = a % size;
      return [first, first + 1 + (b % (size - first)), size];
    });

  it('holds for runs across tiles, and is no longer than twice the height of the tree', async () => {
    await fc.assert(
      fc.asyncProperty(run, async ([first, past, size]) => {
        const proof = await proveRange(tree, first, past, size);
        const root = rootOf(leaves.slice(0, size));
        expect(verifyRange(first, leaves.slice(first, past), size, proof, root)).toBe(true);
        expect(proof.left.length + proof.right.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(size)) + 1);
      }),
      { numRuns: 60 },
    );
  });

  it('fails when a leaf is another, missing, doubled or in another place, or a hash of the proof is another', async () => {
    await fc.assert(
      fc.asyncProperty(run, fc.nat(), async ([first, past, size], seed) => {
        const proof = await proveRange(tree, first, past, size);
        const root = rootOf(leaves.slice(0, size));
        const inside = leaves.slice(first, past);
        const at = seed % inside.length;
        const holds = (some: readonly Buffer[], from = first, given = proof): boolean =>
          verifyRange(from, some, size, given, root);
        expect(holds(inside.with(at, EMPTY_ROOT))).toBe(false);
        expect(holds(inside.toSpliced(at, 1))).toBe(false);
        expect(holds(inside.toSpliced(at, 0, inside[at] ?? EMPTY_ROOT))).toBe(false);
        expect(holds(inside, first + 1)).toBe(false);
        if (inside.length > 1) expect(holds(inside.toReversed())).toBe(false);
        for (const side of ['left', 'right'] as const) {
          if (proof[side].length === 0) continue;
          const hash = seed % proof[side].length;
          expect(holds(inside, first, { ...proof, [side]: proof[side].with(hash, EMPTY_ROOT) })).toBe(false);
          expect(holds(inside, first, { ...proof, [side]: proof[side].slice(1) })).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('grows from one run to the next with the hashes that the next begins with', async () => {
    await fc.assert(
      fc.asyncProperty(run, async ([first, past, size]) => {
        const range = new GrowingRange(first, (await proveRange(tree, first, past, size)).left);
        for (const leaf of leaves.slice(first, past)) range.add(leaf);
        if (past < size) expect(range.nodes).toEqual((await proveRange(tree, past, size, size)).left);
      }),
      { numRuns: 60 },
    );
  });

  it('is not made for what is no run', async () => {
    await expect(proveRange(tree, 3, 3, 5)).rejects.toThrow(RangeError);
    await expect(proveRange(tree, 3, 6, 5)).rejects.toThrow(RangeError);
    expect(verifyRange(0, [], 5, { left: [], right: [] }, EMPTY_ROOT)).toBe(false);
  });
});
