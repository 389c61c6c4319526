import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { Clock, Database, Log, Outbox, uuidv7 } from '../../platform/index.js';
import { DiditVendor } from '../didit/didit-vendor.js';
import type { BreakerChange } from './breakers.js';

const VENDOR = 'didit';
/** News that may wait for a database that is away. */
const MOST_UNTOLD = 100;

/** Tells of breakers that open and close: a line in the operational log at once, and a record with its signal in one transaction. */
@Injectable()
export class BreakerNews implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #untold = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(
    private readonly vendor: DiditVendor,
    private readonly database: Database,
    private readonly auditLog: AuditLog,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.vendor.onBreaker((change) => this.hear(change));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#last;
  }

  private hear({ operation = '*', state }: BreakerChange): void {
    if (state === 'open') this.log.warn('a breaker before the vendor opened', { operation });
    else this.log.info('a breaker before the vendor closed', { operation });
    if (this.#untold >= MOST_UNTOLD) return;
    this.#untold += 1;
    const at = this.clock.now();
    // One after the other: what opened and closed is to be read in that order.
    this.#last = this.#last.then(() => this.tell(at, operation, state)).finally(() => (this.#untold -= 1));
  }

  private async tell(at: Date, operation: string, state: BreakerChange['state']): Promise<void> {
    const kind = state === 'open' ? 'vendor.breaker-opened' : 'vendor.breaker-closed';
    const record = {
      id: uuidv7(at.getTime()),
      at: at.toISOString(),
      kind,
      detail: { vendor: VENDOR, operation },
    } as const;
    try {
      await this.database.transaction(async (tx) => {
        await this.auditLog.appendIn(tx, record);
        await this.outbox.tell(tx, { at, kind, subject: VENDOR, recordId: record.id, detail: { operation } });
      });
    } catch (error) {
      this.log.error('a change of a breaker could not be told', { operation, error });
    }
  }
}
