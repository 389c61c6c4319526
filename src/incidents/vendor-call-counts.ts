import { randomUUID } from 'node:crypto';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, Database, Log, type Tx } from '../platform/index.js';
import { DiditVendor } from '../vendors/index.js';
import type { Window } from './detection.js';

export const TELL_EVERY_MS = 2_000;
/** While the database is away the counts of so many seconds are held; a window is never longer. */
const MOST_SECONDS = 120;

/**
 * How many calls the instances make to the vendor, by the second: counted in memory where they end, told to Postgres every two seconds,
 * so that a call costs an addition. What a killed instance had not told yet only makes the failures weigh more.
 */
@Injectable()
export class VendorCallCounts implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #instance = randomUUID();
  #calls = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly vendor: DiditVendor,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    const count = (): void => this.count();
    this.vendor.observe({ onAnswer: count, onFailure: count });
    this.#timer = setInterval(() => void this.tell(), TELL_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.tell();
  }

  count(): void {
    const second = Math.floor(this.clock.epochMs() / 1_000);
    this.#calls.set(second, (this.#calls.get(second) ?? 0) + 1);
    if (this.#calls.size > MOST_SECONDS) this.#calls.delete(this.#calls.keys().next().value ?? second);
  }

  /** Adds what was counted since the last time. Never rejects: what could not be told is told with the next. */
  async tell(): Promise<void> {
    const calls = this.#calls;
    if (calls.size === 0) return;
    this.#calls = new Map();
    try {
      await this.database.query(
        `INSERT INTO incidents.vendor_calls AS v (vendor, second, instance, calls)
         SELECT 'didit', to_timestamp(second), $1, calls FROM unnest($2::bigint[], $3::integer[]) AS t (second, calls)
         ON CONFLICT (vendor, second, instance) DO UPDATE SET calls = v.calls + excluded.calls`,
        [this.#instance, [...calls.keys()], [...calls.values()]],
      );
    } catch (error) {
      this.log.warn('the number of vendor calls could not be told', { error });
      for (const [second, n] of calls) this.#calls.set(second, (this.#calls.get(second) ?? 0) + n);
    }
  }

  /** Calls of all instances in a window of whole seconds. */
  async within(tx: Tx, vendor: string, { from, to }: Window): Promise<number> {
    const [row] = await tx.query<{ calls: number }[]>(
      `SELECT coalesce(sum(calls), 0)::integer AS calls FROM incidents.vendor_calls
        WHERE vendor = $1 AND second BETWEEN to_timestamp($2) AND to_timestamp($3)`,
      [vendor, from, to],
    );
    return row?.calls ?? 0;
  }

  async prune(before: Date): Promise<void> {
    await this.database.query('DELETE FROM incidents.vendor_calls WHERE second < $1', [before]);
  }
}
