import { metrics, type ObservableGauge, type ObservableResult } from '@opentelemetry/api';

/** The last offset of this clock to each of its sources, as a metric in seconds; positive where the source is ahead. */
export class ClockOffsets {
  readonly #seconds = new Map<string, number>();
  readonly #gauge: ObservableGauge;
  readonly #observe = (result: ObservableResult): void => {
    for (const [source, seconds] of this.#seconds) result.observe(seconds, { source });
  };

  constructor() {
    this.#gauge = metrics.getMeter('gatehouse').createObservableGauge('gatehouse.clock.offset', {
      description: 'By how much a source of time is ahead of this instance’s clock.',
      unit: 's',
    });
    this.#gauge.addCallback(this.#observe);
  }

  /** @param source `database` or the address of a time server */
  set(source: string, seconds: number): void {
    this.#seconds.set(source, seconds);
  }

  stop(): void {
    this.#gauge.removeCallback(this.#observe);
  }
}
