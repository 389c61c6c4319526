import { Client } from 'pg';
import { sqlState } from '../connection.js';
import { type TileKey, tileName } from '../tree/tile-tree.js';
import { PROJECTED } from './check-record.js';
import type { Claims, FoundAnchor, FoundCheckpoint, FoundEntry, LogSource, Named, WaitingEntry } from './source.js';

type Row = readonly (string | null)[];

/** One text a record, and not one for each column: making those cost the driver, and dropping them the collector, more than the comparison. */
const COLUMNS = `array_to_json(ARRAY[${['id', ...PROJECTED].map((name) => `r.${name}::text`).join(', ')}])`;

const AT = { seq: 0, form: 1, leafHash: 2, columns: 3, place: 4 } as const;

/** As text where they are UTF-8, which records are: half as much to send, and nothing to convert on either side. */
const AS_UTF8 = `convert_from(r.bytes, 'UTF8')`;
const AS_BYTES = 'r.bytes';

const logSql = (form: string): string => `SELECT r.seq, ${form}, r.leaf_hash, ${COLUMNS}, place.seq
  FROM audit.log r LEFT JOIN audit.place ON place.id = r.id WHERE r.seq >= $1 AND r.seq < $2 ORDER BY r.seq`;
const intakeSql = (form: string): string => `SELECT r.n, ${form}, NULL, ${COLUMNS}, place.seq
  FROM audit.intake r LEFT JOIN audit.place ON place.id = r.id WHERE r.n > $1 ORDER BY r.n LIMIT $2`;
const TILES_SQL = `SELECT tile.level, tile.idx, tile.hashes FROM unnest($1::smallint[], $2::bigint[]) AS asked (level, idx)
  JOIN audit.tile ON tile.level = asked.level AND tile.idx = asked.idx`;
const HEAD_SQL = `SELECT origin, size, encode(root, 'hex'),
  (SELECT string_agg(encode(node, 'hex'), ',' ORDER BY n) FROM unnest(frontier) WITH ORDINALITY AS u (node, n)),
  (SELECT json_agg(json_build_object('first', first, 'name', name) ORDER BY first) FROM audit.origin) FROM audit.head`;
const ARCHIVED_SQL = `SELECT archived.first, archived.past, encode(archived.root, 'hex'), encode(archived.manifest_sha256, 'hex'), away.first
  FROM audit.archived LEFT JOIN audit.away ON away.first = archived.first ORDER BY archived.first`;
const PAGE_OF_PLACES = 'SELECT id, seq FROM audit.place WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $3';
const PLACES_SQL = `WITH page AS (${PAGE_OF_PLACES})
  SELECT count(*), count(*) FILTER (WHERE seq < $2), min(seq) FILTER (WHERE seq < 0 OR seq >= (SELECT size FROM audit.head)),
         max(id::text COLLATE "C") FROM page`;
const STRAY_PLACE_SQL = `SELECT place.seq FROM audit.place LEFT JOIN audit.log ON log.seq = place.seq
  WHERE place.seq < $1 AND log.id IS DISTINCT FROM place.id
    AND NOT EXISTS (SELECT FROM audit.away WHERE place.seq >= away.first AND place.seq < away.past) LIMIT 1`;
/** Head and tiles in one snapshot: a tile grows with the head. Of each level only what lies at the end of the tree or behind it is read. */
const END_SQL = `SELECT size, (SELECT max(seq) FROM audit.log), long.level, long.idx
  FROM audit.head LEFT JOIN LATERAL (
    SELECT tile.level, tile.idx FROM generate_series(0, 7) AS l, LATERAL (SELECT size >> 8 * l AS nodes) AS has, audit.tile
     WHERE tile.level = l::smallint AND tile.idx >= nodes >> 8
       AND (tile.idx > nodes >> 8 OR length(tile.hashes) > (nodes & 255) * 32) LIMIT 1) AS long ON true`;
const CHECKPOINT_COLUMNS = `size, encode(root, 'hex'), note, n, encode(chain, 'hex')`;
const CHECKPOINTS_SQL = `SELECT ${CHECKPOINT_COLUMNS} FROM audit.checkpoint WHERE size > $1 AND size <= $2 ORDER BY size`;
const ANCHORS_SQL = `SELECT anchor.size, checkpoint.note, anchor.token FROM audit.anchor
  LEFT JOIN audit.checkpoint ON checkpoint.size = anchor.size WHERE anchor.size > $1 ORDER BY anchor.size LIMIT $2`;
const LAST_CHECKPOINT_SQL = `SELECT ${CHECKPOINT_COLUMNS} FROM audit.checkpoint WHERE size <= $1 ORDER BY size DESC LIMIT 1`;

/** SQLSTATE character_not_in_repertoire. */
const NOT_UTF8 = '22021';

/** Everything comes as the text that Postgres prints: the verifier compares, and converts nothing it does not need. */
const AS_TEXT = { getTypeParser: () => (value: string) => value };

/**
 * The log in Postgres, read in short statements, each a transaction of its own: one long snapshot would keep the head's old versions
 * alive and was measured to cut commits to a ninth.
 */
export class DatabaseSource implements LogSource {
  readonly #client: Client;
  /** Records come by a connection of their own: what else is asked of a chunk need not wait for them. */
  readonly #reader: Client;

  constructor(url: string) {
    this.#client = connection(url);
    this.#reader = connection(url);
  }

  async open(): Promise<Claims | undefined> {
    await Promise.all([this.#client.connect(), this.#reader.connect()]);
    const [row] = await this.rows(HEAD_SQL, []);
    if (!row) return undefined;
    const [origin = null, size, root, frontier, names] = row;
    const spans = (await this.rows(ARCHIVED_SQL, [])).map(([first, past, endRoot, manifest, gone]) => ({
      first: Number(first),
      past: Number(past),
      root: endRoot ?? '',
      manifest: manifest ?? '',
      gone: gone !== null,
    }));
    return {
      origin,
      size: Number(size),
      root: root ?? '',
      frontier: (frontier ?? '').split(','),
      away: spans.filter(({ gone }) => gone),
      archived: spans,
      names: JSON.parse(names ?? '[]') as Named[],
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#client, this.#reader].map((client) => client.end().catch(() => undefined)));
  }

  async end(): Promise<{ size: number; last: number | null; longTile: TileKey | null }> {
    const [row] = await this.rows(END_SQL, []);
    const [size, last, level, index] = row?.map((value) => (value === null ? null : Number(value))) ?? [];
    const longTile = level == null || index == null ? null : { level, index };
    return { size: size ?? -1, last: last ?? null, longTile };
  }

  async entries(from: number, to: number): Promise<FoundEntry[]> {
    const { rows, formOf } = await this.records(logSql, [from, to]);
    return rows.map((row) => ({
      seq: Number(row[AT.seq]),
      form: formOf(row[AT.form]),
      beside: {
        leafHash: (row[AT.leafHash] ?? '').slice(2),
        columns: row[AT.columns] ?? '',
        place: row[AT.place] == null ? undefined : Number(row[AT.place]),
      },
    }));
  }

  async waiting(after: string, most: number): Promise<{ entries: WaitingEntry[]; next: string | undefined }> {
    const { rows, formOf } = await this.records(intakeSql, [after, most]);
    const entries = rows.map((row) => ({
      form: formOf(row[AT.form]),
      columns: row[AT.columns] ?? '',
      placed: row[AT.place] != null,
    }));
    return { entries, next: rows.length < most ? undefined : (rows.at(-1)?.[AT.seq] ?? undefined) };
  }

  /** Bytes that are no UTF-8, which only somebody else can have written there, are asked for as they are. */
  private async records(
    sql: (form: string) => string,
    values: (number | string)[],
  ): Promise<{ rows: Row[]; formOf: (form: string | null | undefined) => Buffer | string }> {
    try {
      return { rows: await this.rows(sql(AS_UTF8), values, this.#reader), formOf: (form) => form ?? '' };
    } catch (error) {
      if (sqlState(error) !== NOT_UTF8) throw error;
      return { rows: await this.rows(sql(AS_BYTES), values, this.#reader), formOf: bytesOf };
    }
  }

  async tiles(keys: readonly TileKey[]): Promise<Map<string, Buffer>> {
    const rows = await this.rows(TILES_SQL, [keys.map(({ level }) => level), keys.map(({ index }) => index)]);
    return new Map(
      rows.map(([level, idx, hashes]) => [tileName({ level: Number(level), index: Number(idx) }), bytesOf(hashes)]),
    );
  }

  async checkpoints(after: number, to: number): Promise<FoundCheckpoint[]> {
    return (await this.rows(CHECKPOINTS_SQL, [after, to])).map(foundCheckpoint);
  }

  async lastCheckpoint(size: number): Promise<FoundCheckpoint | undefined> {
    return (await this.rows(LAST_CHECKPOINT_SQL, [size])).map(foundCheckpoint)[0];
  }

  async anchors(after: number, most: number): Promise<FoundAnchor[]> {
    return (await this.rows(ANCHORS_SQL, [after, most])).map(([size, note, token]) => ({
      size: Number(size),
      note: note ?? '',
      token: bytesOf(token),
    }));
  }

  async keys(): Promise<string[]> {
    return (await this.rows('SELECT vkey FROM audit.log_key ORDER BY vkey', [])).map(([vkey]) => vkey ?? '');
  }

  async places(
    after: string | null,
    size: number,
    most: number,
  ): Promise<{ count: number; beyond: number | null; next: string | undefined }> {
    const [row] = await this.rows(PLACES_SQL, [after, size, most]);
    const [all, count, beyond, last] = row ?? [];
    return {
      count: Number(count),
      beyond: beyond == null ? null : Number(beyond),
      next: Number(all) < most ? undefined : (last ?? undefined),
    };
  }

  async strayPlace(size: number): Promise<number | undefined> {
    const [row] = await this.rows(STRAY_PLACE_SQL, [size]);
    return row && Number(row[0]);
  }

  private async rows(
    text: string,
    values: (number | string | null | number[])[],
    client = this.#client,
  ): Promise<Row[]> {
    const query = { text, values, rowMode: 'array' as const, types: AS_TEXT };
    const { rows } = await client.query<(string | null)[]>(query);
    return rows;
  }
}

function connection(url: string): Client {
  const client = new Client({
    connectionString: url,
    application_name: 'gatehouse-verify',
    statement_timeout: 120_000,
    // Plans must not depend on statistics that a fresh database has not gathered yet.
    options:
      '-c default_transaction_read_only=on -c TimeZone=UTC -c DateStyle=ISO -c bytea_output=hex -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c max_parallel_workers_per_gather=0',
  });
  client.on('error', () => undefined);
  return client;
}

function foundCheckpoint([size, root, note, n, chain]: Row): FoundCheckpoint {
  return { size: Number(size), root: root ?? '', note: note ?? '', chained: { n: Number(n), chain: chain ?? '' } };
}

/** A bytea as Postgres prints it: `\x` and hex. */
function bytesOf(text: string | null | undefined): Buffer {
  return Buffer.from((text ?? '').slice(2), 'hex');
}
