import type { QueryConfig, QueryResultRow } from 'pg';
import { type TileKey, tileName, type TileSource } from '../tree/tile-tree.js';
import { type Checkpoint, isSigned, parseCheckpoint } from './checkpoint.js';
import type { ChainLink } from './kept-checkpoint.js';
import type { NoteVerifier } from './note.js';

/** Rows of one statement: the pool of the house, or a connection of the log's own. */
export interface Queries {
  rows<R extends QueryResultRow>(query: QueryConfig): Promise<R[]>;
}

export interface Tip {
  origin: string;
  size: number;
  root: Buffer;
  /** The last checkpoint there is. */
  checkpoint: { size: number; root: Buffer; note: string; ageMs: number; link: ChainLink } | undefined;
}

interface TipRow {
  origin: string;
  size: string;
  root: Buffer;
  signed_size: string | null;
  signed_root: Buffer;
  note: string;
  n: string;
  chain: string;
  age_ms: string;
}

const TIP_SQL = `SELECT head.origin, head.size, head.root, last.size AS signed_size, last.root AS signed_root, last.note,
    last.n, encode(last.chain, 'hex') AS chain,
    extract(epoch FROM clock_timestamp() - last.signed_at) * 1000 AS age_ms
  FROM audit.head LEFT JOIN (SELECT * FROM audit.checkpoint ORDER BY size DESC LIMIT 1) AS last ON true`;
const TILES_SQL = `SELECT tile.level, tile.idx, tile.hashes FROM unnest($1::smallint[], $2::bigint[]) AS asked (level, idx)
  JOIN audit.tile ON tile.level = asked.level AND tile.idx = asked.idx`;

const BEFORE_SQL = 'SELECT size, note FROM audit.checkpoint WHERE size < $1 ORDER BY size DESC LIMIT $2';
/** Notes read at a time to find one whose signature is good; and all that are: more are a flood that an alarm tells of. */
const PAGE = 64;
const MOST_PASSED = 1_024;

/** The log's tree and checkpoints in Postgres. */
export class LogStore implements TileSource {
  /** The last note that was found good: looking at its signature costs more than all the rest. */
  #good: string | undefined;

  /** @param believed keys of which a published note must bear a good signature; without any, every note is taken */
  constructor(
    private readonly queries: Queries,
    private readonly believed: readonly NoteVerifier[] = [],
  ) {}

  async tip(): Promise<Tip | undefined> {
    const [row] = await this.queries.rows<TipRow>({ name: 'tip', text: TIP_SQL });
    if (row === undefined) return undefined;
    return {
      origin: row.origin,
      size: Number(row.size),
      root: row.root,
      checkpoint:
        row.signed_size === null
          ? undefined
          : {
              size: Number(row.signed_size),
              root: row.signed_root,
              note: row.note,
              ageMs: Number(row.age_ms),
              link: { n: Number(row.n), size: Number(row.signed_size), chain: row.chain },
            },
    };
  }

  /**
   * The last checkpoint that may be handed out: whoever can write to the database can publish a note whose signature is not good, which no
   * reader is ever given.
   */
  async published(): Promise<Checkpoint | undefined> {
    const last = (await this.tip())?.checkpoint;
    let notes = last === undefined ? [] : [{ size: last.size, note: last.note }];
    for (let passed = 0; notes.length > 0 && passed < MOST_PASSED; passed += notes.length) {
      const good = notes.find(({ note }) => this.isGood(note));
      if (good !== undefined) return parseCheckpoint(good.note);
      notes = await this.before(notes.at(-1)?.size ?? 0);
    }
    return undefined;
  }

  private isGood(note: string): boolean {
    if (this.believed.length === 0 || note === this.#good) return true;
    const good = isSigned(note, this.believed);
    if (good) this.#good = note;
    return good;
  }

  private async before(size: number): Promise<{ size: number; note: string }[]> {
    const rows = await this.queries.rows<{ size: string; note: string }>({ text: BEFORE_SQL, values: [size, PAGE] });
    return rows.map((row) => ({ size: Number(row.size), note: row.note }));
  }

  async tiles(keys: readonly TileKey[]): Promise<Map<string, Buffer>> {
    const rows = await this.queries.rows<{ level: number; idx: string; hashes: Buffer }>({
      name: 'tiles',
      text: TILES_SQL,
      values: [keys.map(({ level }) => level), keys.map(({ index }) => index)],
    });
    return new Map(rows.map(({ level, idx, hashes }) => [tileName({ level, index: Number(idx) }), hashes]));
  }

  /** The hash that chains the checkpoints up to this number; hex. */
  async chainAt(n: number): Promise<string | undefined> {
    const [row] = await this.queries.rows<{ chain: string }>({
      name: 'chain-at',
      text: `SELECT encode(chain, 'hex') AS chain FROM audit.checkpoint WHERE n = $1`,
      values: [n],
    });
    return row?.chain;
  }

  /** How many checkpoints there are, the size of the last and the hash that chains them all. */
  async chain(): Promise<{ n: number; size: number; chain: string } | undefined> {
    const [row] = await this.queries.rows<{ n: string; size: string; chain: Buffer }>({
      text: 'SELECT n, size, chain FROM audit.checkpoint ORDER BY size DESC LIMIT 1',
    });
    return row && { n: Number(row.n), size: Number(row.size), chain: row.chain.toString('hex') };
  }

  /** The first checkpoint of at least this size. */
  async checkpointFrom(size: number): Promise<{ size: number; note: string } | undefined> {
    const [row] = await this.queries.rows<{ size: string; note: string }>({
      text: 'SELECT size, note FROM audit.checkpoint WHERE size >= $1 ORDER BY size LIMIT 1',
      values: [size],
    });
    return row && { size: Number(row.size), note: row.note };
  }

  /** @returns false when one of this size or a larger one was there. */
  async keep({ size, root, note }: Checkpoint): Promise<boolean> {
    const [row] = await this.queries.rows<{ kept: boolean }>({
      text: 'SELECT audit.keep_checkpoint($1, $2, $3) AS kept',
      values: [size, root, note],
    });
    return row?.kept === true;
  }

  async keys(): Promise<string[]> {
    const rows = await this.queries.rows<{ vkey: string }>({
      text: 'SELECT vkey FROM audit.log_key ORDER BY since, vkey',
    });
    return rows.map(({ vkey }) => vkey);
  }
}
