import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import { Database, isUuid, ProblemError, type Tx } from '../platform/index.js';
import { type Drill, DrillEntity } from './drill.entity.js';
import type { DrillListQuery, Plan } from './schemas.js';

/** Arbitrary but fixed. */
const LOCK = 4_711_202_660;

export interface Counts {
  struck: number;
  failed: number;
  outside: number;
  outsideFailed: number;
}

/** What an instance needs to know of a drill under way. */
export interface Running {
  id: string;
  name: string;
  plan: Plan;
  mostCalls: number;
  startedAt: Date;
  /** By the database's clock, which all instances share. */
  sinceMs: number;
  isDue: boolean;
}

/** The tables of drills. */
@Injectable()
export class DrillStore {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  async insert(tx: Tx, drill: Drill): Promise<void> {
    await tx.insert(DrillEntity, { ...drill });
  }

  async update(tx: Tx, id: string, members: Partial<Omit<Drill, 'id' | 'granted'>>): Promise<void> {
    await tx.update(DrillEntity, id, members);
  }

  /** @throws ProblemError `not-found` */
  async get(id: string): Promise<Drill> {
    return found(isUuid(id) ? await this.database.source.manager.findOneBy(DrillEntity, { id }) : null);
  }

  /** With its row locked. @throws ProblemError `not-found` */
  async hold(tx: Tx, id: string): Promise<Drill> {
    const lock = { mode: 'pessimistic_write' as const };
    return found(isUuid(id) ? await tx.findOne(DrillEntity, { where: { id }, lock }) : null);
  }

  /** Newest first. @throws ProblemError `invalid-cursor` */
  async list({ state, limit, cursor }: DrillListQuery): Promise<{ items: Drill[]; nextCursor: string | null }> {
    const before = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString();
    if (before !== undefined && !isUuid(before)) throw new ProblemError('invalid-cursor');
    const rows = await this.database.source.manager.find(DrillEntity, {
      where: { ...(state === undefined ? {} : { state }), ...(before === undefined ? {} : { id: LessThan(before) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return { items: rows.slice(0, limit), nextCursor: last ? Buffer.from(last.id).toString('base64url') : null };
  }

  async running(): Promise<Running[]> {
    return this.database.query<Running>(
      `SELECT id, name, plan, most_calls AS "mostCalls", started_at AS "startedAt", ends_at <= now() AS "isDue",
              (extract(epoch FROM now() - started_at) * 1000)::integer AS "sinceMs"
         FROM drills.drills WHERE state = 'running' ORDER BY id`,
    );
  }

  /** Holds off other starts until the transaction ends. */
  async lockStarts(tx: Tx): Promise<void> {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  }

  async idsRunning(tx: Tx): Promise<string[]> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT id FROM drills.drills WHERE state = 'running' ORDER BY id FOR UPDATE`,
    );
    return rows.map(({ id }) => id);
  }

  async begin(tx: Tx, id: string, durationMs: number): Promise<void> {
    await tx.query(
      `UPDATE drills.drills SET started_at = now(), ends_at = now() + $2 * interval '1 millisecond' WHERE id = $1`,
      [id, durationMs],
    );
  }

  /** Takes up to so many further calls that may be struck. @returns how many there were left to take */
  async grant(id: string, calls: number): Promise<number> {
    const [row] = await this.database.query<{ taken: number }>(
      `WITH before AS (SELECT id, granted FROM drills.drills WHERE id = $1 AND state = 'running' FOR UPDATE),
            after AS (UPDATE drills.drills AS d SET granted = least(d.most_calls, d.granted + $2) FROM before
                       WHERE d.id = before.id RETURNING d.granted)
       SELECT after.granted - before.granted AS taken FROM before, after`,
      [id, calls],
    );
    return row?.taken ?? 0;
  }

  async tell(id: string, instance: string, { struck, failed, outside, outsideFailed }: Counts): Promise<void> {
    await this.database.query(
      `INSERT INTO drills.tallies AS t (drill_id, instance, struck, failed, outside, outside_failed)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (drill_id, instance) DO UPDATE
         SET struck = excluded.struck, failed = excluded.failed, outside = excluded.outside, outside_failed = excluded.outside_failed`,
      [id, instance, struck, failed, outside, outsideFailed],
    );
  }

  async counts(id: string): Promise<Counts> {
    const [row] = await this.database.query<Counts>(
      `SELECT coalesce(sum(struck), 0)::integer AS struck, coalesce(sum(failed), 0)::integer AS failed,
              coalesce(sum(outside), 0)::integer AS outside, coalesce(sum(outside_failed), 0)::integer AS "outsideFailed"
         FROM drills.tallies WHERE drill_id = $1`,
      [id],
    );
    return row ?? { struck: 0, failed: 0, outside: 0, outsideFailed: 0 };
  }
}

function found(drill: Drill | null): Drill {
  if (drill === null) throw new ProblemError('not-found', { rule: 'drill.unknown' });
  return drill;
}
