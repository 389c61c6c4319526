import { Injectable } from '@nestjs/common';
import { Clock, Database, Log, Outbox } from '../../platform/index.js';
import type { OperationName } from '../../vendors/index.js';

const MOST_TOLD = 1_000;

/** A field of the vendor's that nobody listed was dropped from an answer: news for whoever keeps the masks, told once an instance. */
@Injectable()
export class UnlistedFields {
  readonly #told = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** In the background: no answer waits for it. @param paths template paths, without any value */
  tell(operation: OperationName, paths: readonly string[]): void {
    for (const path of paths) {
      const key = `${operation} ${path}`;
      if (this.#told.has(key) || this.#told.size >= MOST_TOLD) continue;
      this.#told.add(key);
      void this.write(operation, path);
    }
  }

  private async write(operation: OperationName, path: string): Promise<void> {
    const signal = {
      at: this.clock.now(),
      kind: 'vendor.unlisted-field',
      subject: 'didit',
      detail: { operation, path },
    };
    try {
      await this.database.transaction((tx) => this.outbox.tell(tx, signal));
    } catch (error) {
      this.#told.delete(`${operation} ${path}`);
      this.log.warn('an unlisted field could not be told', { operation, error });
    }
  }
}
