import { Injectable } from '@nestjs/common';
import { AuditLog, CallWriter } from '../audit/index.js';
import { type Answer, type Call, CallCommit, Database } from '../platform/index.js';
import { IdempotencyCheck } from './idempotency/idempotency-check.js';

/** Room 10 for every call: its record and, where an Idempotency-Key was given, the answer kept under it, in one transaction. */
@Injectable()
export class AuditedCommit extends CallCommit {
  constructor(
    private readonly writer: CallWriter,
    private readonly auditLog: AuditLog,
    private readonly idempotency: IdempotencyCheck,
    private readonly database: Database,
  ) {
    super();
  }

  override commit(call: Call, answer: Answer): Promise<void> {
    return call.idempotency === undefined ? this.writer.commit(call, answer) : this.commitWithKey(call, answer);
  }

  override refused(call: Call, answer: Answer): void {
    this.idempotency.ended(call);
    this.writer.refused(call, answer);
  }

  private async commitWithKey(call: Call, answer: Answer): Promise<void> {
    const { record, digestKey } = this.writer.record(call, answer);
    await this.database.transaction(async (tx) => {
      await this.idempotency.finish(tx, call, answer);
      await this.auditLog.appendIn(tx, record, digestKey);
    });
    this.idempotency.ended(call);
  }
}
