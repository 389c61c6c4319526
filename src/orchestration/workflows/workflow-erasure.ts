import type { Tx } from '../../platform/index.js';
import type { Erased, ErasablePart, ErasedVerifications } from '../erasure/erasable.js';
import type { VerificationProgress } from '../verifications/verification-progress.js';
import type { VerificationStore } from '../verifications/verification-store.js';
import type { RunCloser } from './run-closer.js';
import { viewOfSteps } from './step-views.js';

/** Runs of a person who is erased: they stop, and their uploads and reports go. */
export class WorkflowErasure implements ErasablePart {
  constructor(
    private readonly store: VerificationStore,
    private readonly progress: VerificationProgress,
    private readonly closer: RunCloser,
  ) {}

  async erase(tx: Tx, { ids }: ErasedVerifications): Promise<Partial<Erased>> {
    let vaultItems = 0;
    for (const id of ids) {
      const row = await this.store.lock(tx, id);
      if (row === null || row.hosted || (row.status !== 'pending' && row.status !== 'in-progress')) continue;
      const asker = { job: 'erasures' };
      const stopped = await this.closer.stop(tx, asker, row, 'subject-erased');
      vaultItems += stopped.vaultItems;
      await this.progress.happen(tx, asker, row, 'subject.erased', { steps: viewOfSteps(stopped.steps) });
    }
    return { vaultItems };
  }
}
