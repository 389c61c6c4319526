import type { Config } from '../../platform/index.js';
import type { Attempt } from '../proxy/attempts.js';
import { recordsSince } from './books.js';
import type { Caller } from './caller.js';

export type BreakerSettings = Pick<
  Config['vendors']['didit']['breaker'],
  'open' | 'longestOpen' | 'probes' | 'probeEvery'
>;

/** As the records name the breaker of the whole vendor. */
const WHOLE = '*';

/** When a breaker was not closed, by the gateway's own books. */
export interface OpenTime {
  operation: string;
  fromMs: number;
  /** Infinite while it is still open. */
  toMs: number;
}

/** What reached a dead vendor through a breaker that was not closed, and what may have at most. */
export interface Probing {
  operation: string;
  attempts: readonly Attempt[];
  most: number;
}

export function breakerName(operation: string): string {
  return operation === WHOLE ? 'the whole vendor’s breaker' : `the breaker of ${operation}`;
}

export async function openTimes(caller: Caller, since: Date): Promise<OpenTime[]> {
  const [opened, closed] = await Promise.all([
    recordsSince(caller, since, { kind: 'vendor.breaker-opened' }),
    recordsSince(caller, since, { kind: 'vendor.breaker-closed' }),
  ]);
  const operationOf = (detail: Record<string, unknown> = {}): string => String(detail['operation']);
  const closings = closed.map(({ record: { at, detail } }) => ({
    operation: operationOf(detail),
    atMs: Date.parse(at),
  }));
  return opened
    .map(({ record: { at, detail } }) => {
      const [operation, fromMs] = [operationOf(detail), Date.parse(at)];
      const ends = closings.filter((one) => one.operation === operation && one.atMs >= fromMs).map(({ atMs }) => atMs);
      return { operation, fromMs, toMs: Math.min(Infinity, ...ends) };
    })
    .sort((one, other) => one.fromMs - other.fromMs);
}

/**
 * How often a breaker lets its probes through at most in so long a time before a vendor that stays dead: after each wait, which doubles
 * up to its longest, and where a probe hangs in place of it after its interval.
 */
export function rounds(forMs: number, { open, longestOpen, probeEvery }: BreakerSettings): number {
  let round = 0;
  for (let atMs = open; atMs <= forMs; atMs += Math.min(longestOpen, open * 2 ** round, probeEvery)) round += 1;
  return round;
}

/**
 * Attempts that met a fault and had left while their own operation's breaker, or the whole vendor's, was not closed; breaker by breaker.
 * @param overMs when the vendor was well again
 */
export function probings(
  attempts: readonly Attempt[],
  times: readonly OpenTime[],
  settings: BreakerSettings,
  overMs: number,
): Probing[] {
  const dead = attempts.filter(({ struck, leftMs }) => struck && leftMs <= overMs);
  const inTime = times.filter(({ fromMs }) => fromMs <= overMs);
  const breakers = new Set(inTime.map(({ operation }) => operation));
  return [...breakers].map((operation) => {
    const own = inTime.filter((time) => time.operation === operation);
    const through = dead.filter(
      (attempt) =>
        (operation === WHOLE || attempt.operation === operation) && own.some((time) => within(attempt, time)),
    );
    const most = own.reduce((sum, { fromMs, toMs }) => {
      const endMs = Math.min(toMs, overMs);
      // An operation may try again at once when the whole vendor has shown to be well.
      const again = inTime.filter(
        (time) => time.operation === WHOLE && time.toMs > fromMs && time.toMs <= endMs,
      ).length;
      return sum + rounds(endMs - fromMs, settings) + (operation === WHOLE ? 0 : again);
    }, 0);
    return { operation, attempts: through, most: most * settings.probes };
  });
}

/** Attempts of an operation that left before the time that a 429 had named for it. */
export function early(attempts: readonly Attempt[]): number {
  return attempts.filter(({ operation, leftMs }) =>
    attempts.some(
      (told) =>
        told.operation === operation && told.away !== undefined && leftMs > told.away.fromMs && leftMs < told.away.toMs,
    ),
  ).length;
}

/** What left in the millisecond of the opening left before it: nothing may for some time. */
function within({ leftMs }: Attempt, { fromMs, toMs }: OpenTime): boolean {
  return leftMs > fromMs && leftMs <= toMs;
}
