/** Lengths of time of a shipper, in milliseconds. */
export interface Pace {
  /** How long it waits before it looks again, when there is nothing to ship or another instance ships. */
  idle: number;
  /** How long the right to ship lasts when it is not renewed: a dead instance keeps others waiting no longer. */
  lease: number;
  renew: number;
  /** Longest a receiver may take to acknowledge a batch; an indexer of Splunk takes minutes. Receivers have shorter limits of their own. */
  send: number;
  firstRetry: number;
  longestRetry: number;
  /** How long a stop waits for the batch under way and for what came last. */
  farewell: number;
}

export const PACE: Pace = {
  idle: 500,
  lease: 10_000,
  renew: 3_000,
  send: 360_000,
  firstRetry: 500,
  longestRetry: 60_000,
  farewell: 3_000,
};

/** Rejects with the signal's reason. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

/** Resolves after this time, or when the signal ends the waiting. */
export function wait(ms: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      stopping.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stopping.addEventListener('abort', done, { once: true });
    if (stopping.aborted) done();
  });
}
