import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, Log, Outbox } from '../platform/index.js';
import { Detector } from './detector.js';
import { VendorCallCounts } from './vendor-call-counts.js';

const LOOK_EVERY_MS = 5_000;
const PRUNE_EVERY_MS = 600_000;
const KEEP_SIGNALS_MS = 30 * 86_400_000;
const KEEP_CALLS_MS = 3_600_000;

/** Has the detector look every few seconds, and drops what it has long passed. */
@Injectable()
export class Watch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #prunedAt = 0;
  #failing = false;

  constructor(
    private readonly detector: Detector,
    private readonly outbox: Outbox,
    private readonly calls: VendorCallCounts,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      this.#looking ??= this.look().finally(() => (this.#looking = undefined));
    }, LOOK_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Never rejects: the next look finds what this one could not see. One line tells that it fails, not one a look. */
  private async look(): Promise<void> {
    try {
      await this.detector.look();
      await this.prune();
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.log.error('the detector of incidents cannot look', { error });
      this.#failing = true;
    }
  }

  private async prune(): Promise<void> {
    const now = this.clock.epochMs();
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = now;
    await this.outbox.prune(new Date(now - KEEP_SIGNALS_MS));
    await this.calls.pruneHeld(new Date(now - KEEP_SIGNALS_MS));
    await this.calls.prune(new Date(now - KEEP_CALLS_MS));
  }
}
