import { isAlive } from '../development/processes.js';
import type { LogFields } from '../telemetry/log.js';
import type { Running } from './postmaster.js';

const LOOK_EVERY_MS = 200;
/** A disk that stays full, or memory that stays short, must not be answered by starts without end. */
const PAUSE_MS = 2_000;

export interface KeepUpOptions {
  running: Running;
  /** Starts the cluster anew, and notes where. */
  start: (before: Running) => Promise<Running>;
  log?: { info(message: string, fields?: LogFields): void } | undefined;
}

/**
 * Looks after a postmaster and starts it again when it has ended by itself: killed, or in a panic on a full disk, out of which it may not
 * come back by its own crash recovery. Does not keep the process up.
 */
export class KeepUp {
  #running: Running;
  #timer: NodeJS.Timeout | undefined;
  #starting: Promise<void> | undefined;
  #stopped = false;

  constructor(private readonly options: KeepUpOptions) {
    this.#running = options.running;
    this.schedule(LOOK_EVERY_MS);
  }

  /** The postmaster as it was last started. */
  get running(): Running {
    return this.#running;
  }

  /** Waits for a start that is under way; none follows. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#starting;
  }

  private schedule(inMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      if (isAlive(this.#running.process)) this.schedule(LOOK_EVERY_MS);
      else this.#starting = this.startAgain();
    }, inMs).unref();
  }

  private async startAgain(): Promise<void> {
    const { start, log } = this.options;
    try {
      this.#running = await start(this.#running);
      log?.info('embedded PostgreSQL had ended and was started again', { pid: this.#running.process.pid });
      this.schedule(LOOK_EVERY_MS);
    } catch (error) {
      log?.info('embedded PostgreSQL has ended and does not start again yet', { error });
      this.schedule(PAUSE_MS);
    }
  }
}
