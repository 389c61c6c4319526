import { Injectable } from '@nestjs/common';
import { type Counter, type Histogram, metrics, type ObservableResult } from '@opentelemetry/api';
import type { Attempt } from './receiver-client.js';

/** What an operator watches of webhooks that go out. */
@Injectable()
export class DeliveryMetrics {
  readonly #attempts: Counter;
  readonly #age: Histogram;
  #waiting = 0;
  #oldestAt: number | undefined;

  constructor() {
    const meter = metrics.getMeter('gatehouse');
    this.#attempts = meter.createCounter('gatehouse.webhooks.attempts', {
      description: 'Attempts to deliver an event, by outcome.',
    });
    this.#age = meter.createHistogram('gatehouse.webhooks.delivery.age', {
      description: 'From what happened until its delivery was answered.',
      unit: 's',
    });
    meter
      .createObservableGauge('gatehouse.webhooks.waiting', {
        description: 'Deliveries that wait, over all instances.',
      })
      .addCallback((result: ObservableResult) => result.observe(this.#waiting));
    meter
      .createObservableGauge('gatehouse.webhooks.oldest', {
        description: 'Since when the oldest of them has waited; 0 when none does.',
        unit: 's',
      })
      .addCallback((result: ObservableResult) => result.observe((this.#oldestAt ?? 0) / 1_000));
  }

  attempted({ outcome, at, durationMs }: Attempt, eventAt: Date): void {
    this.#attempts.add(1, { outcome });
    if (outcome === 'delivered') this.#age.record((at.getTime() + durationMs - eventAt.getTime()) / 1_000);
  }

  waiting({ n, oldest }: { n: number; oldest: Date | null }): void {
    this.#waiting = n;
    this.#oldestAt = oldest?.getTime();
  }
}
