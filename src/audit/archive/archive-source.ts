import type { Queries } from '../checkpoints/log-store.js';

/** A run of records, from `first` up to but not including `past`. */
export interface Span {
  first: number;
  past: number;
}

export interface AwaySpan extends Span {
  /** Hex. */
  manifestSha256: string;
  /** Detached, and not yet dropped. */
  undropped: boolean;
}

export interface SourceRecord {
  bytes: Buffer;
  /** Microseconds since 1970. */
  recordedAt: bigint;
}

const RECORDS_SQL = `SELECT bytes, (extract(epoch FROM recorded_at) * 1000000)::bigint AS recorded_at
  FROM audit.log WHERE seq >= $1 AND seq < $2 ORDER BY seq`;
const CHECKPOINTS_SQL = 'SELECT size, note FROM audit.checkpoint WHERE size > $1 AND size <= $2 ORDER BY size LIMIT $3';
/** Some hundred kilobytes. */
const MOST_CHECKPOINTS = 500;

/** What an archive is made of, read in short statements: a long snapshot would keep old versions of the head alive. */
export class ArchiveSource {
  constructor(private readonly queries: Queries) {}

  async partitions(): Promise<(Span & { archived: boolean })[]> {
    const rows = await this.queries.rows<{ first: string; past: string; archived: boolean }>({
      text: `SELECT partition.first, partition.past, archived.first IS NOT NULL AS archived
               FROM audit.partition LEFT JOIN audit.archived USING (first) ORDER BY 1`,
    });
    return rows.map(({ first, past, archived }) => ({ first: Number(first), past: Number(past), archived }));
  }

  /** What the archive has and the database has not at present. */
  async away(): Promise<AwaySpan[]> {
    const rows = await this.queries.rows<{ first: string; past: string; manifest: string; undropped: boolean }>({
      text: `SELECT first, past, encode(manifest_sha256, 'hex') AS manifest, undropped FROM audit.away ORDER BY first`,
    });
    return rows.map(({ first, past, manifest, undropped }) => ({
      first: Number(first),
      past: Number(past),
      manifestSha256: manifest,
      undropped,
    }));
  }

  /** The archive in which a run of records stands, whether they are away or were restored; hex. */
  async archived(first: number): Promise<string | undefined> {
    const [row] = await this.queries.rows<{ manifest: string }>({
      text: `SELECT encode(manifest_sha256, 'hex') AS manifest FROM audit.archived WHERE first = $1`,
      values: [first],
    });
    return row?.manifest;
  }

  async records({ first, past }: Span): Promise<SourceRecord[]> {
    const rows = await this.queries.rows<{ bytes: Buffer; recorded_at: string }>({
      name: 'archive-records',
      text: RECORDS_SQL,
      values: [first, past],
    });
    return rows.map((row) => ({ bytes: row.bytes, recordedAt: BigInt(row.recorded_at) }));
  }

  /** Notes of sizes beyond `after` and up to `to`, a page at a time. */
  async *checkpoints(after: number, to: number): AsyncGenerator<string[]> {
    for (let last = after; ;) {
      const rows = await this.queries.rows<{ size: string; note: string }>({
        name: 'archive-checkpoints',
        text: CHECKPOINTS_SQL,
        values: [last, to, MOST_CHECKPOINTS],
      });
      if (rows.length > 0) yield rows.map(({ note }) => note);
      if (rows.length < MOST_CHECKPOINTS) return;
      last = Number(rows.at(-1)?.size ?? to);
    }
  }
}
