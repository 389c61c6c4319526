import { Injectable } from '@nestjs/common';
import { type Counter, metrics, type ObservableResult } from '@opentelemetry/api';
import type { VendorPart } from '../../platform/index.js';

type Rung = VendorPart['rung'];

/** What an operator watches of the ladder. */
@Injectable()
export class FallbackMetrics {
  readonly #taken: Counter;
  readonly #sent: Counter;
  #queued = 0;
  #oldestAt: number | undefined;

  constructor() {
    const meter = metrics.getMeter('gatehouse');
    this.#taken = meter.createCounter('gatehouse.fallback.taken', {
      description:
        'Calls that the vendor failed, by the rung of the ladder that they ended on; none is a standard error.',
    });
    this.#sent = meter.createCounter('gatehouse.fallback.queue.left', {
      description: 'Verifications that left the queue, by what became of them.',
    });
    meter
      .createObservableGauge('gatehouse.fallback.queue.waiting', {
        description: 'Verifications that wait in the queue, over all instances.',
      })
      .addCallback((result: ObservableResult) => result.observe(this.#queued));
    meter
      .createObservableGauge('gatehouse.fallback.queue.oldest', {
        description: 'Since when the oldest of them has waited; 0 when none does.',
        unit: 's',
      })
      .addCallback((result: ObservableResult) => result.observe((this.#oldestAt ?? 0) / 1_000));
  }

  taken(rung: Rung, operation: string): void {
    this.#taken.add(1, { rung, operation });
  }

  left(outcome: 'sent' | 'failed' | 'manual' | 'dropped'): void {
    this.#sent.add(1, { outcome });
  }

  queue(waiting: number, oldestAt: Date | null): void {
    this.#queued = waiting;
    this.#oldestAt = oldestAt?.getTime();
  }
}
