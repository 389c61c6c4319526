import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './merkle.js';
import { consistencyRanges, inclusionRanges, type Range } from './proofs.js';

/** Hashes of a tile of height 8 (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

/** A tile of hashes: `level` 0 holds leaves, each further level the roots of 256 of the one below. */
export interface TileKey {
  level: number;
  index: number;
}

/** Where tiles come from. A tile not yet full comes as far as it is known; one that is not there is left out. */
export interface TileSource {
  tiles(keys: readonly TileKey[]): Promise<ReadonlyMap<string, Buffer>>;
}

export function tileName({ level, index }: TileKey): string {
  return `${level}/${index}`;
}

/** A whole subtree: `2 ** level` leaves from leaf `index * 2 ** level` on. */
export interface Subtree {
  level: number;
  index: number;
}

/** What a source could not give, or gave too short: the proof cannot be made. */
export class MissingTile extends Error {
  constructor(readonly key: TileKey) {
    super(`the tile ${tileName(key)} is missing or too short`);
    this.name = 'MissingTile';
  }
}

/** Proofs and roots from tiles alone: a few dozen rows, whatever the size of the log. */
export class TileTree {
  constructor(private readonly source: TileSource) {}

  /** From the leaf's sibling upwards (RFC 6962 section 2.1.1). @throws MissingTile, RangeError */
  async inclusion(index: number, size: number): Promise<Buffer[]> {
    const [proof = []] = await this.inclusions([index], size);
    return proof;
  }

  /** Of several leaves at once. @throws MissingTile, RangeError */
  async inclusions(indices: readonly number[], size: number): Promise<Buffer[][]> {
    if (indices.some((index) => !(index >= 0 && index < size)))
      throw new RangeError('no such leaf in a tree of this size');
    const paths = indices.map((index) => inclusionRanges(index, size));
    const hashes = await this.hashes(paths.flat());
    return paths.map(({ length }) => hashes.splice(0, length));
  }

  /** RFC 6962 section 2.1.2; empty from size 0. @throws MissingTile, RangeError */
  consistency(first: number, second: number): Promise<Buffer[]> {
    if (!(first >= 0 && first <= second)) throw new RangeError('the first size is the smaller one');
    return first === 0 ? Promise.resolve([]) : this.hashes(consistencyRanges(first, second));
  }

  /** Root of the tree over the first `size` leaves. @throws MissingTile */
  async root(size: number): Promise<Buffer> {
    if (size === 0) return EMPTY_ROOT;
    const [root = EMPTY_ROOT] = await this.hashes([{ from: 0, to: size }]);
    return root;
  }

  /** Tree hashes of runs of leaves, by one asking of the source. */
  async hashes(ranges: readonly Range[]): Promise<Buffer[]> {
    const parts = await this.subtreeHashes(ranges);
    return parts.flatMap((whole) =>
      whole.length === 0 ? [] : [whole.reduceRight((right, left) => nodeHash(left, right))],
    );
  }

  /** Hashes of the whole subtrees of runs of leaves, from left to right, by one asking of the source. @throws MissingTile */
  async subtreeHashes(ranges: readonly Range[]): Promise<Buffer[][]> {
    const parts = ranges.map(subtrees);
    const keys = new Map(parts.flat().map((subtree) => [tileName(tileOf(subtree)), tileOf(subtree)]));
    const tiles = keys.size === 0 ? new Map<string, Buffer>() : await this.source.tiles([...keys.values()]);
    return parts.map((whole) => whole.map((subtree) => subtreeHash(tiles, subtree)));
  }
}

/** The fewest whole subtrees that make up a run, from left to right; where the run begins at a split of RFC 6962, the largest first. */
export function subtrees({ from, to }: Range): Subtree[] {
  const found: Subtree[] = [];
  for (let at = from; at < to;) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= to) level += 1;
    found.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return found;
}

function tileOf({ level, index }: Subtree): TileKey {
  return {
    level: Math.floor(level / TILE_HEIGHT),
    index: Math.floor((index * 2 ** (level % TILE_HEIGHT)) / TILE_WIDTH),
  };
}

function subtreeHash(tiles: ReadonlyMap<string, Buffer>, subtree: Subtree): Buffer {
  const key = tileOf(subtree);
  const height = subtree.level % TILE_HEIGHT;
  const first = (subtree.index * 2 ** height) % TILE_WIDTH;
  const tile = tiles.get(tileName(key));
  const past = (first + 2 ** height) * HASH_BYTES;
  if (tile === undefined || tile.length < past) throw new MissingTile(key);
  let nodes: Buffer[] = [];
  for (let at = first * HASH_BYTES; at < past; at += HASH_BYTES) nodes.push(tile.subarray(at, at + HASH_BYTES));
  while (nodes.length > 1) nodes = pairs(nodes);
  return nodes[0] ?? EMPTY_ROOT;
}

function pairs(nodes: readonly Buffer[]): Buffer[] {
  const upper: Buffer[] = [];
  for (let at = 0; at + 1 < nodes.length; at += 2)
    upper.push(nodeHash(nodes[at] ?? EMPTY_ROOT, nodes[at + 1] ?? EMPTY_ROOT));
  return upper;
}
