import type { Log } from '../../platform/index.js';
import type { UsageStore } from './usage-store.js';

/** Records counted by one statement: some tens of milliseconds. */
const MOST = 4_096;
const EVERY_MS = 1_000;

/**
 * Keeps the counted hours up with the log, on any instance and on one at a time: the row of the build is the lock, and its cursor moves in
 * the transaction that counts, so that a round that dies has counted nothing.
 */
export class UsageRoller {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #failing = false;

  constructor(
    private readonly store: UsageStore,
    private readonly log: Pick<Log, 'warn'>,
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      this.#running ??= this.round().finally(() => (this.#running = undefined));
    }, EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Counts until nothing is left or another instance is at it; what fails is made up for by the next round. */
  async round(): Promise<void> {
    try {
      let rolled: number | undefined;
      do rolled = (await this.store.roll(MOST))?.rolled;
      while (rolled === MOST && !this.#stopped);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.log.warn('usage cannot be counted', { error });
      this.#failing = true;
    }
  }
}
