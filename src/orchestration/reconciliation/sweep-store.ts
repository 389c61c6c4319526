import { Inject, Injectable } from '@nestjs/common';
import { Clock, type Config, CONFIG, Database, uuidv7Floor } from '../../platform/index.js';

/** Of the verifications made in a window. */
export interface Completeness {
  /** That have a session whose decision is to come: neither called off nor erased. */
  expected: number;
  decided: number;
  /** Decided, and a webhook told of it. */
  notified: number;
  /** Decided, and found out by asking: the sweep or somebody's read. */
  healed: number;
  /** Undecided after the end of their session. */
  overdue: number;
  /** That wait in the queue for the vendor. */
  queued: number;
}

const NOTHING: Completeness = { expected: 0, decided: 0, notified: 0, healed: 0, overdue: 0, queued: 0 };

/** What the sweep takes on, and how complete the outcome is. */
@Injectable()
export class SweepStore {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Sessions that are due, longest first, each to one instance: taking one moves its time on, so that a sweep that dies leaves it for the
   * next.
   */
  async take(limit: number): Promise<{ sessionId: string; clientId: string }[]> {
    const now = this.clock.epochMs();
    const rows = await this.database.query<{ sessionId: string; clientId: string }>(
      `WITH due AS (
         SELECT id FROM orchestration.verifications WHERE check_at <= $1 ORDER BY check_at LIMIT $2 FOR UPDATE SKIP LOCKED
       ), taken AS (
         UPDATE orchestration.verifications v SET check_at = $3 FROM due WHERE v.id = due.id
         RETURNING v.session_id, v.client_id
       ) SELECT DISTINCT session_id AS "sessionId", client_id AS "clientId" FROM taken WHERE session_id IS NOT NULL`,
      [new Date(now), limit, new Date(now + this.config.reconciliation.after)],
    );
    return rows;
  }

  /** Over the ids, which are in the order of time. */
  async completeness(from: Date, to: Date): Promise<Completeness> {
    const [row] = await this.database.query<Completeness>(
      `SELECT count(*) FILTER (WHERE expected)::integer AS expected,
              count(*) FILTER (WHERE expected AND decided)::integer AS decided,
              count(*) FILTER (WHERE expected AND decided AND notified)::integer AS notified,
              count(*) FILTER (WHERE expected AND decided AND NOT notified)::integer AS healed,
              count(*) FILTER (WHERE expected AND NOT decided AND expires_at <= $3)::integer AS overdue,
              count(*) FILTER (WHERE status = 'queued')::integer AS queued
         FROM (SELECT status, expires_at, notified_at IS NOT NULL AS notified,
                      status IN ('approved', 'declined', 'expired', 'abandoned') AS decided,
                      session_id IS NOT NULL AND status <> 'cancelled' AND erased_at IS NULL AND reviewed_at IS NULL AS expected
                 FROM orchestration.verifications WHERE id >= $1 AND id < $2) v`,
      [uuidv7Floor(from.getTime()), uuidv7Floor(to.getTime()), this.clock.now()],
    );
    return row ?? NOTHING;
  }
}
