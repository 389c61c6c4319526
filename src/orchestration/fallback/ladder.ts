import { Inject, Injectable } from '@nestjs/common';
import { type Call, type Config, CONFIG, type LadderRung, Log, ProblemError, type Tx } from '../../platform/index.js';
import { lockSubject } from '../erasure/locks.js';
import type { Asker, Background } from '../vendor/asker.js';
import type { CreateBody } from '../verifications/schemas.js';
import { onRung } from '../verifications/steps.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { VerificationProgress } from '../verifications/verification-progress.js';
import { VerificationStore } from '../verifications/verification-store.js';
import { FallbackMetrics } from './fallback-metrics.js';
import { QueueBook } from './queue-book.js';

const OPERATION = 'session.create';

/** What becomes of a new verification that the vendor failed: the rungs that its workflow declares, from the best down. */
@Injectable()
export class FallbackLadder {
  readonly #on: ReadonlySet<string>;
  readonly #rungs: readonly LadderRung[];

  constructor(
    private readonly store: VerificationStore,
    private readonly progress: VerificationProgress,
    private readonly queue: QueueBook,
    private readonly metrics: FallbackMetrics,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#on = new Set(config.fallback.on);
    this.#rungs = config.workflows.onboarding.fallback;
  }

  /** Whether a ladder is taken at this failure: the gateway's own refusals and those of the request itself are no reason. */
  takes(error: unknown): error is ProblemError {
    return error instanceof ProblemError && this.#on.has(error.code);
  }

  /**
   * Takes the first rung that has room for a verification that is pending without a session. The answer, the record and the metrics tell
   * which. @throws `failure` itself where none has
   */
  async take(call: Call, id: string, body: CreateBody, failure: ProblemError): Promise<VerificationEntity> {
    const taken = await this.store.transaction(async (tx) => {
      if (call.subject !== undefined) await lockSubject(tx, call.subject, 'shared');
      const row = await this.store.lock(tx, id);
      // Erased or called off while the vendor was asked.
      if (row?.status !== 'pending' || row.sessionId !== null || row.erasedAt !== null) return undefined;
      for (const rung of this.#rungs) {
        if (rung === 'queued' && (await this.queue.hasRoom(tx, row.clientId)))
          return this.toQueue(tx, call, row, body, failure);
        if (rung === 'manual' && (await this.hasReviewers(tx))) return this.toReview(tx, call, row, failure.code);
      }
      return undefined;
    });
    this.metrics.taken(taken?.rung ?? 'none', OPERATION);
    if (taken === undefined) {
      if (this.#rungs.length > 0) this.log.warn('no rung of the ladder has room', { callId: call.id });
      throw failure;
    }
    if (call.vendor !== undefined) call.vendor = { ...call.vendor, rung: taken.rung };
    return taken;
  }

  /**
   * The rung below the queue, for one whose waiting has come to nothing; its row is locked.
   * @param why allow-listed, for the record
   */
  async below(tx: Tx, asker: Background, row: VerificationEntity, why: string): Promise<VerificationEntity> {
    await this.queue.remove(tx, row.id);
    const person = row.erasedAt === null && this.#rungs.includes('manual') && (await this.hasReviewers(tx));
    this.metrics.left(person ? 'manual' : 'failed');
    if (person) return this.toReview(tx, asker, row, why);
    const changes = { rung: 'none' as const, steps: onRung(row.steps, 'none'), unsure: false };
    return this.progress.happen(tx, asker, row, 'create.given-up', changes, { rung: 'none', why });
  }

  private async toQueue(
    tx: Tx,
    call: Call,
    row: VerificationEntity,
    body: CreateBody,
    failure: ProblemError,
  ): Promise<VerificationEntity> {
    await this.queue.add(tx, row, body);
    const changes = { rung: 'queued' as const, steps: onRung(row.steps, 'queued') };
    return this.progress.happen(tx, call, row, 'create.queued', changes, { rung: 'queued', why: failure.code });
  }

  private toReview(tx: Tx, asker: Asker, row: VerificationEntity, why: string): Promise<VerificationEntity> {
    const changes = { rung: 'manual' as const, steps: onRung(row.steps, 'manual') };
    return this.progress.happen(tx, asker, row, 'review.requested', changes, { rung: 'manual', why });
  }

  private async hasReviewers(tx: Tx): Promise<boolean> {
    return (await this.store.countForReview(tx)) < this.config.fallback.reviewsTotal;
  }
}
