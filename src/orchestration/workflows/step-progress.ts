import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { Clock, type Tx, uuidv7 } from '../../platform/index.js';
import { type Asker, isCall, recordOf } from '../vendor/asker.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { RunStore, type StepRow } from './run-store.js';
import { isEnded, nextStepState, type StepEvent } from './step-states.js';

type Changes = Partial<Pick<StepRow, 'failures' | 'notBefore' | 'reason' | 'result'>>;

/** Moves steps along their table: the row and the record of it in one transaction (rule 1). */
@Injectable()
export class StepProgress {
  constructor(
    private readonly store: RunStore,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** @param operation of the vendor, whose intent is told with the event `sent` */
  async happen(
    tx: Tx,
    asker: Asker,
    row: VerificationEntity,
    step: StepRow,
    event: StepEvent,
    changes: Changes = {},
    operation?: string,
  ): Promise<StepRow> {
    const now = this.clock.now();
    const state = nextStepState(step.state, event);
    const attempt = state === 'sending' ? uuidv7(now.getTime()) : null;
    const moved: StepRow = {
      ...step,
      failures: changes.failures ?? step.failures,
      reason: changes.reason ?? null,
      result: changes.result ?? step.result,
      notBefore: changes.notBefore ?? null,
      state,
      attempt,
      attempts: step.attempts + (attempt === null ? 0 : 1),
      rung: rungOf(step, event),
      startedAt: step.startedAt ?? (attempt === null ? null : now),
      endedAt: isEnded(state) ? now : null,
    };
    await this.store.writeStep(tx, row.id, moved);
    await this.tell(tx, asker, row, step, moved, event, operation);
    return moved;
  }

  /** The intent belongs to the attempt, and the record by which the attempt ends has the attempt's id: so that what never ended is found. */
  private async tell(
    tx: Tx,
    asker: Asker,
    row: VerificationEntity,
    from: StepRow,
    to: StepRow,
    event: StepEvent,
    operation: string | undefined,
  ): Promise<void> {
    const now = this.clock.now();
    const about = { client: row.clientId, verification: row.id, subject: row.subject };
    const record = recordOf(asker, 'verification.transition', now);
    await this.auditLog.appendIn(tx, {
      ...record,
      ...about,
      id: from.attempt ?? record.id,
      detail: {
        step: to.name,
        from: from.state,
        to: to.state,
        event,
        attempts: to.attempts,
        rung: to.rung,
        reason: to.reason ?? undefined,
        workflow: row.workflow,
        version: row.workflowVersion,
        ...(isCall(asker) ? {} : { job: asker.job }),
      },
    });
    if (to.attempt === null || operation === undefined) return;
    await this.auditLog.appendIn(tx, {
      ...recordOf(asker, 'vendor.intent', now),
      ...about,
      call: to.attempt,
      vendor: { name: row.vendor, operation, attempt: to.attempts },
      detail: { step: to.name },
    });
  }
}

function rungOf(step: StepRow, event: StepEvent): StepRow['rung'] {
  if (event === 'fell-to.queued') return 'queued';
  if (event === 'fell-to.manual') return 'manual';
  return event === 'fell-to.error' ? 'none' : step.rung;
}
