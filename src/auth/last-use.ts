import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Clock, Database, Log } from '../platform/index.js';

const NOTED_EVERY_MS = 60_000;
const WRITTEN_EVERY_MS = 10_000;
const MOST_NOTED = 20_000;

/** When a key was last used, to the minute: noted in memory by the call, written for many keys at once and off the way of any call. */
@Injectable()
export class LastUse implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #noted = new Map<string, number>();
  #unwritten = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Costs a map look-up when the key was noted within the minute. */
  note(keyId: string): void {
    const now = this.clock.epochMs();
    const before = this.#noted.get(keyId);
    if (before !== undefined && now - before < NOTED_EVERY_MS) return;
    if (this.#noted.size >= MOST_NOTED) this.#noted.clear();
    this.#noted.set(keyId, now);
    this.#unwritten.set(keyId, now);
  }

  /** Writes what was noted; a note that cannot be written is dropped, since the next minute brings another. */
  async write(): Promise<void> {
    if (this.#unwritten.size === 0) return;
    const batch = this.#unwritten;
    this.#unwritten = new Map();
    try {
      await this.database.query(
        `UPDATE auth.api_keys k SET last_used_at = n.at
           FROM unnest($1::uuid[], $2::timestamptz[]) AS n (id, at)
          WHERE k.id = n.id AND (k.last_used_at IS NULL OR k.last_used_at < n.at)`,
        [[...batch.keys()], [...batch.values()].map((ms) => new Date(ms))],
      );
    } catch (error) {
      this.log.warn('the last use of API keys could not be written', { error, count: batch.size });
    }
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.write(), WRITTEN_EVERY_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }
}
