import { Client } from 'pg';
import { PROJECTED } from './check-record.js';

export type Row = readonly (string | null)[];

/** What the head says, by which the log is held to account. */
export interface Head {
  origin: string | null;
  size: number;
  root: string;
  /** Hex; '' where there is no node. */
  frontier: string[];
}

const COLUMNS = PROJECTED.map((name) => `r.${name}`).join(', ');

/** Columns of a record's row before the projected ones, and after them. */
export const AT = { seq: 0, id: 1, bytes: 2, leafHash: 3, projected: 4, place: 4 + PROJECTED.length } as const;

const LOG_SQL = `SELECT r.seq, r.id, r.bytes, r.leaf_hash, ${COLUMNS}, place.seq
  FROM audit.log r LEFT JOIN audit.place ON place.id = r.id WHERE r.seq >= $1 AND r.seq < $2 ORDER BY r.seq`;
const INTAKE_SQL = `SELECT r.n, r.id, r.bytes, NULL, ${COLUMNS}, place.seq
  FROM audit.intake r LEFT JOIN audit.place ON place.id = r.id WHERE r.n > $1 ORDER BY r.n LIMIT $2`;
const TILE_SQL = `SELECT tile.level, tile.idx, tile.hashes FROM generate_series(0, 7) AS l
  JOIN audit.tile ON tile.level = l AND tile.idx BETWEEN ($1::bigint >> (8 * (l + 1))) AND ($2::bigint >> (8 * (l + 1)))`;
const HEAD_SQL = `SELECT origin, size, encode(root, 'hex'),
  (SELECT string_agg(encode(node, 'hex'), ',' ORDER BY n) FROM unnest(frontier) WITH ORDINALITY AS u (node, n)) FROM audit.head`;
const END_SQL = 'SELECT size, (SELECT max(seq) FROM audit.log), (SELECT count(*) FROM audit.head) FROM audit.head';

/** Everything comes as the text that Postgres prints: the verifier compares, and converts nothing it does not need. */
const AS_TEXT = { getTypeParser: () => (value: string) => value };

/**
 * Reads the log in short statements, each a transaction of its own: one long snapshot would keep the head's old versions alive and was
 * measured to cut commits to a ninth.
 */
export class LogReader {
  readonly #client: Client;

  constructor(url: string) {
    this.#client = new Client({
      connectionString: url,
      application_name: 'gatehouse-verify',
      statement_timeout: 120_000,
      // Plans must not depend on statistics that a fresh database has not gathered yet.
      options:
        '-c default_transaction_read_only=on -c TimeZone=UTC -c DateStyle=ISO -c bytea_output=hex -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c max_parallel_workers_per_gather=0',
    });
    this.#client.on('error', () => undefined);
  }

  async open(): Promise<void> {
    await this.#client.connect();
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  async head(): Promise<Head | undefined> {
    const [row] = await this.rows(HEAD_SQL, []);
    if (!row) return undefined;
    const [origin = null, size, root, frontier] = row;
    return { origin, size: Number(size), root: root ?? '', frontier: (frontier ?? '').split(',') };
  }

  /** Size of the head and number of the last record, in one snapshot. */
  async end(): Promise<{ size: number; last: number | null }> {
    const [row] = await this.rows(END_SQL, []);
    return { size: Number(row?.[0] ?? -1), last: row?.[1] == null ? null : Number(row[1]) };
  }

  records(from: number, to: number): Promise<Row[]> {
    return this.rows(LOG_SQL, [from, to]);
  }

  /** Records without a number, in order; `after` is the `n` of the last one read. */
  intake(after: string, most: number): Promise<Row[]> {
    return this.rows(INTAKE_SQL, [after, most]);
  }

  /** Tiles of every level over these records, by `level/index`. */
  async tiles(from: number, to: number): Promise<Map<string, Buffer>> {
    const rows = await this.rows(TILE_SQL, [from, Math.max(from, to - 1)]);
    return new Map(rows.map(([level, idx, hashes]) => [`${level}/${idx}`, bytesOf(hashes ?? null)]));
  }

  private async rows(text: string, values: (number | string)[]): Promise<Row[]> {
    const query = { text, values, rowMode: 'array' as const, types: AS_TEXT };
    const { rows } = await this.#client.query<(string | null)[]>(query);
    return rows;
  }
}

/** A bytea as Postgres prints it: `\x` and hex. */
export function bytesOf(text: string | null): Buffer {
  return Buffer.from((text ?? '').slice(2), 'hex');
}
