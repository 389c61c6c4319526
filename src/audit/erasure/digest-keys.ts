import { type Tx, uuidv7Floor } from '../../platform/index.js';

/** Keys in one statement: tens of milliseconds, so that a subject of a hundred thousand records meets no limit of time. */
const MOST_AT_ONCE = 5_000;

const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

const ERASE_SQL = `
  WITH noted AS MATERIALIZED (
    SELECT about, record_id FROM audit.digest_about
     WHERE about = ANY($1) AND ($2::uuid IS NULL OR record_id < $2) AND (about, record_id) > ($3, $4::uuid)
     ORDER BY about, record_id LIMIT $5
  ), unnoted AS (
    DELETE FROM audit.digest_about AS a USING noted WHERE a.about = noted.about AND a.record_id = noted.record_id
  ), gone AS (
    DELETE FROM audit.digest_keys AS k USING noted WHERE k.record_id = noted.record_id RETURNING k.record_id
  ), last AS (
    SELECT about, record_id FROM noted ORDER BY about DESC, record_id DESC LIMIT 1)
  SELECT (SELECT count(*)::integer FROM noted) AS noted, (SELECT count(*)::integer FROM gone) AS gone,
         (SELECT about FROM last), (SELECT record_id FROM last)`;

interface Gone {
  noted: number;
  gone: number;
  /** The last of them. */
  about: string | null;
  record_id: string | null;
}

/**
 * Erases the keys of body digests that are about any of these: from then on a digest says nothing about anybody, and nothing that was
 * proven changes.
 * @param about pseudonyms of subjects, ids of verifications and of the vendor's sessions
 * @param before only those of calls that arrived before that instant
 * @returns how many there were
 */
export async function eraseDigestKeys(tx: Tx, about: readonly string[], before?: Date): Promise<number> {
  const floor = before === undefined ? null : uuidv7Floor(before.getTime());
  // On from the last one: what is deleted is passed over again by every scan of the same transaction.
  let after = ['', BEFORE_ALL];
  for (let erased = 0; ;) {
    const [row] = await tx.query<Gone[]>(ERASE_SQL, [about, floor, ...after, MOST_AT_ONCE]);
    erased += row?.gone ?? 0;
    if (row?.about == null || row.record_id === null || row.noted < MOST_AT_ONCE) return erased;
    after = [row.about, row.record_id];
  }
}
