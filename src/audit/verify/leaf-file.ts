import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HASH_BYTES } from '../tree/merkle.js';

/** Leaves in a page, and pages held in memory: eight megabytes, whatever the size of the log. */
const PAGE_LEAVES = 4_096;
const MOST_PAGES = 64;
const PAGE_BYTES = PAGE_LEAVES * HASH_BYTES;

interface Page {
  slot: number;
  bytes: Buffer;
  changed: boolean;
}

/**
 * Leaf hashes by number, in a file of its own that goes with it: exports come in any order, and memory must not grow with them. No hash of
 * SHA-256 is all zeros, so that zeros stand for none.
 */
export class LeafFile {
  readonly #dir = mkdtempSync(join(tmpdir(), 'gatehouse-verify-'));
  readonly #file = openSync(join(this.#dir, 'leaves'), 'wx+', 0o600);
  /** Where a page lies in the file, by its number. */
  readonly #slots = new Map<number, number>();
  /** The pages in memory, the longest unused first. */
  readonly #pages = new Map<number, Page>();

  /** @returns whether the number had none, the same, or another hash before; the first one stays. */
  set(seq: number, leaf: Buffer): 'new' | 'same' | 'other' {
    const page = this.page(Math.floor(seq / PAGE_LEAVES));
    const at = (seq % PAGE_LEAVES) * HASH_BYTES;
    const before = page.bytes.subarray(at, at + HASH_BYTES);
    if (before.equals(leaf)) return 'same';
    if (!isZero(before)) return 'other';
    leaf.copy(page.bytes, at);
    page.changed = true;
    return 'new';
  }

  get(seq: number): Buffer | undefined {
    if (!this.#slots.has(Math.floor(seq / PAGE_LEAVES))) return undefined;
    const page = this.page(Math.floor(seq / PAGE_LEAVES));
    const at = (seq % PAGE_LEAVES) * HASH_BYTES;
    const leaf = Buffer.from(page.bytes.subarray(at, at + HASH_BYTES));
    return isZero(leaf) ? undefined : leaf;
  }

  /** The first number from `from` on that has a hash; `to` when none before it has. Pages that were never written cost nothing. */
  next(from: number, to: number): number {
    for (const number of [...this.#slots.keys()].sort((a, b) => a - b)) {
      const past = Math.min((number + 1) * PAGE_LEAVES, to);
      for (let seq = Math.max(from, number * PAGE_LEAVES); seq < past; seq += 1) {
        if (this.get(seq) !== undefined) return seq;
      }
    }
    return to;
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  private page(number: number): Page {
    const page = this.#pages.get(number) ?? this.read(number);
    this.#pages.delete(number);
    this.#pages.set(number, page);
    return page;
  }

  private read(number: number): Page {
    this.makeRoom();
    const bytes = Buffer.alloc(PAGE_BYTES);
    const known = this.#slots.get(number);
    const slot = known ?? this.#slots.size;
    if (known === undefined) this.#slots.set(number, slot);
    else readSync(this.#file, bytes, 0, PAGE_BYTES, slot * PAGE_BYTES);
    return { slot, bytes, changed: false };
  }

  private makeRoom(): void {
    const [oldest] = this.#pages;
    if (oldest === undefined || this.#pages.size < MOST_PAGES) return;
    const [number, page] = oldest;
    if (page.changed) writeSync(this.#file, page.bytes, 0, PAGE_BYTES, page.slot * PAGE_BYTES);
    this.#pages.delete(number);
  }
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
