import { Injectable } from '@nestjs/common';
import { Clock, Database, Log, Outbox } from '../../platform/index.js';
import { type OperationName, unknownStatuses } from '../../vendors/index.js';

const MOST_TOLD = 1_000;

/** A status of the vendor's that nobody knows has passed in an answer: news for whoever keeps the lists, told once an instance. */
@Injectable()
export class UnknownStatuses {
  readonly #told = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** In the background: no answer waits for it. */
  look(operation: OperationName, body: unknown): void {
    for (const { path, status } of unknownStatuses(operation, body)) {
      const key = `${operation} ${path} ${status}`;
      if (this.#told.has(key) || this.#told.size >= MOST_TOLD) continue;
      this.#told.add(key);
      void this.write(key, { operation, path, status });
    }
  }

  private async write(key: string, detail: Record<'operation' | 'path' | 'status', string>): Promise<void> {
    const signal = { at: this.clock.now(), kind: 'vendor.unknown-status', subject: 'didit', detail };
    try {
      await this.database.transaction((tx) => this.outbox.tell(tx, signal));
    } catch (error) {
      this.#told.delete(key);
      this.log.warn('an unknown status could not be told', { operation: detail.operation, error });
    }
  }
}
