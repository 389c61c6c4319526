import { Injectable } from '@nestjs/common';
import { type Call, clientOf, isUuid, ProblemError } from '../../platform/index.js';
import { RunCloser } from '../workflows/run-closer.js';
import { viewOfSteps } from '../workflows/step-views.js';
import { isOpen } from './transitions.js';
import type { VerificationEntity } from './verification.entity.js';
import { VerificationProgress } from './verification-progress.js';
import { VerificationStore } from './verification-store.js';

/**
 * Calls a verification off: it follows its session no more, and sends no further step. Didit cannot end a session, so that nothing is sent
 * there.
 */
@Injectable()
export class VerificationCanceller {
  constructor(
    private readonly store: VerificationStore,
    private readonly progress: VerificationProgress,
    private readonly runs: RunCloser,
  ) {}

  /** Of one that is called off already, nothing more comes. @throws ProblemError `not-found`, `conflict` once it is decided. */
  async cancel(call: Call, id: string): Promise<VerificationEntity> {
    if (!isUuid(id)) throw unknown();
    return this.store.transaction(async (tx) => {
      const row = await this.store.lockOwn(tx, clientOf(call).id, id);
      if (row === null) throw unknown();
      call.verification = row.id;
      call.subject = row.subject;
      if (row.status === 'cancelled') return row;
      if (!isOpen(row.status))
        throw new ProblemError('conflict', {
          detail: `This verification is ${row.status} and cannot be cancelled any more.`,
          rule: 'verification.decided',
        });
      if (row.hosted) return this.progress.happen(tx, call, row, 'client.cancelled');
      const { steps } = await this.runs.stop(tx, call, row, 'cancelled');
      return this.progress.happen(tx, call, row, 'client.cancelled', { steps: viewOfSteps(steps) });
    });
  }
}

function unknown(): ProblemError {
  return new ProblemError('not-found', { rule: 'verification.unknown' });
}
