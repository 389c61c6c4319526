import { type FileHandle, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of lines, the first of which has this number; the others follow without gaps. */
export interface Segment {
  readonly first: number;
  readonly path: string;
  /** Bytes known to hold whole lines. */
  bytes: number;
}

/** No line of ours comes near it: fields are few and a stack has eight frames. */
export const MOST_LINE_BYTES = 64 * 1024;

const NAME = /^(\d{16})\.jsonl$/;
const LINE_END = 0x0a;

/** The files of the spool, oldest first. The last of them may be open for writing; one that was closed is never written again. */
export class Segments {
  readonly #all: Segment[] = [];
  #handle: FileHandle | undefined;

  private constructor(
    private readonly dir: string,
    private readonly segmentBytes: number,
  ) {}

  /** Finds what earlier runs left. A torn last line, which a crash can leave, counts for nothing. */
  static async open(dir: string, segmentBytes: number): Promise<{ segments: Segments; past: number }> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const segments = new Segments(dir, segmentBytes);
    for (const name of (await readdir(dir)).sort((a, b) => (a < b ? -1 : 1))) {
      const [, first] = NAME.exec(name) ?? [];
      if (first === undefined) continue;
      const path = join(dir, name);
      segments.#all.push({ first: Number(first), path, bytes: (await stat(path)).size });
    }
    const last = segments.#all.at(-1);
    const content = last === undefined ? Buffer.alloc(0) : await readFile(last.path);
    return { segments, past: (last?.first ?? 1) + content.filter((byte) => byte === LINE_END).length };
  }

  get all(): readonly Segment[] {
    return this.#all;
  }

  get bytes(): number {
    return this.#all.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Writes whole lines, the first of which has this number; all of them or, when it throws, as good as none. */
  async append(first: number, lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const segment = await this.current(first);
    try {
      await this.#handle?.appendFile(bytes);
      segment.bytes += bytes.length;
    } catch (error) {
      // A disk that fills up takes a part: what follows would be glued to it.
      await this.#handle?.truncate(segment.bytes).catch(() => undefined);
      await this.endCurrent();
      throw error;
    }
  }

  /** Removes the oldest, unless it is the only one. @returns the number of lines that went with it. */
  async removeOldest(): Promise<number> {
    const [oldest, next] = this.#all;
    if (oldest === undefined || next === undefined) return 0;
    this.#all.shift();
    await unlink(oldest.path).catch(() => undefined);
    return next.first - oldest.first;
  }

  async close(): Promise<void> {
    await this.endCurrent();
  }

  private async current(first: number): Promise<Segment> {
    const last = this.#all.at(-1);
    if (this.#handle !== undefined && last !== undefined && last.bytes < this.segmentBytes) return last;
    await this.endCurrent();
    const segment = { first, path: join(this.dir, `${String(first).padStart(16, '0')}.jsonl`), bytes: 0 };
    // Truncated: a file of this name holds nothing but lines that could not be written whole.
    this.#handle = await open(segment.path, 'w', 0o600);
    if (last?.first === first) this.#all.pop();
    this.#all.push(segment);
    return segment;
  }

  private async endCurrent(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }
}
