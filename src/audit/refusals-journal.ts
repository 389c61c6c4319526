import { type FileHandle, mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Log, uuidv7 } from '../platform/index.js';
import { canonical } from './canonical.js';
import { sha256 } from './tree/merkle.js';

/** A call that was refused because it could not be recorded: who knocked and where, nothing personal. */
export interface Refusal {
  at: string;
  /** Id of the call, which its caller was given as `Gatehouse-Record`. */
  call: string;
  client?: string | undefined;
  method: string;
  /** Template of the route. */
  route: string;
  status: number;
}

export interface JournalParts {
  /** Folder of the journals, made where it is missing. */
  dir: string;
  instance: string;
  clock: Clock;
  log: Pick<Log, 'error' | 'info' | 'warn'>;
  /** Past this size refusals are only counted. */
  mostBytes?: number;
}

const MOST_BYTES = 16 * 1024 * 1024;
/** Counted refusals get one line as often as this. */
const COUNT_EVERY_NS = 10_000_000_000n;
/** The line before the first. */
export const NO_LINE = '0'.repeat(64);

/** `<UUIDv7>.<instance>.<pid>.jsonl` is being written by that process; with `.closed` it waits to be drained. */
const NAME = /^([0-9a-f-]{36})\.(.+)\.(\d+)(\.closed)?\.jsonl$/;

/** A journal that nobody writes any more. */
export interface ClosedJournal {
  path: string;
  /** UUIDv7 of its beginning. */
  id: string;
  /** Who wrote it. */
  instance: string;
}

/**
 * What an instance writes when the log cannot be written: one line of canonical JSON a refusal, numbered, holding the hash of the line
 * before it, and flushed to the disk before `note` resolves. It is bounded: when it is full, lines that count stand for the rest. Once
 * records can be written again the file is closed and drained into the log (journal-drain.ts); the next file goes on with the chain.
 */
export class RefusalsJournal {
  readonly #mostBytes: number;
  #file: { handle: FileHandle; path: string } | undefined;
  #bytes = 0;
  #n = 0;
  #last = NO_LINE;
  #lines: string[] = [];
  #uncounted = 0;
  #uncountedFrom = '';
  #uncountedTo = '';
  #countedAt = 0n;
  #writing: Promise<void> | undefined;
  #failed = false;

  constructor(private readonly parts: JournalParts) {
    this.#mostBytes = parts.mostBytes ?? MOST_BYTES;
  }

  get dir(): string {
    return this.parts.dir;
  }

  /** Whether there is anything to drain from this run of the instance. */
  get empty(): boolean {
    return this.#file === undefined && this.#lines.length === 0 && this.#uncounted === 0;
  }

  /** Whether the last lines could not be written. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Resolves when the line is on the disk, or counted; a disk that fails is told to the operational log and refuses nobody. */
  async note(refusal: Refusal): Promise<void> {
    if (this.empty) this.parts.log.error('records cannot be written: calls are refused and noted in the journal');
    if (this.#bytes >= this.#mostBytes) this.count(refusal.at);
    else this.line({ ...refusal });
    await this.flush();
  }

  /**
   * Ends the file, with what was only counted as its last line, and puts it among those to drain. Lines that come later begin another.
   */
  async close(): Promise<void> {
    if (this.#uncounted > 0) this.countLine();
    while (this.#lines.length > 0 || this.#writing) await this.flush();
    // Nothing is left to write: whether the disk takes the next line is not known yet.
    this.#failed = false;
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    this.#bytes = 0;
    await file.handle.close();
    await rename(file.path, file.path.replace(/\.jsonl$/, '.closed.jsonl'));
  }

  /**
   * Closes what instances that are no more have left open, so that it is drained too.
   * @returns every closed journal of the folder, oldest first.
   */
  async closed(isAlive: (pid: number) => boolean): Promise<ClosedJournal[]> {
    const found: ClosedJournal[] = [];
    const names = await readdir(this.dir).catch(() => []);
    for (const name of names.sort((a, b) => (a < b ? -1 : 1))) {
      const [, id, instance, pid, closed] = NAME.exec(name) ?? [];
      if (id === undefined || instance === undefined) continue;
      let path = join(this.dir, name);
      if (closed === undefined) {
        const ours = instance === this.parts.instance && Number(pid) === process.pid;
        if (ours || isAlive(Number(pid))) continue;
        const open = path;
        path = open.replace(/\.jsonl$/, '.closed.jsonl');
        await rename(open, path);
      }
      found.push({ path, id, instance });
    }
    return found;
  }

  private line(members: Record<string, string | number | undefined>): void {
    this.#n += 1;
    const line = canonical({ ...members, n: this.#n, prev: this.#last });
    this.#last = sha256(Buffer.from(line)).toString('hex');
    this.#bytes += Buffer.byteLength(line) + 1;
    this.#lines.push(line);
  }

  private count(at: string): void {
    this.#uncounted += 1;
    this.#uncountedFrom ||= at;
    this.#uncountedTo = at;
    if (this.parts.clock.monotonic() - this.#countedAt >= COUNT_EVERY_NS) this.countLine();
  }

  private countLine(): void {
    this.#countedAt = this.parts.clock.monotonic();
    this.line({ more: this.#uncounted, from: this.#uncountedFrom, to: this.#uncountedTo });
    this.#uncounted = 0;
    this.#uncountedFrom = '';
  }

  /** Group commit: lines that gather while the disk is busy go together, in the write after that. */
  private async flush(): Promise<void> {
    await this.#writing;
    if (this.#lines.length > 0) {
      this.#writing ??= this.write().finally(() => {
        this.#writing = undefined;
      });
    }
    await this.#writing;
  }

  private async write(): Promise<void> {
    const lines = this.#lines;
    this.#lines = [];
    try {
      this.#file ??= await this.openFile();
      await this.#file.handle.appendFile(`${lines.join('\n')}\n`);
      await this.#file.handle.datasync();
      this.#failed = false;
    } catch (error) {
      if (!this.#failed)
        this.parts.log.error('the journal of refusals cannot be written', { error, count: lines.length });
      this.#failed = true;
    }
  }

  private async openFile(): Promise<{ handle: FileHandle; path: string }> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const path = join(this.dir, `${uuidv7(this.parts.clock.epochMs())}.${this.parts.instance}.${process.pid}.jsonl`);
    const handle = await open(path, 'ax', 0o600);
    // The name is durable only once the folder is (fsync(2)).
    const folder = await open(this.dir, 'r');
    await folder.sync();
    await folder.close();
    return { handle, path };
  }
}
