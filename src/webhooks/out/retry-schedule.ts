/** Either way, so that what failed together does not come back together. */
const JITTER = 0.2;

/**
 * When a delivery that has been tried so often is tried again.
 * @param delaysMs before each repeat
 * @param retryAfterMs the least, as the receiver asks
 * @returns milliseconds from now; undefined when it has been tried often enough
 */
export function nextAttemptMs(
  delaysMs: readonly number[],
  attempts: number,
  retryAfterMs: number | undefined,
  random: () => number = Math.random,
): number | undefined {
  const delay = delaysMs[attempts - 1];
  if (delay === undefined) return undefined;
  const jittered = delay * (1 + JITTER * (2 * random() - 1));
  return Math.round(Math.max(jittered, retryAfterMs ?? 0));
}

/** Failures in a row from which on an endpoint rests. */
export const FAILURES_TO_REST = 5;
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 300_000;

/** How long an endpoint rests after so many failures in a row; after that one attempt shows whether it is back. */
export function restMs(failuresInRow: number): number {
  if (failuresInRow < FAILURES_TO_REST) return 0;
  return Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** Math.min(failuresInRow - FAILURES_TO_REST, 20));
}
