import { Injectable } from '@nestjs/common';
import { AuditLog, type RecordInput } from '../../audit/index.js';
import { Database, Log, Outbox } from '../../platform/index.js';
import type { OperationName, VendorFailure } from '../../vendors/index.js';

/** Tells that the vendor failed: a record and the signal that incidents are made of, in one transaction. */
@Injectable()
export class VendorTrouble {
  constructor(
    private readonly database: Database,
    private readonly auditLog: AuditLog,
    private readonly outbox: Outbox,
    private readonly log: Log,
  ) {}

  /** Never fails: what the caller has to hear is the vendor's failure, not that telling it failed too. */
  async tell(record: RecordInput, operation: OperationName, failure: VendorFailure): Promise<void> {
    try {
      await this.database.transaction(async (tx) => {
        await this.auditLog.appendIn(tx, record);
        await this.outbox.tell(tx, {
          at: new Date(record.at),
          kind: 'vendor.failed',
          subject: 'didit',
          recordId: record.id,
          detail: { operation, problem: failure.problem },
        });
      });
    } catch (error) {
      this.log.error('a failure of the vendor could not be told', { operation, error });
    }
  }
}
