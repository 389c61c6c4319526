import { z } from 'zod';
import { HASH_BYTES } from '../tree/merkle.js';
import type { RangeProof } from '../tree/range-proof.js';

/**
 * Follows each batch of records to a receiver: which records the batch holds and the checkpoint that covers them, with the tree hashes
 * on both sides of them. With the records it gives the root that the checkpoint signs, so that whoever keeps the events can prove that
 * none of the batch was dropped, changed or slipped in.
 */
export interface BatchStatement extends RangeProof {
  /** Number of the first record. */
  first: number;
  /** Past the number of the last one. */
  past: number;
  /** Signed note (C2SP tlog-checkpoint). */
  checkpoint: string;
}

/** More hashes than any tree has levels are nobody's of ours. */
const MOST_HASHES = 64;

const seq = z.int().min(0);
const hash = z
  .base64()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((bytes) => bytes.length === HASH_BYTES);
const schema = z
  .object({
    first: seq,
    past: seq,
    checkpoint: z.string().max(65_536),
    left: z.array(hash).max(MOST_HASHES),
    right: z.array(hash).max(MOST_HASHES),
  })
  .refine(({ first, past }) => first < past);

/** As it stands in an event. */
export function statementMembers({ first, past, checkpoint, left, right }: BatchStatement): object {
  const base64 = (hashes: readonly Buffer[]): string[] => hashes.map((one) => one.toString('base64'));
  return { first, past, checkpoint, left: base64(left), right: base64(right) };
}

/** @returns undefined for what is no statement. */
export function readStatement(members: unknown): BatchStatement | undefined {
  return schema.safeParse(members).data;
}

export function statementId({ first, past }: Pick<BatchStatement, 'first' | 'past'>): string {
  return `batch-${first}-${past}`;
}
