import type { Tx } from '../../platform/index.js';
import type { CachedAnswers } from '../../vendors/index.js';
import type { Erased, ErasablePart, ErasedVerifications } from '../erasure/erasable.js';

/** What was kept of the vendor's answers about a person: it is only a copy, and goes as a whole. */
export class CacheErasure implements ErasablePart {
  constructor(private readonly cached: CachedAnswers) {}

  async erase(tx: Tx, { sessionIds, sharedSessions }: ErasedVerifications): Promise<Partial<Erased>> {
    return { vaultItems: await this.cached.purge(tx, [...sessionIds, ...(sharedSessions?.ids ?? [])]) };
  }
}
