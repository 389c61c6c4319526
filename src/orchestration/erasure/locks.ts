import type { Tx } from '../../platform/index.js';

/**
 * Who begins to keep something of a person takes the lock with others, who erases the person takes it alone: what is kept was there before
 * the erasure and went with it, or begins after it. Held until the transaction ends, and taken before any row is locked.
 */
export async function lockSubject(tx: Tx, subject: string, mode: 'shared' | 'alone'): Promise<void> {
  await lock(tx, `subject:${subject}`, mode);
}

/** The same for what the vendor tells of a session; taken after the rows of its verifications. */
export async function lockSession(tx: Tx, sessionId: string, mode: 'shared' | 'alone'): Promise<void> {
  await lock(tx, `session:${sessionId}`, mode);
}

/** Several, in an order that is the same for everybody. */
export async function lockSessions(tx: Tx, sessionIds: readonly string[]): Promise<void> {
  await tx.query(
    `SELECT pg_advisory_xact_lock_shared(hashtextextended('gatehouse/session:' || id, 1713))
       FROM (SELECT DISTINCT id FROM unnest($1::text[]) AS s (id) ORDER BY id) s`,
    [sessionIds],
  );
}

async function lock(tx: Tx, name: string, mode: 'shared' | 'alone'): Promise<void> {
  const suffix = mode === 'shared' ? '_shared' : '';
  await tx.query(`SELECT pg_advisory_xact_lock${suffix}(hashtextextended($1, 1713))`, [`gatehouse/${name}`]);
}
