import type { Queries } from '../checkpoints/log-store.js';
import { appendParameters, type Entry } from '../batcher.js';
import type { Stamp } from './authority.js';

/** A time stamp as it is shown. */
export interface Anchor {
  /** Of the checkpoint that was stamped. */
  size: number;
  authority: string;
  genTime: string;
  /** Base64 of the TimeStampToken (RFC 3161). */
  token: string;
}

/** The last checkpoint, while it has no time stamp and the last stamp is old enough. */
const DUE_SQL = `
  SELECT checkpoint.size, checkpoint.note FROM audit.checkpoint
   WHERE checkpoint.size > coalesce((SELECT max(anchor.size) FROM audit.anchor), 0)
     AND NOT EXISTS (SELECT FROM audit.anchor WHERE anchor.kept_at > clock_timestamp() - make_interval(secs => $1))
   ORDER BY checkpoint.size DESC LIMIT 1`;
/** Arbitrary but fixed: one instance asks at a time. */
const LOCK = 4_711_202_613;

/** Time stamps of checkpoints in Postgres. */
export class AnchorStore {
  constructor(private readonly queries: Queries) {}

  /** For as long as the session lasts, and only on a connection of one session. @returns whether it was free */
  async lock(): Promise<boolean> {
    const [row] = await this.queries.rows<{ locked: boolean }>({
      text: 'SELECT pg_try_advisory_lock($1) AS locked',
      values: [LOCK],
    });
    return row?.locked === true;
  }

  async unlock(): Promise<void> {
    await this.queries.rows({ text: 'SELECT pg_advisory_unlock($1)', values: [LOCK] });
  }

  /** The checkpoint that is to be stamped now. */
  async due(everyMs: number): Promise<{ size: number; note: string } | undefined> {
    const values = [everyMs / 1_000];
    const [row] = await this.queries.rows<{ size: string; note: string }>({ text: DUE_SQL, values });
    return row && { size: Number(row.size), note: row.note };
  }

  /** The stamp and the record of it, both or neither. @returns false when there was one of this size */
  async keep(size: number, { authority, genTime, token }: Stamp, record: Entry): Promise<boolean> {
    const [row] = await this.queries.rows<{ added: number | null }>({
      text: `SELECT CASE WHEN audit.keep_anchor($4, $5, $6, $7) THEN audit.append($1::uuid[], $2::bytea[], $3::bytea[]) END AS added`,
      values: [...appendParameters([record]), size, authority, genTime, token],
    });
    return row?.added === 1;
  }

  /** Newest first. @param below sizes below this one */
  async list(limit: number, below: number | undefined): Promise<Anchor[]> {
    const rows = await this.queries.rows<{ size: string; authority: string; gen_time: Date; token: Buffer }>({
      text: `SELECT size, authority, gen_time, token FROM audit.anchor
              WHERE $2::bigint IS NULL OR size < $2 ORDER BY size DESC LIMIT $1`,
      values: [limit, below ?? null],
    });
    return rows.map(({ size, authority, gen_time: at, token }) => ({
      size: Number(size),
      authority,
      genTime: at.toISOString(),
      token: token.toString('base64'),
    }));
  }
}
