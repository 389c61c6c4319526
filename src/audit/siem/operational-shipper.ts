import type { Log } from '../../platform/index.js';
import type { SpoolReader } from './operational-reader.js';
import type { Sink } from './sink.js';

export interface OperationalShipperParts {
  reader: SpoolReader;
  sink: Sink;
  log: Pick<Log, 'info' | 'warn'>;
  /** Between two rounds, milliseconds. */
  everyMs: number;
}

const MOST_BACKOFF_MS = 60_000;

/** Ships the spool to one sink: in order, at least once, one batch at a time; after a failure it waits longer each time. */
export class OperationalShipper {
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;

  constructor(private readonly parts: OperationalShipperParts) {}

  start(): void {
    const waitMs = Math.min(this.parts.everyMs * 2 ** this.#failures, MOST_BACKOFF_MS);
    this.#timer = setTimeout(() => {
      this.#running = this.round().finally(() => {
        if (!this.#stop.signal.aborted) this.start();
      });
    }, waitMs).unref();
  }

  /** Ends what is under way; what was not confirmed is shipped by the next run. The sink is not closed. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Ships all there is. Never rejects: what fails is made up for by the next round. */
  async round(): Promise<void> {
    const { reader, sink, log } = this.parts;
    try {
      for (let batch = await reader.batch(); batch !== undefined; batch = await reader.batch()) {
        await sink.send({ kind: 'operational', lines: batch.lines }, this.#stop.signal);
        await reader.confirm(batch.past);
        if (this.#failures > 0) log.info('lines of the operational log are shipped again', { job: sink.name });
        this.#failures = 0;
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      // Told once an outage: each telling is one more line to ship.
      if ((this.#failures += 1) === 1)
        log.warn('lines of the operational log cannot be shipped', { job: sink.name, error });
    }
  }
}
