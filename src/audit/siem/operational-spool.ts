import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, createFileOnce, type Log, uuidv7 } from '../../platform/index.js';
import { lostLines } from './operational-line.js';
import { SpoolReader, type Spooled } from './operational-reader.js';
import { MOST_LINE_BYTES, Segments } from './operational-segments.js';

export interface SpoolParts {
  /** Folder of the spool, made where it is missing; of this instance alone. */
  dir: string;
  clock: Clock;
  log: Pick<Log, 'error' | 'info'>;
  /** Past this size on the disk the oldest lines are dropped, and counted. */
  mostBytes?: number;
  segmentBytes?: number;
  /** Bytes of lines that may wait for the disk in memory; past it lines are counted and not kept. */
  mostWaitingBytes?: number;
}

const MOST_BYTES = 64 * 1024 * 1024;
/** What is dropped at once when the spool is full. */
const SEGMENT_BYTES = 1024 * 1024;
const MOST_WAITING_BYTES = 4 * 1024 * 1024;
const RETRY_MS = 1_000;

/**
 * Lines of the operational log on their way to the SIEM, in files of the data folder, so that they outlast the receiver's outage and a
 * restart, and need no database. Lines are numbered; each sink has its own place among them (operational-reader.ts).
 *
 * A line is in the page cache soon after it was said and is not flushed to the disk one by one: it survives the process, not always a loss
 * of power. All that is lost otherwise is counted, in a line of its own.
 */
export class OperationalSpool implements Spooled {
  readonly #readers = new Map<string, SpoolReader>();
  #waiting: string[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failed = false;
  #closed = false;

  private constructor(
    private readonly parts: SpoolParts,
    /** Several instances ship to one receiver: each spool has a name of its own. */
    readonly id: string,
    readonly segments: Segments,
    private nextNumber: number,
  ) {}

  /** Goes on where the last run ended. */
  static async open(parts: SpoolParts): Promise<OperationalSpool> {
    const { segments, past } = await Segments.open(parts.dir, parts.segmentBytes ?? SEGMENT_BYTES);
    const idFile = join(parts.dir, 'id');
    await createFileOnce(idFile, uuidv7(parts.clock.epochMs()), 0o600);
    const id = (await readFile(idFile, 'utf8')).trim();
    // After a loss of power a cursor can be ahead of the lines: a number that a receiver knows must not be given to another line.
    return new OperationalSpool(parts, id, segments, Math.max(past, await lastCursor(parts.dir)));
  }

  /** Takes a line for every sink. Never throws and never waits. */
  accept(line: string): void {
    if (this.#closed) return;
    const text = line.trimEnd();
    const bytes = Buffer.byteLength(text) + 1;
    const most = this.parts.mostWaitingBytes ?? MOST_WAITING_BYTES;
    if (bytes > MOST_LINE_BYTES || this.#waitingBytes + bytes > most) {
      this.#lost += 1;
    } else {
      this.#waiting.push(text);
      this.#waitingBytes += bytes;
    }
    if (this.#retry === undefined) void this.flush();
  }

  /**
   * The place of one sink in the lines, by the sink's name; the same as in the last run. To be asked for before any sink ships: what all
   * known readers have behind them is dropped.
   */
  async reader(name: string): Promise<SpoolReader> {
    const reader = await SpoolReader.open(this, this.parts.dir, name, this.parts.clock);
    this.#readers.set(name, reader);
    return reader;
  }

  get past(): number {
    return this.nextNumber;
  }

  async trim(): Promise<void> {
    const done = Math.min(...[...this.#readers.values()].map(({ cursor }) => cursor));
    for (;;) {
      const [, next] = this.segments.all;
      if (next === undefined || next.first > done) return;
      await this.segments.removeOldest();
    }
  }

  /** Resolves when what was taken is written, or the disk has failed. */
  flush(): Promise<void> {
    this.#writing ??= this.write().finally(() => {
      this.#writing = undefined;
      // A line that came after the last look.
      if ((this.#waiting.length > 0 || this.#lost > 0) && this.#retry === undefined) void this.flush();
    });
    return this.#writing;
  }

  /** Takes no more, and writes what waits. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    await this.flush();
    clearTimeout(this.#retry);
    await this.segments.close();
  }

  private async write(): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    // Lines that come while the disk is busy go together in the next turn; the caller never waits for the first.
    await Promise.resolve();
    while (this.#waiting.length > 0 || this.#lost > 0) {
      const lines = this.#waiting;
      const lost = this.#lost;
      const group = lost > 0 ? [...lines, lostLines(lost, this.parts.clock)] : lines;
      this.#waiting = [];
      this.#waitingBytes = 0;
      this.#lost = 0;
      try {
        await this.segments.append(this.nextNumber, group);
        this.nextNumber += group.length;
        await this.bound();
        if (this.#failed) this.parts.log.info('lines of the operational log are kept for the SIEM again');
        this.#failed = false;
      } catch (error) {
        this.putBack(lines, lost);
        if (!this.#failed) this.parts.log.error('lines of the operational log cannot be kept for the SIEM', { error });
        this.#failed = true;
        this.#retry = setTimeout(() => void this.flush(), RETRY_MS).unref();
        return;
      }
    }
  }

  private putBack(lines: readonly string[], lost: number): void {
    this.#waiting = [...lines, ...this.#waiting];
    this.#waitingBytes += lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    this.#lost += lost;
  }

  private async bound(): Promise<void> {
    let count = 0;
    while (this.segments.all.length > 1 && this.segments.bytes > (this.parts.mostBytes ?? MOST_BYTES))
      count += await this.segments.removeOldest();
    if (count > 0)
      this.parts.log.error('the oldest lines kept for the SIEM were dropped: their spool is full', { count });
  }
}

async function lastCursor(dir: string): Promise<number> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.cursor'));
  const cursors = await Promise.all(names.map(async (name) => Number(await readFile(join(dir, name), 'utf8'))));
  return Math.max(1, ...cursors.filter((cursor) => Number.isSafeInteger(cursor)));
}
