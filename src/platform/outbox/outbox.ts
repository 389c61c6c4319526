import type { Database, Tx } from '../database/database.js';

/** Something noticed that may be part of an incident. Allow-listed detail only: no personal data, no secrets. */
export interface Signal {
  at: Date;
  /** `<module>.<what>`, such as `vendor.failed`. */
  kind: string;
  /** What it is about, such as `didit`. */
  subject: string;
  recordId?: string;
  detail?: Record<string, string | number | boolean>;
}

export interface StoredSignal extends Signal {
  n: string;
}

/** The outbox between modules: written in the transaction of what it tells, read with a cursor by whoever listens. */
export class Outbox {
  constructor(private readonly database: Database) {}

  async tell(tx: Tx, signal: Signal): Promise<void> {
    await tx.query('INSERT INTO platform.signals (at, kind, subject, record_id, detail) VALUES ($1, $2, $3, $4, $5)', [
      signal.at,
      signal.kind,
      signal.subject,
      signal.recordId ?? null,
      signal.detail ?? {},
    ]);
  }

  /** Signals of one kind since an instant, oldest first, at most `limit`. */
  async since(kind: string, from: Date, limit: number): Promise<StoredSignal[]> {
    const rows = await this.database.query<{
      n: string;
      at: Date;
      kind: string;
      subject: string;
      record_id: string | null;
      detail: Record<string, string>;
    }>(
      'SELECT n, at, kind, subject, record_id, detail FROM platform.signals WHERE kind = $1 AND at >= $2 ORDER BY n LIMIT $3',
      [kind, from, limit],
    );
    return rows.map(({ record_id, ...row }) => (record_id === null ? row : { ...row, recordId: record_id }));
  }

  /** How many signals of a kind about a subject there are since an instant, and when the last one was. */
  async tally(kind: string, subject: string, from: Date): Promise<{ count: number; lastAt: Date | null }> {
    const [row] = await this.database.query<{ count: number; last_at: Date | null }>(
      `SELECT count(*)::integer AS count, max(at) AS last_at FROM platform.signals
        WHERE kind = $1 AND at >= $3 AND subject = $2`,
      [kind, subject, from],
    );
    return { count: row?.count ?? 0, lastAt: row?.last_at ?? null };
  }

  /** Drops what every reader has long passed. */
  async prune(before: Date): Promise<void> {
    await this.database.query('DELETE FROM platform.signals WHERE at < $1', [before]);
  }
}
