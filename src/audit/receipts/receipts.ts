import { ProblemError } from '../../platform/index.js';
import type { LogStore } from '../checkpoints/log-store.js';
import { TileTree } from '../tree/tile-tree.js';
import { formatProof } from './tlog-proof.js';

/** A record in the log that a receipt is made of. */
export interface NumberedRecord {
  seq: number;
  bytes: Buffer;
}

/** Makes receipts: self-contained proofs that a record stands in the log, under the last checkpoint. */
export class Receipts {
  readonly #tree: TileTree;

  constructor(private readonly store: LogStore) {
    this.#tree = new TileTree(store);
  }

  /**
   * All under one checkpoint; a record that no checkpoint covers yet is left out: its receipt follows within a second.
   * @returns proofs as C2SP tlog-proof texts, by number
   */
  async of(records: readonly NumberedRecord[]): Promise<Map<number, string>> {
    const checkpoint = await this.store.published();
    const proofs = new Map<number, string>();
    if (checkpoint === undefined) return proofs;
    const covered = records.filter(({ seq }) => seq < checkpoint.size);
    const paths = await this.#tree.inclusions(
      covered.map(({ seq }) => seq),
      checkpoint.size,
    );
    for (const [at, { seq, bytes }] of covered.entries())
      proofs.set(seq, formatProof({ index: seq, hashes: paths[at] ?? [], checkpoint: checkpoint.note, extra: bytes }));
    return proofs;
  }

  /** @throws ProblemError `not-found` while no checkpoint covers the record. */
  async one(record: NumberedRecord): Promise<string> {
    const proof = (await this.of([record])).get(record.seq);
    if (proof === undefined)
      throw new ProblemError('not-found', { rule: 'record.unsigned', reason: 'no checkpoint covers it yet' });
    return proof;
  }

  /** Proof that the tree of `second` records begins with that of `first`, base64. @throws ProblemError when it is not that long */
  async consistency(first: number, second: number): Promise<string[]> {
    return (await this.#tree.consistency(first, second)).map((hash) => hash.toString('base64'));
  }
}
