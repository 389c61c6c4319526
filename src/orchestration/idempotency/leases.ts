import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, Log, uuidv7, Rounds } from '../../platform/index.js';
import { IdempotencyStore } from './idempotency-store.js';

/** How long a key stays taken after its call was last known to run: the wait of a repeat after a crash. */
export const LEASE_MS = 10_000;
const RENEW_EVERY_MS = 3_000;
/** A call that has not ended by then never will: its key is free for a repeat. */
const LONGEST_CALL_MS = 180_000;

interface Held {
  id: string;
  holder: string;
  since: number;
}

/** Keeps the keys of running calls taken, so that a slow call is not mistaken for a dead one and a dead one soon is. */
@Injectable()
export class Leases implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #held = new Map<string, Held>();
  #rounds: Rounds | undefined;

  constructor(
    private readonly store: IdempotencyStore,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#rounds = new Rounds('idempotency.renew', RENEW_EVERY_MS, this.log, () => this.renew());
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#rounds?.stop();
  }

  until(now: number): Date {
    return new Date(now + LEASE_MS);
  }

  hold(id: string, holder: string): void {
    this.#held.set(holder, { id, holder, since: this.clock.epochMs() });
  }

  drop(holder: string): void {
    this.#held.delete(holder);
  }

  /** Takes a key that no call holds, for work in the background. @returns a function that lets go of it; undefined when it is held. */
  async borrow(id: string): Promise<(() => Promise<void>) | undefined> {
    const now = this.clock.now();
    const holder = uuidv7(now.getTime());
    if (!(await this.store.borrow(id, holder, now, this.until(now.getTime())))) return undefined;
    this.hold(id, holder);
    return async () => {
      this.drop(holder);
      await this.store.letGo(id, holder, this.clock.now());
    };
  }

  /** One statement for all calls that have run for longer than a round; most calls never need one. */
  async renew(): Promise<void> {
    const now = this.clock.epochMs();
    const long = [...this.#held.values()].filter((held) => now - held.since >= RENEW_EVERY_MS);
    for (const held of long) if (now - held.since > LONGEST_CALL_MS) this.#held.delete(held.holder);
    if (long.length > 0) await this.store.renew(long, this.until(now));
  }
}
