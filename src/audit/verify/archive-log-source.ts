import type { ArchiveReader } from '../archive/archive-reader.js';
import { BadArchive } from '../archive/errors.js';
import { parseCheckpoint } from '../checkpoints/checkpoint.js';
import type { TileKey } from '../tree/tile-tree.js';
import type { Claims, FoundCheckpoint, FoundEntry, LogSource } from './source.js';
import { BadLog } from './verdict.js';

/** An archive as a log of which a part is there: its records stand under the checkpoint that lies beside them. */
export class ArchiveLogSource implements LogSource {
  readonly #last: FoundCheckpoint;
  readonly #origin: string;
  #checkpoints: FoundCheckpoint[] | undefined;

  /** @throws TypeError when its checkpoint is none */
  constructor(private readonly archive: ArchiveReader) {
    this.#origin = parseCheckpoint(archive.checkpointNote).origin;
    this.#last = foundIn(archive.checkpointNote);
  }

  /** The records that are there. */
  get span(): { first: number; past: number } {
    return this.archive.manifest;
  }

  /**
   * Why a checkpoint of this size cannot be compared with the archive: it has the tiles of its own part alone, and says nothing about a log
   * that was shorter, or has grown since.
   */
  incomparable(size: number): string | undefined {
    const { first, past } = this.span;
    const own = this.#last.size;
    if (size === own || (size > first && size <= past)) return undefined;
    const what = size > own ? 'is newer than the archive' : 'is of another part of the log';
    return `${what} (${size} records): the archive can be compared with one of ${first + 1} to ${past} records, or of ${own}`;
  }

  open(): Promise<Claims> {
    const { size, root } = this.#last;
    return Promise.resolve({
      origin: this.#origin,
      size,
      root,
      frontier: undefined,
      away: [],
      archived: [],
      names: undefined,
    });
  }

  entries(from: number, to: number): Promise<FoundEntry[]> {
    return this.read(from, to, async () => {
      const found: FoundEntry[] = [];
      for await (const { seq, bytes } of this.archive.entries(from, to))
        found.push({ seq, form: bytes, beside: undefined });
      return found;
    });
  }

  tiles(keys: readonly TileKey[]): Promise<ReadonlyMap<string, Buffer>> {
    const { first, past } = this.span;
    return this.read(first, past, () => this.archive.tiles(keys));
  }

  async checkpoints(after: number, to: number): Promise<FoundCheckpoint[]> {
    const { first, past } = this.span;
    this.#checkpoints ??= await this.read(first, past, async () => {
      const found: FoundCheckpoint[] = [];
      for await (const note of this.archive.checkpoints()) found.push(foundIn(note));
      return found;
    });
    return this.#checkpoints.filter(({ size }) => size > after && size <= to);
  }

  lastCheckpoint(): Promise<FoundCheckpoint> {
    return Promise.resolve(this.#last);
  }

  keys(): Promise<string[]> {
    return Promise.resolve([...this.archive.keys]);
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
    return Promise.resolve();
  }

  private async read<T>(from: number, to: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof BadArchive ? new BadLog({ from, to }, error.message) : error;
    }
  }
}

function foundIn(note: string): FoundCheckpoint {
  const { size, root } = parseCheckpoint(note);
  return { size, root: root.toString('hex'), note, chained: undefined };
}
