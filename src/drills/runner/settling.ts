import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from './caller.js';
import type { Outcome } from './load.js';
import type { Stage } from './stage.js';

const ASK_EVERY_MS = 200;
/** The person at the vendor's page always passes: another decision would be a lie that was believed. */
const TRUTH = 'approved';
/** Where a verification stands that has come to its end without the vendor, by a rung that the client was told of. */
const ENDED = new Set(['cancelled', 'expired', 'abandoned']);

/**
 * Verifications that were answered as made and, so long after the load, are not there or have never reached the vendor.
 * @param withinMs how long the first of the queue may take to be sent; the others follow at its pace
 */
export async function lost(
  { caller, config }: Pick<Stage, 'caller' | 'config'>,
  outcomes: readonly Outcome[],
  withinMs: number,
): Promise<string[]> {
  const { limit, windowMs } = config.fallback.pace;
  const queued = outcomes.filter(({ rung }) => rung === 'queued').length;
  const promised = outcomes.flatMap(({ status, verification }) =>
    status >= 200 && status < 300 && verification !== undefined ? [verification] : [],
  );
  const unanswerable = outcomes.filter(
    ({ kind, status, verification }) =>
      kind === 'creates' && status >= 200 && status < 300 && verification === undefined,
  );
  const missing = await remaining(promised, withinMs + (queued * windowMs) / limit, async (id) => {
    const { status, body } = await caller.v1(`/verifications/${id}`);
    const { sessionId } = (body['vendor'] ?? {}) as { sessionId?: unknown };
    return status === 200 && (typeof sessionId === 'string' || ENDED.has(String(body['status'])));
  });
  return [...missing, ...unanswerable.map(() => 'a create without an id')];
}

/** Verifications whose persons were done at the vendor and that are not decided here in time. */
export function undecided(caller: Caller, finished: readonly string[], withinMs: number): Promise<string[]> {
  return remaining(
    finished,
    withinMs,
    async (id) => (await caller.v1(`/verifications/${id}`)).body['status'] === TRUTH,
  );
}

/** Sessions beyond the first that the vendor made for one and the same verification. */
export async function doubled(stage: Stage, outcomes: readonly Outcome[], since: Date): Promise<number | undefined> {
  const made = await stage.sessionsMade(since);
  if (made === undefined) return undefined;
  let beyond = 0;
  const references = new Set(outcomes.flatMap(({ reference }) => (reference === undefined ? [] : [reference])));
  for (const [vendorData, sessions] of made) {
    const reference = vendorData.slice(vendorData.indexOf(':') + 1);
    if (references.has(reference)) beyond += sessions.size - 1;
  }
  return beyond;
}

/** Those for which `holds` has not come true in time. */
async function remaining(
  ids: readonly string[],
  withinMs: number,
  holds: (id: string) => Promise<boolean>,
): Promise<string[]> {
  const end = performance.now() + withinMs;
  let left = [...new Set(ids)];
  for (;;) {
    const answers = await Promise.all(left.map(async (id) => (await holds(id).catch(() => false)) || id));
    left = answers.filter((answer): answer is string => typeof answer === 'string');
    if (left.length === 0 || performance.now() >= end) return left;
    await sleep(ASK_EVERY_MS);
  }
}
