import { type Tx, uuidv7Floor } from '../../platform/index.js';

/** Keys in one statement: tens of milliseconds, so that a subject of a hundred thousand records meets no limit of time. */
const MOST_AT_ONCE = 5_000;

/**
 * Erases the keys of body digests that are about any of these: from then on a digest says nothing about anybody, and nothing that was
 * proven changes.
 * @param about pseudonyms of subjects, ids of verifications and of the vendor's sessions
 * @param before only those of calls that arrived before that instant
 * @returns how many there were
 */
export async function eraseDigestKeys(tx: Tx, about: readonly string[], before?: Date): Promise<number> {
  const floor = before === undefined ? null : uuidv7Floor(before.getTime());
  for (let erased = 0; ;) {
    const [row] = await tx.query<{ noted: number; gone: number }[]>(
      `WITH noted AS (
         DELETE FROM audit.digest_about WHERE (about, record_id) IN (
           SELECT about, record_id FROM audit.digest_about WHERE about = ANY($1) AND ($2::uuid IS NULL OR record_id < $2) LIMIT $3)
         RETURNING record_id
       ), gone AS (
         DELETE FROM audit.digest_keys USING noted WHERE digest_keys.record_id = noted.record_id RETURNING noted.record_id)
       SELECT (SELECT count(*)::integer FROM noted) AS noted, (SELECT count(*)::integer FROM gone) AS gone`,
      [about, floor, MOST_AT_ONCE],
    );
    erased += row?.gone ?? 0;
    if ((row?.noted ?? 0) < MOST_AT_ONCE) return erased;
  }
}
