import { hash } from 'node:crypto';

/** The tree of RFC 6962 section 2.1. Hashes are 32 bytes; sizes and indices are safe integers. */
export const HASH_BYTES = 32;

/** By way of a string: a buffer that node makes for each hash has memory of its own, and costs three times the hashing. */
export function sha256(bytes: Uint8Array | string): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

/** Root of the tree without leaves: the hash of nothing. */
export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0));

/** MTH({d}) = SHA-256(0x00 ‖ d): the prefix keeps a leaf from ever passing for a node. A text stands for its UTF-8. */
export function leafHash(bytes: Uint8Array | string): Buffer {
  if (typeof bytes === 'string') return sha256(`\0${bytes}`);
  const prefixed = Buffer.allocUnsafe(bytes.length + 1);
  prefixed[0] = 0;
  prefixed.set(bytes, 1);
  return sha256(prefixed);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const joined = Buffer.allocUnsafe(1 + left.length + right.length);
  joined[0] = 1;
  joined.set(left, 1);
  joined.set(right, 1 + left.length);
  return sha256(joined);
}

/** Called for each whole subtree as it is finished: its level (0 is a leaf), its number within the level, its hash. */
export type NodeSink = (level: number, index: number, nodeHash: Buffer) => void;

/** The roots of the whole subtrees that make up a tree of this size, from which it grows: one for each bit set in the size. */
export class Frontier {
  readonly #nodes: (Buffer | undefined)[] = [];
  #size = 0;

  constructor(private readonly sink?: NodeSink) {}

  get size(): number {
    return this.#size;
  }

  /** Adds one leaf by its hash. */
  add(leaf: Buffer): void {
    let node = leaf;
    let level = 0;
    let index = this.#size;
    this.sink?.(level, index, node);
    while (index % 2 === 1) {
      node = nodeHash(this.#nodes[level] ?? EMPTY_ROOT, node);
      this.#nodes[level] = undefined;
      level += 1;
      index = (index - 1) / 2;
      this.sink?.(level, index, node);
    }
    this.#nodes[level] = node;
    this.#size += 1;
  }

  /** By level; undefined where no subtree of that level stands alone. */
  nodes(): readonly (Buffer | undefined)[] {
    return this.#nodes;
  }

  root(): Buffer {
    let root: Buffer | undefined;
    for (const node of this.#nodes) {
      if (node !== undefined) root = root === undefined ? node : nodeHash(node, root);
    }
    return root ?? EMPTY_ROOT;
  }
}

/** Root of a tree given by its leaf hashes. */
export function rootOf(leaves: Iterable<Buffer>): Buffer {
  const frontier = new Frontier();
  for (const leaf of leaves) frontier.add(leaf);
  return frontier.root();
}
