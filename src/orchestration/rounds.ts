import type { Log } from '../platform/index.js';

/** Background work in rounds: one round at a time, and one that fails is made up for by the next. */
export class Rounds {
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;

  constructor(job: string, everyMs: number, log: Log, work: () => Promise<void>) {
    this.#timer = setInterval(() => {
      this.#running ??= work()
        .catch((error: unknown) => log.warn('a background round failed', { job, error }))
        .finally(() => (this.#running = undefined));
    }, everyMs).unref();
  }

  /** No round begins after this, and the one under way has ended when it resolves. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}
