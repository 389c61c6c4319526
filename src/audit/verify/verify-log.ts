import { setImmediate as turn } from 'node:timers/promises';
import type { ChainLink } from '../checkpoints/kept-checkpoint.js';
import { type NoteVerifier, noteVerifier } from '../checkpoints/note.js';
import { EMPTY_ROOT, Frontier, HASH_BYTES, leafHash } from '../tree/merkle.js';
import { verifyInclusion } from '../tree/proofs.js';
import { MissingTile, TILE_WIDTH, type TileKey, TileTree } from '../tree/tile-tree.js';
import { checkPlaces, NameCheck, StatedRoots } from './beside-check.js';
import { CheckpointCheck, readTrusted, type Trusted } from './checkpoint-check.js';
import { checkAnchors } from './anchor-check.js';
import { checkBeside, type Members, readRecord } from './check-record.js';
import { DatabaseSource } from './database-source.js';
import type { Claims, FoundCheckpoint, FoundEntry, LogSource } from './source.js';
import { BadLog, type Verdict } from './verdict.js';

export interface VerifyOptions {
  /** First record to look at; without `from` and `to` the whole log, which alone lets every checkpoint be recomputed. */
  from?: number | undefined;
  /** Past the last record to look at. */
  to?: number | undefined;
  /** Public keys that are believed (C2SP vkeys); without any, those that the log itself tells. */
  keys?: readonly string[] | undefined;
  /** A checkpoint from elsewhere that the log must still extend: found is also a log that was rewritten as a whole, or rolled back. */
  trustedCheckpoint?: string | undefined;
  /** Place in the chain of a checkpoint that was seen before: found is also one that was taken out, be it the newest. */
  keptLink?: ChainLink | undefined;
  /** PEM of the roots of time-stamping authorities that are believed; without them time stamps are not looked at. */
  anchorRoots?: string | undefined;
  onProgress?: ((done: number, size: number) => void) | undefined;
}

/** Four tiles: what is read ahead is dropped before the collector moves it to where dropping is dear. More was measured to be slower. */
const CHUNK = 1_024;
const LEVELS = 8;
const PAGE = 4_096;

interface Chunk {
  first: number;
  past: number;
  entries: FoundEntry[];
  tiles: ReadonlyMap<string, Buffer>;
  checkpoints: FoundCheckpoint[];
}

interface Node {
  tileLevel: number;
  index: number;
  hash: Buffer;
}

/**
 * Recomputes the log in a database from the stored bytes. @see verifySource
 * @throws when the database cannot be read; TypeError on an option that is none
 */
export function verifyLog(url: string, options: VerifyOptions = {}): Promise<Verdict> {
  return verifySource(new DatabaseSource(url), options);
}

/**
 * Recomputes a log from its records' bytes: form, leaf hashes, search columns, numbers, tiles, root, checkpoints with their signatures, and
 * the records that wait for a number. It runs beside writers: what it holds the log to is the head as it stood at the beginning.
 * Without a trusted checkpoint it cannot see a log rewritten as a whole by someone who has the signing key as well.
 * @throws when the source cannot be read; TypeError on an option that is none, RangeError on a part without a record
 */
export async function verifySource(source: LogSource, options: VerifyOptions = {}): Promise<Verdict> {
  const startedAt = performance.now();
  const keys = (options.keys ?? []).map(noteVerifier);
  const { from = 0, to = from + 1 } = options;
  if (to <= from) throw new RangeError('a part of the log has at least one record');
  const trusted = options.trustedCheckpoint === undefined ? undefined : readTrusted(options.trustedCheckpoint, keys);
  try {
    const verdict = await new Verification(source, options, keys, trusted).run();
    return { ...verdict, seconds: Math.round(performance.now() - startedAt) / 1000 };
  } finally {
    await source.close();
  }
}

class Verification {
  #nodes: Node[] = [];
  readonly #frontier = new Frontier((level, index, hash) => {
    // A leaf was held against its tile where it was read.
    if (level > 0 && level % LEVELS === 0) this.#nodes.push({ tileLevel: level / LEVELS, index, hash });
  });
  #claims: Claims = { origin: null, size: 0, root: '', frontier: undefined, away: [], archived: [], names: undefined };
  #checkpoints = new CheckpointCheck([], []);
  #names = new NameCheck(undefined);
  #stated = new StatedRoots([], undefined);
  /** Name of the log at the record reached; undefined before the first. */
  #origin: string | undefined;
  #waiting = 0;
  #anchors = 0;
  private from = 0;
  private to = 0;
  /** Without the whole log there is no root to recompute. */
  private whole = true;

  constructor(
    private readonly source: LogSource,
    private readonly options: VerifyOptions,
    private readonly keys: readonly NoteVerifier[],
    private readonly trusted: Trusted | undefined,
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
      origin: this.#claims.origin,
      size: this.#claims.size,
      root: this.whole ? this.#frontier.root().toString('hex') : (this.#claims.root ?? ''),
      part: this.whole ? null : { from: this.from, to: this.to },
      checkpoints: this.#checkpoints.count,
      anchors: this.#anchors,
      firstBad: bad?.where ?? null,
      reason: bad?.reason ?? null,
      waiting: this.#waiting,
      archived: this.#claims.away.reduce((sum, { first, past }) => sum + past - first, 0),
      seconds: 0,
    };
  }

  /** What is to be looked at, once the size is known. Asked for at every record, so it is not worked out there. */
  private settle(size: number): void {
    this.from = Math.min(Math.max(this.options.from ?? 0, 0), size);
    this.to = Math.min(this.options.to ?? size, size);
    this.whole = this.from === 0 && this.to === size;
  }

  /** A part that is not there is not a part that holds: it may be what was cut off. */
  private mustReach(size: number): void {
    const { from = 0, to = Math.max(size, from + 1) } = this.options;
    const asked = this.options.from !== undefined || this.options.to !== undefined;
    if (asked && to > size) throw new BadLog({ from: Math.max(from, size), to }, 'they are not in the log');
  }

  private async verify(): Promise<void> {
    const claims = await this.source.open();
    if (claims === undefined) throw new BadLog({ from: 0, to: 0 }, 'the head of the log is gone');
    if (claims.origin === null && claims.size > 0) throw new BadLog({ from: 0, to: 0 }, 'its name is gone');
    this.#claims = claims;
    this.mustReach(claims.size);
    this.settle(claims.size);
    this.#checkpoints = new CheckpointCheck(this.keys, await this.source.keys(), this.options.keptLink);
    this.#names = new NameCheck(claims.names);
    if (this.trusted !== undefined && this.trusted.size > claims.size)
      throw new BadLog(
        { from: claims.size, to: this.trusted.size },
        'they are missing: a trusted checkpoint covers them',
      );
    if (this.whole) this.#stated = new StatedRoots(claims.archived, this.trusted);
    await this.walk();
    if (this.whole) await this.root();
    else await this.rootFromTiles();
    await this.end();
    await this.intake();
    const { anchorRoots } = this.options;
    if (anchorRoots !== undefined) this.#anchors = await checkAnchors(this.source, anchorRoots);
    if (this.whole) await this.beside();
  }

  /** What the database keeps beside the records. */
  private async beside(): Promise<void> {
    const { archived, away, origin, size } = this.#claims;
    this.#checkpoints.checkArchived(archived, away);
    this.#names.end(size, origin, (seq) => this.isAway(seq));
    await checkPlaces(this.source, size, away);
  }

  /** The next chunk is on its way while this one is computed. */
  private async walk(): Promise<void> {
    const { from, to } = this;
    let next = this.chunk(from);
    for (let first = from; first < to;) {
      const chunk = await next;
      next = this.chunk(chunk.past);
      // Its failure is met where it is awaited.
      next.catch(() => undefined);
      await this.checkChunk(chunk);
      first = chunk.past;
      this.options.onProgress?.(first - from, to - from);
    }
    await next;
  }

  private async chunk(first: number): Promise<Chunk> {
    if (first >= this.to) return { first, past: first, entries: [], tiles: new Map(), checkpoints: [] };
    const past = Math.min((Math.floor(first / CHUNK) + 1) * CHUNK, this.to);
    const gone = this.isAway(first) && this.isAway(past - 1);
    const [entries, tiles, checkpoints] = await Promise.all([
      gone ? [] : this.source.entries(first, past),
      this.source.tiles(tilesOver(first, past, this.#claims.size)),
      this.source.checkpoints(first, past),
    ]);
    return { first, past, entries, tiles, checkpoints };
  }

  private async checkChunk({ first, past, entries, tiles, checkpoints }: Chunk): Promise<void> {
    let at = 0;
    let tile: Buffer | undefined;
    for (let seq = first; seq < past; seq += 1) {
      // Lets the next chunk in while this one is computed: the server waits for whoever does not read.
      if (seq % TILE_WIDTH === 0) await turn();
      if (seq === first || seq % TILE_WIDTH === 0) tile = tiles.get(`0/${Math.floor(seq / TILE_WIDTH)}`);
      let leaf = hashAt(tile, seq % TILE_WIDTH);
      if (!this.isAway(seq)) {
        const entry = entries[at];
        if (entry?.seq !== seq) throw new BadLog({ seq }, 'it is missing');
        at += 1;
        leaf = this.checkEntry(entry, leaf);
      } else if (leaf === undefined) throw new BadLog({ seq }, 'its hash is missing from the tree');
      else this.#origin = this.#names.at(seq) ?? this.#origin;
      if (this.whole) this.#frontier.add(leaf);
      else if (seq % TILE_WIDTH === 0 || seq === first) await this.checkPlace(seq, leaf);
      while (checkpoints[0]?.size === seq + 1) await this.hold(checkpoints.shift());
      if (this.#stated.next === seq + 1) this.#stated.compare(this.#frontier.root());
    }
    this.checkNodes(tiles);
  }

  private checkEntry({ seq, form, beside }: FoundEntry, inTree: Buffer | undefined): Buffer {
    const leaf = leafHash(form);
    if (beside !== undefined && leaf.toString('hex') !== beside.leafHash)
      throw new BadLog({ seq }, 'its bytes do not give its leaf hash');
    const record = readRecord(form);
    const wrong =
      record === undefined ? 'its bytes are not the canonical JSON of an object' : this.wrongRecord(record, seq);
    if (record === undefined || wrong !== undefined) throw new BadLog({ seq }, wrong ?? '');
    if (beside !== undefined) {
      const apart = checkBeside(record, beside.columns);
      if (apart !== undefined) throw new BadLog({ seq }, apart);
      if (beside.place !== seq) throw new BadLog({ seq }, 'its id is noted for another number');
    }
    if (inTree === undefined || !inTree.equals(leaf))
      throw new BadLog({ seq }, 'its leaf hash is not the one in the tree');
    if (this.whole) this.#checkpoints.told(record, seq);
    return leaf;
  }

  /** The log has one name; a record that tells of a new one comes after a restore. */
  private wrongRecord(record: Members, seq: number): string | undefined {
    if (record['v'] !== 1) return 'its version is not 1';
    const { origin, kind } = record;
    if (origin !== (this.#origin ?? origin)) {
      const detail = record['detail'] as Members | undefined;
      if (kind !== 'log.origin' || detail?.['previous'] !== this.#origin) return 'its origin is not that of the log';
    }
    if (origin !== this.#origin) this.#names.began(String(origin), seq);
    this.#origin = String(origin);
    const { size, origin: claimed } = this.#claims;
    if (seq === size - 1 && origin !== (claimed ?? origin)) return 'its origin is not that of the log';
    return undefined;
  }

  private async hold(found: FoundCheckpoint | undefined): Promise<void> {
    if (found === undefined) return;
    if (this.whole) this.#checkpoints.hold(found, this.#origin, this.#frontier.root());
    else this.#checkpoints.holdAlone(found, await this.rootAt(found.size), false);
  }

  /** Upper tiles: when leaves agree with theirs and a node does not, all that is known is the span beneath it. */
  private checkNodes(tiles: ReadonlyMap<string, Buffer>): void {
    for (const { tileLevel, index, hash } of this.#nodes) {
      const tile = tiles.get(`${tileLevel}/${Math.floor(index / TILE_WIDTH)}`);
      if (hashAt(tile, index % TILE_WIDTH)?.equals(hash) === true) continue;
      const span = TILE_WIDTH ** tileLevel;
      throw new BadLog(
        { from: index * span, to: (index + 1) * span },
        `they do not give the hash in a tile of level ${tileLevel}`,
      );
    }
    this.#nodes = [];
  }

  private async root(): Promise<void> {
    const { size, root, frontier } = this.#claims;
    const whole = { from: 0, to: size };
    if (root !== undefined && this.#frontier.root().toString('hex') !== root)
      throw new BadLog(whole, 'they do not give the root of the head');
    if (frontier !== undefined) {
      const expected = this.#frontier.nodes().map((node) => node?.toString('hex') ?? '');
      const stored = [...frontier];
      while (stored.at(-1) === '') stored.pop();
      if (expected.join() !== stored.join()) throw new BadLog(whole, 'they do not give the frontier of the head');
    }
    if (size === 0 && root !== EMPTY_ROOT.toString('hex')) throw new BadLog(whole, 'an empty log has another root');
    this.#checkpoints.end();
    if (this.#checkpoints.count === 0) await this.mustBeSigned();
  }

  /** Whoever rewrites a whole log without its key has only to take out what the key signed. The last checkpoint of an empty log is met here too. */
  private async mustBeSigned(): Promise<void> {
    const { size } = this.#claims;
    const last = await this.source.lastCheckpoint(size);
    if (last !== undefined) this.#checkpoints.holdAlone(last, await this.rootAt(last.size), true);
    else if (size > 0 && this.keys.length > 0)
      throw new BadLog({ from: 0, to: size }, 'no checkpoint covers any of them');
  }

  /** Of a part: the tiles must give the roots that the head, the last checkpoint and a trusted one state. */
  private async rootFromTiles(): Promise<void> {
    const { size, root } = this.#claims;
    if (root !== undefined && (await this.rootAt(size)).toString('hex') !== root)
      throw new BadLog({ from: 0, to: size }, 'the tiles do not give the root');
    const { trusted } = this;
    if (trusted !== undefined && !(await this.rootAt(trusted.size)).equals(trusted.root))
      throw new BadLog({ from: 0, to: trusted.size }, 'the tiles do not give the root of the trusted checkpoint');
    const last = await this.source.lastCheckpoint(size);
    if (last !== undefined) this.#checkpoints.holdAlone(last, await this.rootAt(last.size), true);
    else if (this.keys.length > 0) throw new BadLog({ from: 0, to: size }, 'no checkpoint covers any of them');
  }

  private rootAt(to: number): Promise<Buffer> {
    return this.tree((tree) => tree.root(to), { from: 0, to });
  }

  private isAway(seq: number): boolean {
    return this.#claims.away.some(({ first, past }) => seq >= first && seq < past);
  }

  /** Of a part: that its leaves stand under the root, a tile at a time. */
  private async checkPlace(seq: number, leaf: Buffer): Promise<void> {
    const { size, root = '' } = this.#claims;
    const proof = await this.tree((tree) => tree.inclusion(seq, size), { from: seq, to: seq + 1 });
    if (!verifyInclusion(seq, size, leaf, proof, Buffer.from(root, 'hex')))
      throw new BadLog(
        { from: seq, to: Math.min(seq + TILE_WIDTH, size) },
        'they do not stand under the root of the head',
      );
  }

  private async tree<T>(ask: (tree: TileTree) => Promise<T>, where: { from: number; to: number }): Promise<T> {
    try {
      return await ask(new TileTree(this.source));
    } catch (error) {
      throw error instanceof MissingTile ? new BadLog(where, error.message) : error;
    }
  }

  /** Nothing may stand beyond the head, no checkpoint either, and the head may not have gone back meanwhile. */
  private async end(): Promise<void> {
    const now = await this.source.end();
    if (now === undefined) return;
    const { size, last, longTile } = now;
    if (size < this.#claims.size)
      throw new BadLog({ from: Math.max(size, 0), to: this.#claims.size }, 'the head went back');
    if ((last ?? -1) >= size) throw new BadLog({ seq: size }, 'it stands beyond the head');
    if (longTile !== null)
      throw new BadLog({ from: size, to: size }, `a tile of level ${longTile.level} goes on where the log has ended`);
    const [beyond] = await this.source.checkpoints(size, Number.MAX_SAFE_INTEGER);
    if (beyond !== undefined && beyond.size > ((await this.source.end())?.size ?? 0))
      throw new BadLog({ from: size, to: beyond.size }, 'they are missing: a checkpoint covers them');
  }

  private async intake(): Promise<void> {
    const where = { from: this.#claims.size, to: this.#claims.size };
    for (let after: string | undefined = '-1'; after !== undefined;) {
      const { entries, next } = await this.source.waiting(after, PAGE);
      for (const { form, columns, placed } of entries) {
        const record = readRecord(form);
        const wrong = record === undefined ? 'its bytes are no record' : checkBeside(record, columns);
        if (wrong !== undefined) throw new BadLog(where, `a record that waits for its number: ${wrong}`);
        if (record !== undefined) this.#checkpoints.toldArchived(record);
        if (placed) throw new BadLog(where, 'a record that waits for its number has one already');
      }
      this.#waiting += entries.length;
      after = next;
    }
  }
}

/** Tiles of every level over these records of a log of this size. */
function tilesOver(first: number, past: number, size: number): TileKey[] {
  const keys: TileKey[] = [];
  for (let level = 0; level < LEVELS; level += 1) {
    const span = TILE_WIDTH ** (level + 1);
    if (level > 0 && size < TILE_WIDTH ** level) break;
    for (let index = Math.floor(first / span); index <= Math.floor((past - 1) / span); index += 1)
      keys.push({ level, index });
  }
  return keys;
}

function hashAt(tile: Buffer | undefined, index: number): Buffer | undefined {
  const hash = tile?.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  return hash?.length === HASH_BYTES ? hash : undefined;
}
