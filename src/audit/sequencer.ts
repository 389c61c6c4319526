import type { Log } from '../platform/index.js';
import { type Connection, sqlState } from './connection.js';

export interface Sequenced {
  /** Records that were given a number; undefined when another instance is at it. */
  moved: number | undefined;
  size: number | undefined;
}

/** Records moved by one statement: some tens of milliseconds, so that a holder that dies keeps nobody waiting. */
const MOST = 4_096;
/** How long an instance with nothing to do waits before it looks for what others left. */
const IDLE_MS = 500;
/** query_canceled and transaction_timeout: so many records are too much work for the time that the head may be held. */
const TOO_LONG = new Set(['57014', '25P04']);

/** One run: the oldest durable records get their numbers. */
export async function sequenceOnce(connection: Connection, most = MOST): Promise<Sequenced> {
  const { rows } = await connection.query<{ moved: number; size: string }>({
    name: 'sequence',
    text: 'SELECT moved, size FROM audit.sequence($1)',
    values: [most],
  });
  const [row] = rows;
  return { moved: row?.moved, size: row === undefined ? undefined : Number(row.size) };
}

/**
 * Gives numbers to durable records, on any instance and on one at a time: whoever comes while another is at it leaves it to that one.
 * Nudged by the batcher it waits one interval, so that a number costs a share of a commit and not a commit.
 */
export class Sequencer {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #soon = false;
  #failures = 0;
  #most = MOST;
  #stopped = true;

  /** Called with the number of records that got theirs. */
  onNumbered: (records: number) => void = () => undefined;

  constructor(
    private readonly connection: Connection,
    private readonly everyMs: number,
    private readonly log: Pick<Log, 'warn' | 'info'>,
  ) {}

  start(): void {
    this.#stopped = false;
    this.schedule(0);
  }

  /** There is work: the next run comes within one interval. */
  nudge(): void {
    if (this.#soon || this.#running || this.#failures > 0) return;
    this.#soon = true;
    this.schedule(this.everyMs);
  }

  /** Numbers what is left, if no other instance does, and lets go of the connection. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.drain().catch((error: unknown) => this.log.warn('records are left without a number', { error }));
    await this.connection.close();
  }

  /** Runs until nothing is left to number or another instance is at it. @returns how many records got their number. */
  async drain(): Promise<number> {
    let total = 0;
    for (;;) {
      const most = this.#most;
      const { moved } = await sequenceOnce(this.connection, most).catch((error: unknown) => {
        if (TOO_LONG.has(sqlState(error) ?? '')) this.#most = Math.ceil(most / 4);
        throw error;
      });
      if (moved !== undefined && moved > 0) this.onNumbered(moved);
      total += moved ?? 0;
      if (moved !== most) return total;
      this.#most = Math.min(most * 2, MOST);
    }
  }

  private schedule(inMs: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#running = this.run();
    }, inMs).unref();
  }

  private async run(): Promise<void> {
    const next = await this.attempt();
    this.#running = undefined;
    this.#soon = next <= this.everyMs;
    this.schedule(next);
  }

  /** @returns milliseconds to the next run. */
  private async attempt(): Promise<number> {
    try {
      const moved = await this.drain();
      if (this.#failures > 0) this.log.info('records are given their numbers again');
      this.#failures = 0;
      return moved > 0 ? this.everyMs : Math.max(this.everyMs, IDLE_MS);
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === 1) this.log.warn('records cannot be given their numbers', { error });
      return Math.min(100 * 2 ** this.#failures, 5_000);
    }
  }
}
