import { Injectable } from '@nestjs/common';
import type { ClientCaller } from '../../platform/index.js';
import { KeptDecisions } from './kept-decisions.js';
import { VerificationStore } from './verification-store.js';
import { type DecidedView, VerificationViews } from './verification-views.js';

/** A verification as its client would read it now, from what is known here: nobody asks the vendor. */
@Injectable()
export class VerificationSnapshots {
  constructor(
    private readonly store: VerificationStore,
    private readonly decisions: KeptDecisions,
    private readonly views: VerificationViews,
  ) {}

  /** Undefined for one that is not this client's, or whose person was erased. */
  async of(caller: ClientCaller, id: string): Promise<DecidedView | undefined> {
    const row = await this.store.find(caller.id, id);
    if (row === null || row.erasedAt !== null) return undefined;
    const shown = row.decision !== null && row.status !== 'cancelled';
    const decision = shown ? await this.decisions.get(row) : undefined;
    return this.views.decided({ caller }, { row, decision, rung: 'cached', ageSeconds: undefined });
  }
}
