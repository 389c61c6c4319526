import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ErasureJournal, erasuresInLog } from '../../audit/index.js';
import { Clock, Database, Log, Rounds } from '../../platform/index.js';
import { ErasureReplay } from './erasure-replay.js';
import { ErasureStore } from './erasure-store.js';
import { journaled } from './erasure-writer.js';

const EVERY_MS = 30_000;
const MOST_MIRRORED = 1_000;
/** A record can be visible that much later than its instant says. */
const OVERLAP_MS = 600_000;
/** Calls that were under way at an erasure are long over after this. */
const LATE_MS = 600_000;
const MOST_LATE = 200;

/**
 * Keeps erasures done: replays the journal before the house serves, takes into it what other instances erased, and erases what calls that
 * were under way at an erasure have left behind it, such as the key of their own digests.
 */
@Injectable()
export class ErasureRounds implements OnApplicationBootstrap, OnApplicationShutdown {
  #rounds: Rounds | undefined;
  #mirrored = new Date(0);

  constructor(
    private readonly replay: ErasureReplay,
    private readonly journal: ErasureJournal,
    private readonly store: ErasureStore,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.replay.replay(this.journal);
    await this.mirror();
    this.#rounds = new Rounds('erasures', EVERY_MS, this.log, () => this.round());
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#rounds?.stop();
  }

  async round(): Promise<void> {
    await this.mirror();
    await this.late();
  }

  private async mirror(): Promise<void> {
    for (let since = new Date(this.#mirrored.getTime() - OVERLAP_MS); ;) {
      const { erasures, last, full } = await erasuresInLog(this.database, since, MOST_MIRRORED);
      await this.journal.add(erasures);
      if (last !== undefined && last > this.#mirrored) this.#mirrored = last;
      if (!full || last === undefined) return;
      since = last > since ? last : new Date(since.getTime() + 1);
    }
  }

  /** Several instances do no harm: they wait for each other at the subject, and the second finds nothing. */
  private async late(): Promise<void> {
    const since = new Date(this.clock.epochMs() - LATE_MS);
    const recent = await this.database.transaction((tx) => this.store.since(tx, since, MOST_LATE));
    for (const erasure of recent) await this.replay.again(journaled(erasure));
  }
}
