import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, type Config, CONFIG, Log, type ProblemError, Rounds } from '../../platform/index.js';
import { VendorFailure } from '../../vendors/index.js';
import { VerificationStore } from '../verifications/verification-store.js';
import { Duties } from './duties.js';
import { FallbackMetrics } from './fallback-metrics.js';
import { FallbackLadder } from './ladder.js';
import { QueueBook } from './queue-book.js';
import { askerOf, QueueSender, SENDER } from './queue-sender.js';

const EVERY_MS = 1_000;
const MOST_CLIENTS = 100;
const MOST_OVER = 200;
/** The vendor's return is noticed within the longest pause. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4_000;

/**
 * Sends the queue once the vendor is back: by one instance at a time, each client's in the order in which they came, clients in turn, at
 * the pace that leaves the rest of the vendor's budget to calls.
 */
@Injectable()
export class QueueRounds implements OnApplicationBootstrap, OnApplicationShutdown {
  #rounds: Rounds | undefined;
  #stopping = false;
  #resumeAt = 0;
  #failures = 0;
  /** Whether the vendor took the last one. */
  #well = false;
  #allowance: number;
  #allowedAt: number;

  constructor(
    private readonly duties: Duties,
    private readonly queue: QueueBook,
    private readonly sender: QueueSender,
    private readonly ladder: FallbackLadder,
    private readonly store: VerificationStore,
    private readonly metrics: FallbackMetrics,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#allowance = this.burst;
    this.#allowedAt = clock.epochMs();
  }

  onApplicationBootstrap(): void {
    this.#rounds = new Rounds(SENDER, EVERY_MS, this.log, () => this.round());
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopping = true;
    await this.#rounds?.stop();
    await this.duties.letGo(SENDER);
  }

  async round(): Promise<void> {
    const { n, oldest } = await this.queue.waiting();
    this.metrics.queue(n, oldest);
    if (n === 0 || !(await this.duties.take(SENDER))) return;
    await this.tidy();
    await this.drain();
    const left = await this.queue.waiting();
    this.metrics.queue(left.n, left.oldest);
  }

  /** Past their time they go to the next rung; what was called off or erased is never sent. */
  private async tidy(): Promise<void> {
    for (const id of await this.queue.over(MOST_OVER)) {
      await this.store.transaction(async (tx) => {
        const row = await this.store.lock(tx, id);
        if (row === null || !(await this.queue.isFree(tx, id))) return;
        if (row.status === 'queued') await this.ladder.below(tx, askerOf(row), row, 'queued-too-long');
        else if (await this.queue.remove(tx, id)) this.metrics.left('dropped');
      });
    }
  }

  private async drain(): Promise<void> {
    while (this.clock.epochMs() >= this.#resumeAt) {
      const heads = await this.queue.heads(MOST_CLIENTS);
      if (heads.length === 0) return;
      for (const head of heads) {
        if (this.#stopping || !this.allowed() || !(await this.duties.take(SENDER))) return;
        const sent = await this.sender.send(head, (failure) => this.restMs(failure));
        if (sent === 'sent') this.#failures = 0;
        if (sent === 'sent' || sent === 'failed') this.#well = sent === 'sent';
        if (this.clock.epochMs() < this.#resumeAt) return;
      }
    }
  }

  /** Right after another was taken the trouble is that one's own, as far as one knows: it rests alone, and the next one tells. */
  private restMs(failure: ProblemError): number {
    return this.#well && failure.code !== 'vendor-unavailable' ? LONGEST_PAUSE_MS : this.pause(failure);
  }

  /** The whole queue rests, and the longer the more often it was in vain. @returns milliseconds */
  private pause(failure: ProblemError): number {
    const backoff = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    // The vendor's own Retry-After is a floor; where it said nothing, nothing was asked of it or it could not be heard.
    const told = failure instanceof VendorFailure && failure.vendorStatus !== 0 ? failure.retryAfterSeconds : undefined;
    const pauseMs = Math.max(backoff, (told ?? 0) * 1_000);
    this.#resumeAt = this.clock.epochMs() + pauseMs;
    return pauseMs;
  }

  /** A token bucket of the pace: what a round could not use up to one second's worth is there for the next. */
  private allowed(): boolean {
    const now = this.clock.epochMs();
    const { limit, windowMs } = this.config.fallback.pace;
    this.#allowance = Math.min(this.burst, this.#allowance + ((now - this.#allowedAt) * limit) / windowMs);
    this.#allowedAt = now;
    if (this.#allowance < 1) return false;
    this.#allowance -= 1;
    return true;
  }

  private get burst(): number {
    const { limit, windowMs } = this.config.fallback.pace;
    return Math.max(1, Math.ceil((limit * EVERY_MS * 2) / windowMs));
  }
}
