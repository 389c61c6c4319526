import { readFile, unlink } from 'node:fs/promises';
import type { Log } from '../platform/index.js';
import type { AuditLog } from './audit-log.js';
import type { CanonicalValue } from './canonical.js';
import { sqlState } from './connection.js';
import { derivedId } from './derived-id.js';
import { sha256 } from './tree/merkle.js';
import type { RecordInput } from './record.js';
import { type ClosedJournal, NO_LINE, type RefusalsJournal } from './refusals-journal.js';

/** How often it is looked whether refusals can be brought in: nobody else's records may pass by the batcher, whose commits tell sooner. */
const LOOK_EVERY_MS = 1_000;
/** Refusals in one record: well under 64 KiB. */
const LINES = 150;

/** One line as it was read, with the verdict on its place in the chain. */
interface Line {
  text: string;
  hash: string;
  members: Record<string, CanonicalValue>;
  intact: boolean;
}

/** Lines of a journal with the chain followed; a torn last line, which a crash can leave, is left out. */
export function readJournal(text: string): Line[] {
  const lines: Line[] = [];
  let before: string | undefined;
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue;
    const members = parse(line);
    const previous = members?.['prev'];
    // The first line of a file may go on with the chain of the file before it.
    const intact =
      members !== undefined && typeof previous === 'string' && (before === undefined || previous === before);
    before = sha256(Buffer.from(line)).toString('hex');
    lines.push({ text: line, hash: before, members: members ?? {}, intact });
  }
  return lines;
}

function parse(line: string): Record<string, CanonicalValue> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Records of a closed journal. The same file gives the same ids and the same bytes, so that draining it twice leaves one of each. */
export function journalRecords({ id, instance }: Omit<ClosedJournal, 'path'>, text: string): RecordInput[] {
  const begun = new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toISOString();
  const lines = readJournal(text);
  const records: RecordInput[] = [];
  for (let from = 0; from < lines.length; from += LINES) {
    const part = lines.slice(from, from + LINES);
    const [first] = part;
    const last = part.at(-1);
    if (!first || !last) break;
    const at = part.map(instantOf).findLast((instant) => instant !== undefined) ?? begun;
    records.push({
      id: derivedId(at, `${id}/${from}/${last.hash}`),
      at,
      kind: 'gateway.refusals-journal',
      detail: {
        journal: id,
        instance,
        intact: part.every((line) => line.intact),
        before: stringOf(first.members['prev']) ?? NO_LINE,
        last: last.hash,
        count: part.reduce((sum, line) => sum + countOf(line), 0),
        refusals: part.map((line) => refusalOf(line.members)),
      },
    });
  }
  return records;
}

/** Allow-listed once more: the file lay on a disk that others can write. */
function refusalOf(members: Record<string, CanonicalValue>): CanonicalValue {
  const kept = ['n', 'at', 'call', 'client', 'method', 'route', 'status', 'more', 'from', 'to'];
  return Object.fromEntries(kept.flatMap((name) => scalar(name, members[name])));
}

function scalar(name: string, value: CanonicalValue | undefined): [string, string | number][] {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? [[name, value]] : [];
  return typeof value === 'string' ? [[name, value.slice(0, 256)]] : [];
}

function countOf({ members }: Line): number {
  const { more } = members;
  return typeof more === 'number' && Number.isSafeInteger(more) && more > 0 ? more : 1;
}

function instantOf({ members }: Line): string | undefined {
  const instant = stringOf(members['at']) ?? stringOf(members['to']);
  const ms = Date.parse(instant ?? '');
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

function stringOf(value: CanonicalValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Brings refusals into the log once it can be written again, those that earlier runs left first. */
export class JournalDrain {
  #running: Promise<void> | undefined;
  #left = false;
  /** Refusals may have been noted behind the run that is under way. */
  #again = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly journal: RefusalsJournal,
    private readonly auditLog: AuditLog,
    private readonly log: Pick<Log, 'info' | 'warn'>,
    private readonly isAlive: (pid: number) => boolean = processIsAlive,
  ) {}

  /** Drains what earlier runs left, and from then on what comes. */
  start(): void {
    this.#timer = setInterval(() => {
      if (!this.auditLog.down) this.nudge();
    }, LOOK_EVERY_MS).unref();
    void this.drain();
  }

  /** A last time. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.drain();
  }

  /** Called whenever records could be written; cheap when there is nothing to drain. */
  nudge(): void {
    if (!this.#left && this.journal.empty && !this.journal.failed) return;
    this.#again = this.#running !== undefined;
    void this.drain();
  }

  /** Drains everything there is; what cannot be drained now stays for the next time. One at a time. */
  drain(): Promise<void> {
    this.#running ??= this.run()
      .catch((error: unknown) => {
        this.#left = true;
        this.log.warn('a journal of refusals waits to be drained', { error });
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#again) this.nudge();
      });
    return this.#running;
  }

  private async run(): Promise<void> {
    this.#left = false;
    await this.journal.close();
    for (const closed of await this.journal.closed(this.isAlive)) {
      const records = journalRecords(closed, await readFile(closed.path, 'utf8'));
      for (const record of records) await this.append(record);
      await unlink(closed.path);
      this.log.info('refusals noted while the log could not be written are in the log', { count: records.length });
    }
  }

  /** An instance that died in between may have written it already, under its own name. */
  private async append(record: RecordInput): Promise<void> {
    await this.auditLog.append(record).catch((error: unknown) => {
      if (sqlState(error) !== '23505') throw error;
    });
  }
}

/** A journal under our own process id that is not ours was left by an earlier process: in a container it is always the same. */
export function processIsAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
