import { type Counter, metrics, type ObservableGauge, type ObservableResult } from '@opentelemetry/api';
import type { Batcher } from './batcher.js';

/** What an operator watches of the log. Made once telemetry runs: instruments made before it would count into nothing. */
export class AuditMetrics {
  readonly #committed: Counter;
  readonly #refused: Counter;
  readonly #numbered: Counter;
  readonly #waiting: ObservableGauge;
  readonly #down: ObservableGauge;
  readonly #observeWaiting: (result: ObservableResult) => void;
  readonly #observeDown: (result: ObservableResult) => void;

  constructor(batcher: Pick<Batcher, 'waiting' | 'down'>) {
    const meter = metrics.getMeter('gatehouse');
    this.#committed = meter.createCounter('gatehouse.audit.records.committed', {
      description: 'Records made durable by the group commit.',
    });
    this.#refused = meter.createCounter('gatehouse.audit.records.refused', {
      description: 'Records that could not be made durable in time, so that their calls were refused.',
    });
    this.#numbered = meter.createCounter('gatehouse.audit.records.numbered', {
      description: 'Records that this instance gave their number in the log.',
    });
    this.#waiting = meter.createObservableGauge('gatehouse.audit.records.waiting', {
      description: 'Records of this instance that are not durable yet.',
    });
    this.#down = meter.createObservableGauge('gatehouse.audit.down', {
      description: '1 while records cannot be written.',
    });
    this.#observeWaiting = (result) => result.observe(batcher.waiting);
    this.#observeDown = (result) => result.observe(batcher.down ? 1 : 0);
    this.#waiting.addCallback(this.#observeWaiting);
    this.#down.addCallback(this.#observeDown);
  }

  committed(records: number): void {
    this.#committed.add(records);
  }

  refused(code: string): void {
    this.#refused.add(1, { code });
  }

  numbered(records: number): void {
    this.#numbered.add(records);
  }

  stop(): void {
    this.#waiting.removeCallback(this.#observeWaiting);
    this.#down.removeCallback(this.#observeDown);
  }
}
