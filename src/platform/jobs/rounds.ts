import type { Log } from '../telemetry/log.js';

/** Background work in rounds: one round at a time, and one that fails is made up for by the next. One line tells of failing, not one a round. */
export class Rounds {
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #failing = false;

  constructor(
    private readonly job: string,
    everyMs: number,
    private readonly log: Pick<Log, 'warn'>,
    private readonly work: () => Promise<void>,
  ) {
    this.#timer = setInterval(() => this.now(), everyMs).unref();
  }

  /** Begins a round, unless one is under way. */
  now(): void {
    this.#running ??= this.round().finally(() => (this.#running = undefined));
  }

  /** No round begins after this, and the one under way has ended when it resolves. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  private async round(): Promise<void> {
    try {
      await this.work();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.log.warn('a background round failed', { job: this.job, error });
      this.#failing = true;
    }
  }
}
