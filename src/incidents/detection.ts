/** The gateway opens a ticket when so many calls to a vendor failed in a window and they are at least half of those in it. */
const FEWEST_FAILURES = 5;
const WINDOW_S = 60;

/** Whole seconds of the epoch, both included. */
export interface Window {
  from: number;
  to: number;
  failed: number;
}

/** Windows that end with a failure and hold enough of them, the latest first. Whole seconds, as calls are counted. */
export function suspectWindows(failures: readonly Date[]): Window[] {
  const seconds = failures.map((at) => Math.floor(at.getTime() / 1_000)).sort((a, b) => a - b);
  const windows = new Map<number, Window>();
  let first = 0;
  for (const [last, to] of seconds.entries()) {
    while ((seconds[first] ?? to) <= to - WINDOW_S) first += 1;
    const failed = last - first + 1;
    if (failed >= FEWEST_FAILURES) windows.set(to, { from: to - WINDOW_S + 1, to, failed });
  }
  return [...windows.values()].reverse();
}

/** An instance that died before it told its calls leaves fewer of them than failures: those count at least. */
export function isOutage(failed: number, calls: number): boolean {
  return failed >= FEWEST_FAILURES && failed * 2 >= Math.max(calls, failed);
}
