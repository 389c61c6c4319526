import { EMPTY_ROOT, nodeHash } from './merkle.js';
import { type Subtree, subtrees, type TileTree } from './tile-tree.js';

/**
 * What a run of leaves lacks to give the root of the tree that it stands in: the whole subtrees before it and behind it, from left to
 * right. With the leaves themselves it proves all of them at once, and that there is none between them.
 */
export interface RangeProof {
  left: Buffer[];
  right: Buffer[];
}

/** Proof for the leaves from `first` up to but not including `past`. @throws MissingTile, RangeError */
export async function proveRange(tree: TileTree, first: number, past: number, size: number): Promise<RangeProof> {
  if (!(first >= 0 && first < past && past <= size)) throw new RangeError('no such run in a tree of this size');
  const [left = [], right = []] = await tree.subtreeHashes([
    { from: 0, to: first },
    { from: past, to: size },
  ]);
  return { left, right };
}

interface Node extends Subtree {
  hash: Buffer;
}

/** The beginning of a tree as it grows to the right: the whole subtrees that make it up, one for each bit set in its size. */
export class GrowingRange {
  readonly #nodes: Node[] = [];
  #size: number;

  /** @param left the subtrees before leaf `first`. @throws TypeError when they are not as many as a tree of that size has */
  constructor(first: number, left: readonly Buffer[]) {
    this.#size = first;
    for (const node of placed({ from: 0, to: first }, left)) this.#nodes.push(node);
  }

  get size(): number {
    return this.#size;
  }

  /** The subtrees of all leaves so far, the largest first. */
  get nodes(): Buffer[] {
    return this.#nodes.map(({ hash }) => hash);
  }

  add(leaf: Buffer): void {
    grow(this.#nodes, { level: 0, index: this.#size, hash: leaf });
    this.#size += 1;
  }

  /** Root of the tree of `size` leaves, of which `right` are the subtrees that are still to come. @throws TypeError when they do not fit */
  root(size: number, right: readonly Buffer[]): Buffer {
    const nodes = [...this.#nodes];
    for (const node of placed({ from: this.#size, to: size }, right)) grow(nodes, node);
    const [last = EMPTY_ROOT, ...above] = nodes.map(({ hash }) => hash).reverse();
    return above.reduce((below, left) => nodeHash(left, below), last);
  }
}

function placed(range: { from: number; to: number }, hashes: readonly Buffer[]): Node[] {
  const expected = range.from > range.to ? undefined : subtrees(range);
  if (expected?.length !== hashes.length) throw new TypeError('not as many hashes as the run has subtrees');
  return expected.map((subtree, at) => ({ ...subtree, hash: hashes[at] ?? EMPTY_ROOT }));
}

/** Two subtrees that are left and right of one become that one. */
function grow(nodes: Node[], added: Node): void {
  let node = added;
  for (let last = nodes.at(-1); last !== undefined; last = nodes.at(-1)) {
    if (last.level !== node.level || node.index % 2 !== 1) break;
    nodes.pop();
    node = { level: node.level + 1, index: (node.index - 1) / 2, hash: nodeHash(last.hash, node.hash) };
  }
  nodes.push(node);
}

/** Whether these leaves, from `first` on, stand so in the tree of this size and root. */
export function verifyRange(
  first: number,
  leaves: readonly Buffer[],
  size: number,
  { left, right }: RangeProof,
  root: Buffer,
): boolean {
  try {
    const range = new GrowingRange(first, left);
    for (const leaf of leaves) range.add(leaf);
    return range.size <= size && leaves.length > 0 && range.root(size, right).equals(root);
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
