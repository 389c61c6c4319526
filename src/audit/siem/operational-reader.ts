import { hash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, writeFileAtomically } from '../../platform/index.js';
import { lostLines, operationalLine } from './operational-line.js';
import { MOST_LINE_BYTES, type Segment, type Segments } from './operational-segments.js';
import type { ShippedLine } from './sink.js';

/** Lines to ship, and the number after the last of them. */
export interface SpoolBatch {
  lines: ShippedLine[];
  past: number;
}

/** What a reader sees of the spool. */
export interface Spooled {
  /** Names the spool in the ids of its lines. */
  readonly id: string;
  readonly segments: Segments;
  /** Number of the next line to be written. */
  readonly past: number;
  /** Drops what every reader has behind it. */
  trim(): Promise<void>;
}

const MOST_LINES = 500;
/** Read at once; at least one whole line. */
const READ_BYTES = 4 * MOST_LINE_BYTES;
const LINE_END = 0x0a;

/** One sink's place in the spool, kept in a file: what it had confirmed is not shipped again after a restart, and all the rest is. */
export class SpoolReader {
  /** Where a line at or before the cursor begins, so that no file is read from its beginning twice. */
  #place: { segment: Segment; number: number; offset: number } | undefined;

  private constructor(
    private readonly spool: Spooled,
    private readonly path: string,
    private readonly clock: Clock,
    private next: number,
  ) {}

  /** A sink that is new begins with the oldest line that there is. */
  static async open(spool: Spooled, dir: string, name: string, clock: Clock): Promise<SpoolReader> {
    // Names are an operator's: the digest keeps apart what is cut away.
    const file = `${name.replace(/[^\w-]/g, '').slice(0, 32)}-${hash('sha256', name, 'hex').slice(0, 8)}.cursor`;
    const path = join(dir, file);
    const kept = Number(await readFile(path, 'utf8').catch(() => '0'));
    const reader = new SpoolReader(spool, path, clock, Number.isSafeInteger(kept) ? kept : 0);
    if (reader.next < 1) await reader.moveTo(spool.segments.all[0]?.first ?? spool.past);
    return reader;
  }

  /** Number of the first line that is not confirmed. */
  get cursor(): number {
    return this.next;
  }

  /** The next lines, or one line that counts those that are gone; the same until they are confirmed. Undefined when there are none. */
  async batch(): Promise<SpoolBatch | undefined> {
    const segments = this.spool.segments.all;
    const index = segments.findLastIndex(({ first }) => first <= this.next);
    const [segment, later] = index < 0 ? [undefined, segments[0]] : [segments[index], segments[index + 1]];
    const lines = segment === undefined ? [] : await this.read(segment, later?.first ?? this.spool.past);
    if (lines.length > 0) return { lines, past: this.next + lines.length };
    // Dropped with its file, or torn off the end of one.
    return later === undefined ? undefined : this.gone(later.first);
  }

  /** The lines before this number are with the receiver: on the disk when it resolves. */
  async confirm(past: number): Promise<void> {
    await this.moveTo(past);
    await this.spool.trim();
  }

  private async moveTo(number: number): Promise<void> {
    await writeFileAtomically(this.path, String(number), 0o600);
    this.next = number;
  }

  private gone(past: number): SpoolBatch {
    const text = lostLines(past - this.next, this.clock);
    return { lines: [operationalLine(`${this.idOf(this.next)}-${past}`, text, this.clock)], past };
  }

  private async read(segment: Segment, end: number): Promise<ShippedLine[]> {
    const most = Math.min(end - this.next, MOST_LINES);
    if (most <= 0) return [];
    const file = await open(segment.path, 'r');
    try {
      const texts = await this.texts(file, segment, most);
      return texts.map((text, n) => operationalLine(this.idOf(this.next + n), text, this.clock));
    } finally {
      await file.close();
    }
  }

  private async texts(file: FileHandle, segment: Segment, most: number): Promise<string[]> {
    let place = this.#place;
    if (place?.segment !== segment || place.number > this.next) place = { segment, number: segment.first, offset: 0 };
    const texts: string[] = [];
    for (;;) {
      const bytes = Buffer.alloc(Math.min(READ_BYTES, segment.bytes - place.offset));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, place.offset);
      const begin: number = place.offset;
      let from = 0;
      for (let to = bytes.indexOf(LINE_END); to >= 0 && to < bytesRead; to = bytes.indexOf(LINE_END, from)) {
        if (texts.length === most) break;
        if (place.number >= this.next) texts.push(bytes.toString('utf8', from, to));
        else place = { segment, number: place.number + 1, offset: begin + to + 1 };
        from = to + 1;
      }
      this.#place = place;
      if (texts.length > 0 || from === 0) return texts;
    }
  }

  private idOf(number: number): string {
    return `log-${this.spool.id}-${number}`;
  }
}
