import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '../../platform/index.js';

/** What a key belongs to: the same key in another scope is another key. */
export interface Scope {
  clientId: string;
  method: string;
  path: string;
  key: string;
}

export interface Claim extends Scope {
  /** Id given to the key when it is new. */
  id: string;
  bodyDigest: Buffer;
  /** Id of the call that runs. */
  holder: string;
  now: Date;
  leaseUntil: Date;
  expiresAt: Date;
}

export interface KeyRow {
  id: string;
  body_digest: Buffer;
  state: 'running' | 'done';
  lease_until: Date;
  answer: string | null;
  expires_at: Date;
}

const MOST_SWEPT = 1_000;

/** The table of keys. Every change is one statement, so that instances need no agreement but the row's lock. */
@Injectable()
export class IdempotencyStore {
  constructor(private readonly database: Database) {}

  /**
   * Takes the key when it is new, has expired, or was left by a call whose lease has run out (then under its old id).
   * @returns the key's id, or undefined when another call has it or the body is another one.
   */
  async claim(claim: Claim): Promise<string | undefined> {
    const [row] = await this.database.query<{ id: string }>(
      `INSERT INTO orchestration.idempotency AS i
              (id, client_id, method, path, key, body_digest, state, holder, lease_until, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, $8, $9, $10)
       ON CONFLICT ON CONSTRAINT idempotency_scope DO UPDATE
          SET id = CASE WHEN i.expires_at <= $9 THEN excluded.id ELSE i.id END,
              created_at = CASE WHEN i.expires_at <= $9 THEN excluded.created_at ELSE i.created_at END,
              expires_at = CASE WHEN i.expires_at <= $9 THEN excluded.expires_at ELSE i.expires_at END,
              body_digest = excluded.body_digest, state = 'running', answer = NULL,
              holder = excluded.holder, lease_until = excluded.lease_until
        WHERE i.expires_at <= $9
           OR (i.state = 'running' AND i.lease_until <= $9 AND i.body_digest = excluded.body_digest)
       RETURNING i.id`,
      [
        claim.id,
        claim.clientId,
        claim.method,
        claim.path,
        claim.key,
        claim.bodyDigest,
        claim.holder,
        claim.leaseUntil,
        claim.now,
        claim.expiresAt,
      ],
    );
    return row?.id;
  }

  async find(scope: Scope): Promise<KeyRow | undefined> {
    const [row] = await this.database.query<KeyRow>(
      `SELECT id, body_digest, state, lease_until, answer, expires_at FROM orchestration.idempotency
        WHERE client_id = $1 AND method = $2 AND path = $3 AND key = $4`,
      [scope.clientId, scope.method, scope.path, scope.key],
    );
    return row;
  }

  /** Takes over the lease of a key that nobody holds, for work in the background. @returns whether it was free. */
  async borrow(id: string, holder: string, now: Date, leaseUntil: Date): Promise<boolean> {
    const rows = await this.database.query<{ free: boolean }>(
      `WITH taken AS (
         UPDATE orchestration.idempotency SET holder = $2, lease_until = $4
          WHERE id = $1 AND state = 'running' AND lease_until <= $3 RETURNING id)
       SELECT EXISTS (SELECT FROM taken)
           OR NOT EXISTS (SELECT FROM orchestration.idempotency WHERE id = $1 AND state = 'running') AS free`,
      [id, holder, now, leaseUntil],
    );
    return rows[0]?.free === true;
  }

  async renew(held: readonly { id: string; holder: string }[], leaseUntil: Date): Promise<void> {
    await this.database.query(
      `UPDATE orchestration.idempotency i SET lease_until = $3
         FROM unnest($1::uuid[], $2::uuid[]) AS held (id, holder)
        WHERE i.id = held.id AND i.holder = held.holder AND i.state = 'running'`,
      [held.map((row) => row.id), held.map((row) => row.holder), leaseUntil],
    );
  }

  /** @returns the instant until which the answer is kept, or undefined when the lease was lost to another call. */
  async lockHeld(tx: Tx, id: string, holder: string): Promise<Date | undefined> {
    const [row] = await tx.query<{ expires_at: Date }[]>(
      `SELECT expires_at FROM orchestration.idempotency WHERE id = $1 AND holder = $2 AND state = 'running' FOR UPDATE`,
      [id, holder],
    );
    return row?.expires_at;
  }

  async keep(tx: Tx, id: string, answer: string): Promise<void> {
    await tx.query(`UPDATE orchestration.idempotency SET state = 'done', answer = $2 WHERE id = $1`, [id, answer]);
  }

  async letGo(id: string, holder: string, now: Date): Promise<void> {
    await this.release(this.database.source.manager, id, holder, now);
  }

  async release(tx: Tx, id: string, holder: string, now: Date): Promise<void> {
    await tx.query(
      `UPDATE orchestration.idempotency SET lease_until = $3 WHERE id = $1 AND holder = $2 AND state = 'running'`,
      [id, holder, now],
    );
  }

  async forget(tx: Tx, id: string): Promise<void> {
    await tx.query('DELETE FROM orchestration.idempotency WHERE id = $1', [id]);
  }

  /** Removes what has expired, a bounded number at once. */
  async sweep(now: Date): Promise<void> {
    await this.database.query(
      `DELETE FROM orchestration.idempotency WHERE id IN (
         SELECT id FROM orchestration.idempotency WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [now, MOST_SWEPT],
    );
  }
}
