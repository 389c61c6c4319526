import { Injectable } from '@nestjs/common';
import type { JournaledErasure } from '../../audit/index.js';
import { Database, type Tx } from '../../platform/index.js';
import type { Erased } from './erasable.js';
import type { ErasedSubject } from './subject-eraser.js';

export interface Erasure extends ErasedSubject {
  id: string;
  ground: JournaledErasure['ground'];
  /** Null where a backup lost it. */
  reason: string | null;
  /** Id of the administrator. */
  erasedBy: string;
  recordId: string;
  at: Date;
  erased: Erased;
  /** When it was done again in a database from before it. */
  replayedAt: Date | null;
}

const COLUMNS = `id, client_id AS "clientId", subject, ground, reason, erased_by AS "erasedBy", record_id AS "recordId", at, erased,
  replayed_at AS "replayedAt"`;

/** The table of erasures. */
@Injectable()
export class ErasureStore {
  constructor(private readonly database: Database) {}

  async insert(tx: Tx, erasure: Erasure): Promise<void> {
    await tx.query(
      `INSERT INTO orchestration.erasures
              (id, client_id, subject, ground, reason, erased_by, record_id, at, erased, replayed_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING`,
      [
        erasure.id,
        erasure.clientId,
        erasure.subject,
        erasure.ground,
        erasure.reason,
        erasure.erasedBy,
        erasure.recordId,
        erasure.at,
        JSON.stringify(erasure.erased),
        erasure.replayedAt,
      ],
    );
  }

  async lastOf(tx: Tx, { clientId, subject }: ErasedSubject): Promise<Erasure | undefined> {
    const [row] = await tx.query<Erasure[]>(
      `SELECT ${COLUMNS} FROM orchestration.erasures WHERE client_id = $1 AND subject = $2 ORDER BY id DESC LIMIT 1`,
      [clientId, subject],
    );
    return row;
  }

  async find(id: string): Promise<Erasure | undefined> {
    const [row] = await this.database.query<Erasure>(`SELECT ${COLUMNS} FROM orchestration.erasures WHERE id = $1`, [
      id,
    ]);
    return row;
  }

  /** Newest first. @param before ids below this one */
  page(limit: number, before: string | undefined): Promise<Erasure[]> {
    return this.database.query<Erasure>(
      `SELECT ${COLUMNS} FROM orchestration.erasures WHERE $2::uuid IS NULL OR id < $2 ORDER BY id DESC LIMIT $1`,
      [limit, before ?? null],
    );
  }

  since(tx: Tx, at: Date, most: number): Promise<Erasure[]> {
    return tx.query<Erasure[]>(
      `SELECT ${COLUMNS} FROM orchestration.erasures WHERE at >= $1 ORDER BY at DESC LIMIT $2`,
      [at, most],
    );
  }

  /** The last move of any verification of the subject that was not erased; undefined when there is none. */
  async lastMove(tx: Tx, { clientId, subject }: ErasedSubject): Promise<Date | undefined> {
    const [row] = await tx.query<{ at: Date | null }[]>(
      `SELECT max(updated_at) AS at FROM orchestration.verifications
        WHERE client_id = $1 AND subject = $2 AND erased_at IS NULL`,
      [clientId, subject],
    );
    return row?.at ?? undefined;
  }
}
