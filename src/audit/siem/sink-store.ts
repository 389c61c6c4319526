import type { Queries } from '../checkpoints/log-store.js';
import type { OutgoingRecord } from './lines.js';

/** Where a receiver stands, as any instance sees it. */
export interface Standing {
  name: string;
  nextSeq: number;
  /** Records with a number that it has not acknowledged. */
  lag: number;
  /** Age of the oldest of them, in seconds since it was durable; 0 without any. */
  lagSeconds: number;
  /** Whether an instance ships to it at present. */
  held: boolean;
  /** Kind of the last error; null when the last batch was acknowledged. */
  trouble: string | null;
  lastSentAt: string | null;
}

interface StandingRow {
  name: string;
  next_seq: string;
  lag: string;
  lag_seconds: string | null;
  held: boolean;
  trouble: string | null;
  sent_at: Date | null;
}

// The running total lets a batch end before it is too large without reading what does not go into it; one record always goes.
const BATCH_SQL = `SELECT seq, id, bytes FROM (
    SELECT seq, id, bytes, sum(length(bytes)) OVER (ORDER BY seq) - length(bytes) AS before
      FROM audit.log WHERE seq >= $1 AND seq < $2) AS next
  WHERE before < $3 ORDER BY seq`;
const STANDING_SQL = `SELECT c.name, c.next_seq, greatest(head.size - c.next_seq, 0) AS lag,
    extract(epoch FROM clock_timestamp() - log.recorded_at) AS lag_seconds,
    coalesce(c.held_until >= clock_timestamp(), false) AS held, c.trouble, c.sent_at
  FROM audit.sink_cursor c CROSS JOIN audit.head LEFT JOIN audit.log ON log.seq = c.next_seq
  WHERE c.name = ANY ($1)`;

/** Cursors of receivers, and the records they are to have. */
export class SinkStore {
  constructor(
    private readonly queries: Queries,
    /** Name of this run of the instance. */
    private readonly who: string,
  ) {}

  /** Makes the cursor of a receiver that is new. */
  async open(sink: string, fromNow: boolean): Promise<void> {
    await this.queries.rows({ text: 'SELECT audit.open_sink($1, $2)', values: [sink, fromNow] });
  }

  /**
   * Takes or keeps the right to ship, for `ms`.
   * @returns the number of the next record; undefined while another instance has the right.
   */
  async lease(sink: string, ms: number, trouble: string | undefined): Promise<number | undefined> {
    const [row] = await this.queries.rows<{ next_seq: string }>({
      name: 'lease-sink',
      text: 'SELECT next_seq FROM audit.lease_sink($1, $2, $3, $4)',
      values: [sink, this.who, ms, trouble ?? null],
    });
    return row && Number(row.next_seq);
  }

  /** Everything before `past` was acknowledged. @returns false when the right to ship is another's by now. */
  async move(sink: string, past: number): Promise<boolean> {
    const [row] = await this.queries.rows<{ moved: boolean }>({
      name: 'move-sink',
      text: 'SELECT audit.move_sink($1, $2, $3) AS moved',
      values: [sink, this.who, past],
    });
    return row?.moved === true;
  }

  async release(sink: string): Promise<void> {
    await this.queries.rows({ text: 'SELECT audit.release_sink($1, $2)', values: [sink, this.who] });
  }

  /** Records from `first` on up to `past`, as many as `bytes` hold and at least one. */
  async records(first: number, past: number, bytes: number): Promise<OutgoingRecord[]> {
    const rows = await this.queries.rows<{ seq: string; id: string; bytes: Buffer }>({
      name: 'ship-batch',
      text: BATCH_SQL,
      values: [first, past, bytes],
    });
    return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
  }

  async standings(sinks: readonly string[]): Promise<Standing[]> {
    const rows = await this.queries.rows<StandingRow>({ name: 'sinks', text: STANDING_SQL, values: [sinks] });
    return rows.map((row) => ({
      name: row.name,
      nextSeq: Number(row.next_seq),
      lag: Number(row.lag),
      lagSeconds: Math.max(0, Math.round(Number(row.lag_seconds ?? 0))),
      held: row.held,
      trouble: row.trouble,
      lastSentAt: row.sent_at?.toISOString() ?? null,
    }));
  }
}
