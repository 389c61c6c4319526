import { type Clock, ProblemError } from '../platform/index.js';
import { type Connection, isLost, sqlState } from './connection.js';
import { byteaArray, uuidArray } from './pg-array.js';

export interface BatcherLimits {
  /** Records in one commit. */
  batch: number;
  batchBytes: number;
  /** Records that wait. */
  queue: number;
  queueBytes: number;
  /** How long a record may wait to be durable before its writer is told that it cannot be. */
  patienceMs: number;
}

/** 512 records a commit keep p99 low at full rate; ten thousand waiting ones are a second or less of work. */
export const BATCHER_LIMITS: BatcherLimits = {
  batch: 512,
  batchBytes: 4 * 1024 * 1024,
  queue: 10_000,
  queueBytes: 64 * 1024 * 1024,
  patienceMs: 3_000,
};

export interface Entry {
  id: string;
  bytes: Buffer;
  /** Key of the record's body digests. */
  key: Buffer | null;
}

interface Waiting extends Entry {
  deadline: number;
  settled: boolean;
  resolve: () => void;
  reject: (error: Error) => void;
}

export const APPEND_SQL = 'SELECT audit.append($1::uuid[], $2::bytea[], $3::bytea[])';

/** The parameters of `APPEND_SQL`. */
export function appendParameters(entries: readonly Entry[]): (Buffer | null)[] {
  return [
    uuidArray(entries.map((entry) => entry.id)),
    byteaArray(entries.map((entry) => entry.bytes)),
    entries.some((entry) => entry.key !== null) ? byteaArray(entries.map((entry) => entry.key)) : null,
  ];
}

const KNOWN_SQL = `SELECT id FROM audit.intake WHERE id = ANY ($1::uuid[])
                    UNION ALL SELECT id FROM audit.place WHERE id = ANY ($1::uuid[])`;
const PAUSES_MS = [20, 50, 100, 250];
const SWEEP_MS = 100;

/**
 * Group commit. While one commit is under way the records that come meanwhile gather and go together next; an idle batcher sends at
 * once, so nothing waits for a timer. One commit at a time on one connection was measured to be the best of throughput and latency.
 */
export class Batcher {
  #queue: Waiting[] = [];
  #queueBytes = 0;
  #current: Waiting[] = [];
  #running: Promise<void> | undefined;
  #downSince: number | undefined;
  #failingSince: number | undefined;
  #stopping = false;
  readonly #sweep: NodeJS.Timeout;
  /** Called after each commit with the number of its records. */
  onCommitted: (records: number) => void = () => undefined;
  /** Called for each record that was refused for want of the log. */
  onRefused: (code: 'overloaded' | 'audit-unavailable') => void = () => undefined;

  constructor(
    private readonly connection: Connection,
    private readonly clock: Clock,
    private readonly limits: BatcherLimits = BATCHER_LIMITS,
  ) {
    this.#sweep = setInterval(() => this.rejectExpired(), SWEEP_MS).unref();
  }

  /** Whether Postgres failed to take the last records and has not answered since. */
  get down(): boolean {
    return this.#downSince !== undefined;
  }

  /** Monotonic milliseconds of the first failure after the last record that Postgres took; a server that answers may still take none. */
  get failingSince(): number | undefined {
    return this.#failingSince;
  }

  /** Records not yet durable. */
  get waiting(): number {
    return this.#queue.length + this.#current.length;
  }

  /**
   * Resolves when the record is durable.
   * @throws ProblemError `overloaded` when the queue is full, `audit-unavailable` when it did not become durable in time (and may yet be)
   */
  append(entry: Entry): Promise<void> {
    if (this.#stopping) return Promise.reject(new ProblemError('shutting-down', { rule: 'audit.stopping' }));
    if (this.#queue.length >= this.limits.queue || this.#queueBytes + entry.bytes.length > this.limits.queueBytes)
      return Promise.reject(this.overloaded());
    const now = this.now();
    if (this.#downSince !== undefined && now - this.#downSince >= this.limits.patienceMs)
      return Promise.reject(this.unavailable());
    return new Promise((resolve, reject) => {
      const deadline = now + this.limits.patienceMs;
      this.#queue.push({ ...entry, deadline, settled: false, resolve, reject });
      this.#queueBytes += entry.bytes.length;
      this.start();
    });
  }

  /** Writes what waits, then closes the connection; nothing more is taken. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    clearInterval(this.#sweep);
    await this.connection.close();
  }

  private start(): void {
    if (this.#running) return;
    // One turn of the event loop: what arrives in the same read of the sockets shares the commit.
    this.#running = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.run())
      .finally(() => {
        this.#running = undefined;
        if (this.#queue.length > 0) this.start();
      });
  }

  private async run(): Promise<void> {
    while (this.#queue.length > 0 || (this.down && !this.#stopping)) {
      this.#current = this.take();
      if (this.#current.length > 0) await this.commit(this.#current);
      else await this.probe();
      this.#current = [];
    }
  }

  private take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#queue) {
      if (count === this.limits.batch || (count > 0 && bytes + entry.bytes.length > this.limits.batchBytes)) break;
      bytes += entry.bytes.length;
      count += 1;
    }
    this.#queueBytes -= bytes;
    return this.#queue.splice(0, count).filter((entry) => !entry.settled);
  }

  /** Ends when every record of the batch is durable, refused or past its time. */
  private async commit(batch: Waiting[]): Promise<void> {
    let open = batch.filter((entry) => !entry.settled);
    for (let attempt = 0; open.length > 0; attempt += 1) {
      try {
        await this.connection.query({ name: 'append', text: APPEND_SQL, values: appendParameters(open) });
        this.settle(open);
        return;
      } catch (error) {
        if (isDataError(error)) {
          await this.isolate(open, error as Error);
          return;
        }
        this.#failingSince ??= this.now();
        // From when the first of them came: whoever comes after that one was refused is refused at once.
        this.#downSince ??= Math.min(...open.map(({ deadline }) => deadline)) - this.limits.patienceMs;
        await pause(PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)] ?? 0);
        if (isLost(error)) open = await this.unknown(open);
        open = open.filter((entry) => !entry.settled);
      }
    }
  }

  /** One bad record must not take the others with it: halves, down to the one that is refused. */
  private async isolate(batch: Waiting[], error: Error): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only) {
      only.settled = true;
      only.reject(error);
      return;
    }
    const half = batch.length >> 1;
    await this.commit(batch.slice(0, half));
    await this.commit(batch.slice(half));
  }

  /**
   * The connection was lost and the commit may have been done: what Postgres knows is durable, the rest is to be sent again. A first
   * sending that is still under way there is no danger: audit.append waits for its outcome and takes a record once.
   */
  private async unknown(batch: Waiting[]): Promise<Waiting[]> {
    try {
      const ids = uuidArray(batch.map((entry) => entry.id));
      const { rows } = await this.connection.query<{ id: string }>({ text: KNOWN_SQL, values: [ids] });
      const known = new Set(rows.map((row) => row.id));
      this.settle(batch.filter((entry) => known.has(entry.id)));
      return batch.filter((entry) => !known.has(entry.id));
    } catch {
      return batch;
    }
  }

  private async probe(): Promise<void> {
    await pause(PAUSES_MS.at(-1) ?? 0);
    try {
      await this.connection.query({ text: 'SELECT 1' });
      this.#downSince = undefined;
    } catch {
      // Still away: the next round asks again.
    }
  }

  private settle(entries: Waiting[]): void {
    this.#downSince = undefined;
    for (const entry of entries) {
      entry.settled = true;
      entry.resolve();
    }
    if (entries.length === 0) return;
    this.#failingSince = undefined;
    this.onCommitted(entries.length);
  }

  private rejectExpired(): void {
    const now = this.now();
    for (const entry of [...this.#current, ...this.#queue]) {
      if (entry.settled || entry.deadline > now) continue;
      entry.settled = true;
      entry.reject(this.unavailable());
    }
    // Refused ones must not fill the queue while a commit hangs.
    if (this.#queue[0]?.settled !== true) return;
    this.#queue = this.#queue.filter((entry) => !entry.settled);
    this.#queueBytes = this.#queue.reduce((sum, entry) => sum + entry.bytes.length, 0);
  }

  private now(): number {
    return Number(this.clock.monotonic() / 1_000_000n);
  }

  private overloaded(): ProblemError {
    this.onRefused('overloaded');
    return new ProblemError('overloaded', { rule: 'audit.queue', headers: { 'retry-after': '1' } });
  }

  private unavailable(): ProblemError {
    this.onRefused('audit-unavailable');
    return new ProblemError('audit-unavailable', { rule: 'audit.durable', headers: { 'retry-after': '2' } });
  }
}

/** Classes 22 and 23: the record itself is refused, and would be again. */
function isDataError(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error) ?? '');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
