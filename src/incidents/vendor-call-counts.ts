import { randomUUID } from 'node:crypto';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, Database, Log, type Tx } from '../platform/index.js';
import { DiditVendor } from '../vendors/index.js';
import type { Window } from './detection.js';

export const TELL_EVERY_MS = 2_000;
/** While the database is away the counts of so many seconds are held; a window is never longer. */
const MOST_SECONDS = 120;

interface Second {
  calls: number;
  held: number;
}

/**
 * How many calls the instances make to the vendor, by the second: counted in memory where they end, told to Postgres every two seconds,
 * so that a call costs an addition. What a killed instance had not told yet only makes the failures weigh more.
 */
@Injectable()
export class VendorCallCounts implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #instance = randomUUID();
  #calls = new Map<number, Second>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly vendor: DiditVendor,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.vendor.observe({ onAnswer: () => this.count(false), onFailure: ({ heldBack }) => this.count(heldBack) });
    this.#timer = setInterval(() => void this.tell(), TELL_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.tell();
  }

  /** @param heldBack whether the gateway did not let it out because the vendor fails */
  count(heldBack: boolean): void {
    const second = Math.floor(this.clock.epochMs() / 1_000);
    const { calls, held } = this.#calls.get(second) ?? { calls: 0, held: 0 };
    this.#calls.set(second, { calls: calls + 1, held: held + (heldBack ? 1 : 0) });
    if (this.#calls.size > MOST_SECONDS) this.#calls.delete(this.#calls.keys().next().value ?? second);
  }

  /** Adds what was counted since the last time. Never rejects: what could not be told is told with the next. */
  async tell(): Promise<void> {
    const calls = this.#calls;
    if (calls.size === 0) return;
    this.#calls = new Map();
    const seconds = [...calls.keys()];
    const counts = [...calls.values()];
    try {
      await this.database.transaction(async (tx) => {
        await this.add(
          tx,
          'vendor_calls',
          'calls',
          seconds,
          counts.map((one) => one.calls),
        );
        if (counts.some(({ held }) => held > 0))
          await this.add(
            tx,
            'held_calls',
            'held',
            seconds,
            counts.map((one) => one.held),
          );
      });
    } catch (error) {
      this.log.warn('the number of vendor calls could not be told', { error });
      for (const [second, one] of calls) {
        const { calls: n, held } = this.#calls.get(second) ?? { calls: 0, held: 0 };
        this.#calls.set(second, { calls: n + one.calls, held: held + one.held });
      }
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

  /** Calls that were held back since an instant, by the second, oldest first. */
  async heldSince(tx: Tx, vendor: string, from: Date): Promise<{ at: Date; calls: number }[]> {
    return tx.query(
      `SELECT second AS at, sum(held)::integer AS calls FROM incidents.held_calls
        WHERE vendor = $1 AND second >= $2 AND held > 0 GROUP BY second ORDER BY second`,
      [vendor, from],
    );
  }

  async prune(before: Date): Promise<void> {
    await this.database.query('DELETE FROM incidents.vendor_calls WHERE second < $1', [before]);
  }

  /** Those held back are part of an incident's figure for as long as its signals are. */
  async pruneHeld(before: Date): Promise<void> {
    await this.database.query('DELETE FROM incidents.held_calls WHERE second < $1', [before]);
  }

  private async add(tx: Tx, table: string, column: string, seconds: number[], counts: number[]): Promise<void> {
    await tx.query(
      `INSERT INTO incidents.${table} AS v (vendor, second, instance, ${column})
       SELECT 'didit', to_timestamp(second), $1, n FROM unnest($2::bigint[], $3::integer[]) AS t (second, n) WHERE n > 0
       ON CONFLICT (vendor, second, instance) DO UPDATE SET ${column} = v.${column} + excluded.${column}`,
      [this.#instance, seconds, counts],
    );
  }
}
