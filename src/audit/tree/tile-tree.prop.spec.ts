import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { Frontier, leafHash, rootOf } from './merkle.js';
import { verifyConsistency, verifyInclusion } from './proofs.js';
import { MissingTile, type TileKey, tileName, type TileSource, TileTree } from './tile-tree.js';

const MOST = 1_100;
const leaves = Array.from({ length: MOST }, (_, n) => leafHash(Buffer.from(String(n))));
const tiles = new Map<string, Buffer>();
const frontier = new Frontier((level, index, hash) => {
  if (level % 8 !== 0) return;
  const name = tileName({ level: level / 8, index: Math.floor(index / 256) });
  tiles.set(name, Buffer.concat([tiles.get(name) ?? Buffer.alloc(0), hash]));
});
for (const leaf of leaves) frontier.add(leaf);

const source = (without?: string): TileSource => ({
  tiles: (keys: readonly TileKey[]) =>
    Promise.resolve(
      new Map(
        keys.flatMap((key) => {
          const tile = tileName(key) === without ? undefined : tiles.get(tileName(key));
          return tile === undefined ? [] : [[tileName(key), tile] as const];
        }),
      ),
    ),
});
const tree = new TileTree(source());
const twoSizes = fc.tuple(fc.nat(MOST), fc.nat(MOST)).map(([a, b]) => (a < b ? [a, b] : [b, a]) as [number, number]);

describe('from tiles alone', () => {
  test.prop([fc.nat(MOST)])('the root of every size is that of its leaves', async (size) => {
    expect(await tree.root(size)).toEqual(rootOf(leaves.slice(0, size)));
  });

  test.prop([fc.integer({ min: 1, max: MOST }), fc.nat()])('every leaf is proven to be included', async (size, n) => {
    const index = n % size;
    const proof = await tree.inclusion(index, size);
    const root = rootOf(leaves.slice(0, size));
    expect(verifyInclusion(index, size, leaves[index] ?? Buffer.alloc(0), proof, root)).toBe(true);
    expect(verifyInclusion(index, size, leafHash(Buffer.from('other')), proof, root)).toBe(false);
  });

  test.prop([twoSizes])('every two sizes are proven to be consistent', async ([first, second]) => {
    const proof = await tree.consistency(first, second);
    const [one, two] = [rootOf(leaves.slice(0, first)), rootOf(leaves.slice(0, second))];
    expect(verifyConsistency(first, second, proof, one, two)).toBe(true);
    if (first > 0) expect(verifyConsistency(first, second, proof, leafHash(one), two)).toBe(false);
  });

  test('a missing tile is named', async () => {
    await expect(new TileTree(source('0/2')).root(MOST)).resolves.toBeDefined();
    await expect(new TileTree(source('0/2')).inclusion(600, MOST)).rejects.toThrow(MissingTile);
    await expect(new TileTree(source('1/0')).root(MOST)).rejects.toThrow(MissingTile);
    await expect(tree.root(MOST + 1)).rejects.toThrow(MissingTile);
    await expect(tree.inclusion(MOST, MOST)).rejects.toThrow(RangeError);
  });
});
