import type { DrillReport } from '../report/schema.js';
import type { Outcome } from './load.js';

/** What an answer is to its caller. */
type Sort = 'fresh' | 'fallback' | 'refused' | 'failed';

/** A refusal that comes within this is one: it took nobody's time. */
const FAST_MS = 250;
/** So many good answers at the end say that the system is well again. */
const GOOD_AT_THE_END = 3;

export function sortOf({ status, rung }: Outcome): Sort {
  if (status >= 200 && status < 300) return rung === 'fresh' ? 'fresh' : 'fallback';
  return status === 429 || status === 503 ? 'refused' : 'failed';
}

export function latenessMs({ dueMs, answeredMs }: Outcome): number {
  return Math.round(answeredMs - dueMs);
}

/** When the first caller who came after the fault began got a labelled fallback or a refusal that was fast. */
export function fellBack(outcomes: readonly Outcome[], faultMs: number): { ms: number; to: string } | undefined {
  const [first] = outcomes
    .filter((outcome) => outcome.dueMs >= faultMs)
    .filter((outcome) => {
      const sort = sortOf(outcome);
      return sort === 'fallback' || (sort === 'refused' && latenessMs(outcome) <= FAST_MS);
    })
    .toSorted((one, other) => one.answeredMs - other.answeredMs);
  if (first === undefined) return undefined;
  const to = sortOf(first) === 'fallback' ? `rung ${first.rung}` : `refusal ${first.status}`;
  return { ms: Math.round(first.answeredMs - faultMs), to };
}

/** From the end of the faults to the last answer that was not a fresh one; undefined while the end of the load is not good. */
export function recoveredMs(outcomes: readonly Outcome[], endMs: number): number | undefined {
  const after = outcomes.filter(({ dueMs }) => dueMs >= endMs).toSorted((one, other) => one.dueMs - other.dueMs);
  const lastBad = after.findLastIndex((outcome) => sortOf(outcome) !== 'fresh');
  if (after.length - 1 - lastBad < GOOD_AT_THE_END) return undefined;
  const bad = after[lastBad];
  return bad === undefined ? 0 : Math.max(0, Math.round(bad.answeredMs - endMs));
}

export function timeline(outcomes: readonly Outcome[]): DrillReport['timeline'] {
  const rows = new Map<number, DrillReport['timeline'][number]>();
  for (const outcome of outcomes) {
    const second = Math.floor(outcome.dueMs / 1_000);
    const row = rows.get(second) ?? { second, fresh: 0, fallback: 0, refused: 0, failed: 0, slowestMs: 0 };
    row[sortOf(outcome)] += 1;
    row.slowestMs = Math.max(row.slowestMs, latenessMs(outcome));
    rows.set(second, row);
  }
  return [...rows.values()].sort((one, other) => one.second - other.second);
}

export function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}
