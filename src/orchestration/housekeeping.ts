import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, Database, Log, Vault, Rounds } from '../platform/index.js';
import { CachedAnswers } from '../vendors/index.js';
import { IdempotencyStore } from './idempotency/idempotency-store.js';
import { OneTimeCodes } from './ownership/one-time-codes.js';

const EVERY_MS = 60_000;

/** Removes what was kept long enough: keys with their answers, claims on one-time codes, and whatever else in the vault has lived its time. */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  #rounds: Rounds | undefined;

  constructor(
    private readonly keys: IdempotencyStore,
    private readonly codes: OneTimeCodes,
    private readonly vault: Vault,
    private readonly cached: CachedAnswers,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.#rounds = new Rounds('housekeeping', EVERY_MS, this.log, () => this.sweep());
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#rounds?.stop();
  }

  /** A bounded number at once: what is left waits for the next round. */
  async sweep(): Promise<void> {
    await this.keys.sweep(this.clock.now());
    await this.codes.sweep(this.clock.now());
    await this.database.transaction((tx) => this.vault.sweep(tx));
    await this.database.transaction((tx) => this.cached.trim(tx));
  }
}
