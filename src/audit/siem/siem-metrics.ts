import { type Counter, metrics, type ObservableCallback, type ObservableGauge } from '@opentelemetry/api';
import type { Standing } from './sink-store.js';

/** Back-pressure of each receiver, as any instance sees it, and what this one has shipped. Made once telemetry runs. */
export class SiemMetrics {
  readonly #sent: Counter;
  readonly #failures: Counter;
  readonly #gauges: [ObservableGauge, ObservableCallback][] = [];

  constructor(standings: () => Promise<readonly Standing[]>) {
    const meter = metrics.getMeter('gatehouse');
    this.#sent = meter.createCounter('gatehouse.siem.records.sent', {
      description: 'Records that a receiver acknowledged to this instance.',
    });
    this.#failures = meter.createCounter('gatehouse.siem.failures', {
      description: 'Batches that could not be shipped and are sent again.',
    });
    const gauge = (name: string, description: string, value: (standing: Standing) => number): void => {
      const instrument = meter.createObservableGauge(`gatehouse.siem.${name}`, { description });
      const observe: ObservableCallback = async (result) => {
        // Without a database there is nothing to say, and the scrape goes on.
        for (const standing of await standings().catch(() => []))
          result.observe(value(standing), { sink: standing.name });
      };
      instrument.addCallback(observe);
      this.#gauges.push([instrument, observe]);
    };
    gauge('lag.records', 'Records with a number that the receiver has not acknowledged.', ({ lag }) => lag);
    gauge('lag.seconds', 'Age of the oldest of them.', ({ lagSeconds }) => lagSeconds);
    gauge('failing', '1 while batches cannot be shipped.', ({ trouble }) => (trouble === null ? 0 : 1));
  }

  sent(sink: string, records: number): void {
    this.#sent.add(records, { sink });
  }

  failed(sink: string, kind: string): void {
    this.#failures.add(1, { sink, kind });
  }

  stop(): void {
    for (const [instrument, observe] of this.#gauges) instrument.removeCallback(observe);
  }
}
