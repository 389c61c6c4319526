import { setImmediate as turn } from 'node:timers/promises';
import { EMPTY_ROOT, Frontier, HASH_BYTES, leafHash } from '../tree/merkle.js';
import { checkRecord } from './check-record.js';
import { AT, bytesOf, type Head, LogReader, type Row } from './log-reader.js';
import { BadLog, type Verdict } from './verdict.js';

export interface VerifyOptions {
  /** First record to look at; without `from` and `to` the whole log, which alone lets the root be recomputed. */
  from?: number | undefined;
  /** Past the last record to look at. */
  to?: number | undefined;
  onProgress?: ((done: number, size: number) => void) | undefined;
}

/** Sixteen tiles: a few megabytes, some tens of milliseconds. */
const CHUNK = 4_096;
const TILE = 256;

interface Node {
  tileLevel: number;
  index: number;
  hash: Buffer;
}

/**
 * Recomputes the log from the stored bytes: form, leaf hashes, search columns, numbers, tiles, root, and the records that wait for a
 * number. It runs beside writers: what it holds the log to is the head as it stood at the beginning.
 * What it cannot see is a log rewritten as a whole, head and tiles included: that takes a checkpoint kept elsewhere.
 * @throws when the database cannot be read
 */
export async function verifyLog(url: string, options: VerifyOptions = {}): Promise<Verdict> {
  const startedAt = performance.now();
  const reader = new LogReader(url);
  await reader.open();
  try {
    const verdict = await new Verification(reader, options).run();
    return { ...verdict, seconds: Math.round(performance.now() - startedAt) / 1000 };
  } finally {
    await reader.close();
  }
}

class Verification {
  #nodes: Node[] = [];
  readonly #frontier = new Frontier((level, index, hash) => {
    if (level % 8 === 0) this.#nodes.push({ tileLevel: level / 8, index, hash });
  });
  #head: Head = { origin: null, size: 0, root: '', frontier: [] };
  #waiting = 0;

  constructor(
    private readonly reader: LogReader,
    private readonly options: VerifyOptions,
  ) {}

  async run(): Promise<Verdict> {
    try {
      await this.verify();
      return this.verdict(null);
    } catch (error) {
      if (error instanceof BadLog) return this.verdict(error);
      throw error;
    }
  }

  private verdict(bad: BadLog | null): Verdict {
    return {
      ok: bad === null,
      origin: this.#head.origin,
      size: this.#head.size,
      root: this.partial ? this.#head.root : this.#frontier.root().toString('hex'),
      checkpoints: 0,
      firstBad: bad?.where ?? null,
      reason: bad?.reason ?? null,
      waiting: this.#waiting,
      seconds: 0,
    };
  }

  private get from(): number {
    return Math.min(Math.max(this.options.from ?? 0, 0), this.#head.size);
  }

  private get to(): number {
    return Math.min(this.options.to ?? this.#head.size, this.#head.size);
  }

  /** Without the whole log there is no root to compare. */
  private get partial(): boolean {
    return this.from > 0 || this.to < this.#head.size;
  }

  private async verify(): Promise<void> {
    const head = await this.reader.head();
    if (head === undefined) throw new BadLog({ from: 0, to: 0 }, 'the head of the log is gone');
    this.#head = head;
    await this.records();
    if (!this.partial) this.root();
    await this.end();
    await this.intake();
  }

  /** The next chunk is on its way while this one is computed. */
  private async records(): Promise<void> {
    const { from, to } = this;
    let next = this.chunk(from);
    for (let first = from; first < to;) {
      const [rows, tiles] = await next;
      const past = this.chunkEnd(first);
      next = this.chunk(past);
      // Its failure is met where it is awaited.
      next.catch(() => undefined);
      await this.checkChunk(rows, tiles, first, past);
      first = past;
      this.options.onProgress?.(first - from, to - from);
    }
    await next;
  }

  private chunkEnd(first: number): number {
    return Math.min((Math.floor(first / CHUNK) + 1) * CHUNK, this.to);
  }

  private async chunk(first: number): Promise<[Row[], Map<string, Buffer>]> {
    if (first >= this.to) return [[], new Map()];
    const past = this.chunkEnd(first);
    return Promise.all([this.reader.records(first, past), this.reader.tiles(first, past)]);
  }

  private async checkChunk(rows: Row[], tiles: Map<string, Buffer>, first: number, past: number): Promise<void> {
    for (let seq = first; seq < past; seq += 1) {
      // Lets the next chunk in while this one is computed: the server waits for whoever does not read.
      if (seq % TILE === 0) await turn();
      const row = rows[seq - first];
      if (row === undefined || Number(row[AT.seq]) !== seq) throw new BadLog({ seq }, 'it is missing');
      const bytes = bytesOf(row[AT.bytes] ?? null);
      const leaf = leafHash(bytes);
      if (!leaf.equals(bytesOf(row[AT.leafHash] ?? null)))
        throw new BadLog({ seq }, 'its bytes do not give its leaf hash');
      const wrong = checkRecord(bytes, row[AT.id] ?? null, this.#head.origin, row, AT.projected);
      if (wrong !== undefined) throw new BadLog({ seq }, wrong);
      if (Number(row[AT.place] ?? -1) !== seq) throw new BadLog({ seq }, 'its id is noted for another number');
      const tile = tiles.get(`0/${Math.floor(seq / TILE)}`);
      if (!isAt(tile, seq % TILE, leaf)) throw new BadLog({ seq }, 'its leaf hash is not the one in the tree');
      if (!this.partial) this.#frontier.add(leaf);
    }
    this.checkNodes(tiles);
  }

  /** Upper tiles: when leaves agree with theirs and a node does not, all that is known is the span beneath it. */
  private checkNodes(tiles: Map<string, Buffer>): void {
    for (const { tileLevel, index, hash } of this.#nodes) {
      const tile = tiles.get(`${tileLevel}/${Math.floor(index / TILE)}`);
      if (isAt(tile, index % TILE, hash)) continue;
      const span = TILE ** tileLevel;
      throw new BadLog(
        { from: index * span, to: (index + 1) * span },
        `they do not give the hash in a tile of level ${tileLevel}`,
      );
    }
    this.#nodes = [];
  }

  private root(): void {
    const { size, root, frontier } = this.#head;
    const whole = { from: 0, to: size };
    if (this.#frontier.root().toString('hex') !== root)
      throw new BadLog(whole, 'they do not give the root of the head');
    const expected = this.#frontier.nodes().map((node) => node?.toString('hex') ?? '');
    const stored = frontier.map((node) => node);
    while (stored.at(-1) === '') stored.pop();
    if (expected.join() !== stored.join()) throw new BadLog(whole, 'they do not give the frontier of the head');
    if (size === 0 && root !== EMPTY_ROOT.toString('hex')) throw new BadLog(whole, 'an empty log has another root');
  }

  /** Nothing may stand beyond the head, and the head may not have gone back meanwhile. */
  private async end(): Promise<void> {
    const { size, last } = await this.reader.end();
    if (size < this.#head.size)
      throw new BadLog({ from: Math.max(size, 0), to: this.#head.size }, 'the head went back');
    if ((last ?? -1) >= size) throw new BadLog({ seq: size }, 'it stands beyond the head');
  }

  private async intake(): Promise<void> {
    const where = { from: this.#head.size, to: this.#head.size };
    let after = '-1';
    for (;;) {
      const rows = await this.reader.intake(after, CHUNK);
      for (const row of rows) {
        const wrong = checkRecord(
          bytesOf(row[AT.bytes] ?? null),
          row[AT.id] ?? null,
          this.#head.origin,
          row,
          AT.projected,
        );
        if (wrong !== undefined) throw new BadLog(where, `a record that waits for its number: ${wrong}`);
        if (row[AT.place] != null) throw new BadLog(where, 'a record that waits for its number has one already');
      }
      this.#waiting += rows.length;
      const last = rows.at(-1)?.[AT.seq];
      if (last == null || rows.length < CHUNK) return;
      after = last;
    }
  }
}

function isAt(tile: Buffer | undefined, index: number, hash: Buffer): boolean {
  return tile !== undefined && tile.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES).equals(hash);
}
