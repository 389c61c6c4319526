import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, Log, Rounds } from '../../platform/index.js';
import { VendorFailure } from '../../vendors/index.js';
import { Leases } from '../idempotency/leases.js';
import { SessionSearch } from './session-search.js';
import { VerificationStore } from './verification-store.js';

const EVERY_MS = 15_000;
/** Rest between two searches for one verification. */
export const REST_MS = 30_000;
/** How long a verification that the vendor certainly knows nothing of waits for its client to ask again. */
export const PATIENCE_MS = 600_000;
const MOST_AT_ONCE = 20;

/**
 * Looks after verifications that were begun and never got their session, because the vendor's answer or this process was lost and nobody
 * repeated the call.
 */
@Injectable()
export class VerificationSearch implements OnApplicationBootstrap, OnApplicationShutdown {
  #rounds: Rounds | undefined;

  constructor(
    private readonly store: VerificationStore,
    private readonly leases: Leases,
    private readonly sessions: SessionSearch,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#rounds = new Rounds('verifications.search', EVERY_MS, this.log, () => this.round());
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#rounds?.stop();
  }

  /** One pass over those that are due; ends early when the vendor cannot be asked. */
  async round(): Promise<void> {
    const now = this.clock.epochMs();
    const due = await this.store.withoutSession(
      { unsure: new Date(now - REST_MS), settled: new Date(now - PATIENCE_MS) },
      MOST_AT_ONCE,
    );
    for (const { id, idempotencyId } of due) {
      const giveBack = await this.leases.borrow(idempotencyId);
      if (!giveBack) continue;
      try {
        await this.sessions.search(id);
      } catch (error) {
        if (error instanceof VendorFailure) return;
        throw error;
      } finally {
        await giveBack();
      }
    }
  }
}
