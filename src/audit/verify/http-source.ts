import { Agent, request } from 'undici';
import { parseCheckpoint } from '../checkpoints/checkpoint.js';
import { tilePath } from '../tree/tile-path.js';
import { TILE_WIDTH, type TileKey, tileName } from '../tree/tile-tree.js';
import { readBundle } from '../tiles/bundle.js';
import type { Claims, FoundCheckpoint, FoundEntry, LogSource } from './source.js';
import { BadLog } from './verdict.js';

export interface HttpSourceOptions {
  /** Where `checkpoint` and `tile/` stand, such as https://gateway.internal:9443/log. */
  url: string;
  /** Static bearer. */
  token?: string | undefined;
  /** PEM of a CA to trust beside the system's. */
  ca?: string | undefined;
}

const AT_ONCE = 16;
const TIMEOUT_MS = 30_000;
/** 256 entries of the largest kind with their lengths. */
const MOST_BYTES = TILE_WIDTH * (2 + 65_535);
/** Tiles of the upper levels are asked for again and again while the log is walked. */
const KEPT_TILES = 64;

/** A log served as C2SP tlog-tiles: ours or anybody's whose entries are our records. */
export class HttpSource implements LogSource {
  readonly #agent: Agent;
  readonly #base: string;
  readonly #kept = new Map<string, Buffer>();
  #checkpoint: FoundCheckpoint | undefined;
  #size = 0;

  constructor(private readonly options: HttpSourceOptions) {
    this.#base = options.url.replace(/\/*$/, '');
    this.#agent = new Agent({
      connections: AT_ONCE,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      maxResponseSize: MOST_BYTES,
      connect: { minVersion: 'TLSv1.2', ...(options.ca === undefined ? {} : { ca: options.ca }) },
    });
  }

  async open(): Promise<Claims> {
    const note = await this.get('checkpoint');
    if (note === undefined) throw new Error('the log has no checkpoint yet');
    const { origin, size, root } = readPublished(note.toString());
    this.#size = size;
    this.#checkpoint = { size, root: root.toString('hex'), note: note.toString(), chained: undefined };
    return { origin, size, root: root.toString('hex'), frontier: undefined, away: [], archived: [], names: undefined };
  }

  async entries(from: number, to: number): Promise<FoundEntry[]> {
    const bundles: Promise<FoundEntry[]>[] = [];
    for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < to; index += 1)
      bundles.push(this.bundle(index));
    return (await Promise.all(bundles)).flat().filter(({ seq }) => seq >= from && seq < to);
  }

  async tiles(keys: readonly TileKey[]): Promise<Map<string, Buffer>> {
    const found = await Promise.all(keys.map(async (key) => [tileName(key), await this.tile(key)] as const));
    return new Map(found.flatMap(([name, tile]) => (tile === undefined ? [] : [[name, tile]])));
  }

  /** Over HTTP the last one alone is published. */
  checkpoints(after: number, to: number): Promise<FoundCheckpoint[]> {
    const last = this.#checkpoint;
    return Promise.resolve(last !== undefined && last.size > after && last.size <= to ? [last] : []);
  }

  lastCheckpoint(): Promise<FoundCheckpoint | undefined> {
    return Promise.resolve(this.#checkpoint);
  }

  async keys(): Promise<string[]> {
    return ((await this.get('keys')) ?? '').toString().split('\n').filter(Boolean);
  }

  anchors(): Promise<[]> {
    return Promise.resolve([]);
  }

  end(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  waiting(): Promise<{ entries: []; next: undefined }> {
    return Promise.resolve({ entries: [], next: undefined });
  }

  places(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  strayPlace(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  private async bundle(index: number): Promise<FoundEntry[]> {
    const width = Math.min(TILE_WIDTH, this.#size - index * TILE_WIDTH);
    const bytes = await this.get(`tile/${tilePath({ level: 'entries', index, width })}`);
    if (bytes === undefined) return [];
    return readBundle(bytes).map((entry, at) => ({ seq: index * TILE_WIDTH + at, form: entry, beside: undefined }));
  }

  private async tile({ level, index }: TileKey): Promise<Buffer | undefined> {
    const width = Math.min(TILE_WIDTH, Math.floor(this.#size / TILE_WIDTH ** level) - index * TILE_WIDTH);
    if (width <= 0) return undefined;
    const path = tilePath({ level, index, width });
    const kept = this.#kept.get(path);
    if (kept !== undefined) return kept;
    const tile = await this.get(`tile/${path}`);
    if (tile !== undefined && level > 0) {
      if (this.#kept.size === KEPT_TILES) this.#kept.clear();
      this.#kept.set(path, tile);
    }
    return tile;
  }

  /** @returns undefined for what is not there. @throws when the log cannot be read */
  private async get(path: string): Promise<Buffer | undefined> {
    const { token } = this.options;
    const answer = await request(`${this.#base}/${path}`, {
      dispatcher: this.#agent,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    const body = Buffer.from(await answer.body.arrayBuffer());
    if (answer.statusCode === 404) return undefined;
    if (answer.statusCode !== 200) throw new Error(`the log answers ${answer.statusCode}`);
    return body;
  }
}

function readPublished(note: string): ReturnType<typeof parseCheckpoint> {
  try {
    return parseCheckpoint(note);
  } catch (error) {
    throw error instanceof TypeError
      ? new BadLog({ from: 0, to: 0 }, `its checkpoint is not good: ${error.message}`)
      : error;
  }
}
