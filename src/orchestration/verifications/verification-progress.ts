import { Injectable } from '@nestjs/common';
import { AuditLog, type CanonicalValue, type RecordInput } from '../../audit/index.js';
import { type Call, Clock, type Tx } from '../../platform/index.js';
import { type Asker, isCall, recordOf } from '../vendor/asker.js';
import { next, type VerificationEvent } from './transitions.js';
import { VerificationListeners } from './verification-listeners.js';
import type { VerificationEntity } from './verification.entity.js';
import { type Changes, changed, VerificationStore } from './verification-store.js';

/** Moves verifications along their table: the row and the record of it in one transaction (rule 1). */
@Injectable()
export class VerificationProgress {
  constructor(
    private readonly store: VerificationStore,
    private readonly auditLog: AuditLog,
    private readonly listeners: VerificationListeners,
    private readonly clock: Clock,
  ) {}

  /** A session is about to be asked for: durable before anything is sent. */
  async intend(tx: Tx, asker: Asker): Promise<void> {
    await this.auditLog.appendIn(tx, {
      ...recordOf(asker, 'vendor.intent', this.clock.now()),
      vendor: { name: 'didit', operation: 'session.create' },
    });
  }

  /** One that the gateway will run itself, and by which version of its workflow. */
  async begun(tx: Tx, call: Call, row: VerificationEntity): Promise<void> {
    await this.auditLog.appendIn(tx, {
      ...recordOf(call, 'verification.transition', this.clock.now()),
      client: row.clientId,
      verification: row.id,
      subject: row.subject,
      detail: { to: row.status, event: 'begun', workflow: row.workflow, version: row.workflowVersion },
    });
  }

  /**
   * What happened to a locked row. Where the table knows no such step only `changes` are written.
   * @param detail allow-listed facts for the record
   */
  async happen(
    tx: Tx,
    asker: Asker,
    row: VerificationEntity,
    event: VerificationEvent,
    changes: Changes = {},
    detail: Record<string, CanonicalValue | undefined> = {},
  ): Promise<VerificationEntity> {
    const to = next(row.status, event);
    const now = this.clock.now();
    const all: Changes = to === undefined ? changes : { ...changes, status: to, updatedAt: now };
    if (Object.keys(all).length > 0) await this.store.update(tx, row.id, all);
    if (to !== undefined) await this.tell(tx, asker, row, { from: row.status, to, event, ...detail });
    const after = changed(row, all);
    if (after.status !== row.status)
      await this.listeners.tell(tx, {
        at: now,
        verification: row.id,
        client: row.clientId,
        from: row.status,
        to: after.status,
        rung: after.rung,
      });
    return after;
  }

  /** What would have moved it and did not, since a person has decided. @returns the id of the record */
  withstand(
    tx: Tx,
    asker: Asker,
    row: VerificationEntity,
    event: VerificationEvent,
    detail: Record<string, CanonicalValue | undefined>,
  ): Promise<string> {
    return this.tell(tx, asker, row, { from: row.status, to: row.status, event, withstood: 'review', ...detail });
  }

  private async tell(
    tx: Tx,
    asker: Asker,
    row: VerificationEntity,
    detail: Record<string, CanonicalValue | undefined>,
  ): Promise<string> {
    const record: RecordInput = {
      ...recordOf(asker, 'verification.transition', this.clock.now()),
      client: row.clientId,
      verification: row.id,
      subject: row.subject,
      detail: { ...(isCall(asker) ? {} : { job: asker.job }), ...detail },
    };
    await this.auditLog.appendIn(tx, record);
    return record.id;
  }
}
