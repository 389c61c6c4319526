import { VendorFailure } from '../failure.js';
import type { Answered, Passage, Stage } from './passage.js';

/** How old a call may be that another one joins: an answer is never much older than the question. */
const YOUNG_MS = 500;
const MOST_UNDER_WAY = 10_000;

const NOBODY = new Error('nobody waits for it');
/** The last who waited had no more time: what the vendor did not do in it is the vendor's, as it is in a call that nobody shares. */
export const TIME_IS_OVER = new Error('nobody has time for it');

interface Run<T> {
  readonly answer: Promise<T>;
  readonly startedMs: number;
  readonly deadlineMs: number;
  readonly abort: AbortController;
  askers: number;
  /** Why the last who left did. */
  left: Error;
  ended: boolean;
}

export interface CollapseParts {
  nowMs: () => number;
  /** Milliseconds that a call may take, by the passage's operation. */
  longestMs: (passage: Passage<Answered>) => number;
  collapsed: () => void;
}

/**
 * Equal reads that come while one of them is under way get its answer. Each caller keeps its own deadline and may go without ending it for
 * the others; it ends with the last of them. A read joins none that began before a change was answered, and what a webhook gave rise to
 * joins none at all: both would read the past.
 */
export function collapse<T extends Answered>(parts: CollapseParts): Stage<T> {
  const runs = new Map<string, Run<T>>();
  let changedMs = -Infinity;

  return async (passage, next) => {
    if (passage.operation.changes) {
      try {
        return await next(passage);
      } finally {
        changedMs = parts.nowMs();
      }
    }
    const { key, priority } = passage.wanted;
    if (key === undefined || priority === 'critical') return next(passage);
    const nowMs = parts.nowMs();
    const known = runs.get(key);
    if (known !== undefined && nowMs - known.startedMs < YOUNG_MS && known.startedMs > changedMs && known.askers > 0) {
      parts.collapsed();
      passage.collapsed = true;
      return join(known, passage);
    }
    if (runs.size >= MOST_UNDER_WAY) return next(passage);
    const abort = new AbortController();
    const deadlineMs = nowMs + parts.longestMs(passage);
    const shared = passage.shared(abort.signal, deadlineMs);
    const run: Run<T> = {
      answer: next(shared),
      startedMs: nowMs,
      deadlineMs,
      abort,
      askers: 0,
      left: NOBODY,
      ended: false,
    };
    runs.set(key, run);
    const ended = (): void => {
      run.ended = true;
      if (runs.get(key) === run) runs.delete(key);
    };
    run.answer.then(ended, ended);
    try {
      return await join(run, passage);
    } finally {
      passage.attempts = shared.attempts;
    }
  };

  async function join(run: Run<T>, passage: Passage<T>): Promise<T> {
    run.askers += 1;
    try {
      return await own(run, passage);
    } finally {
      run.askers -= 1;
      // Only what still runs: to abort makes an error object, which costs more than all the rest of this stage.
      if (run.askers === 0 && !run.ended) run.abort.abort(run.left);
    }
  }

  /** The shared answer, unless this caller goes or its time is over before. */
  function own(run: Run<T>, passage: Passage<T>): Promise<T> {
    const { signal, deadlineMs } = passage.wanted;
    const sooner = deadlineMs < run.deadlineMs;
    if (signal === undefined && !sooner) return run.answer;
    return new Promise((resolve, reject) => {
      const end = (left: Error, reason: string): void => {
        run.left = left;
        reject(new VendorFailure('vendor-timeout', { outcome: 'unknown', reason }));
      };
      const gone = (): void => end(NOBODY, 'the call was given up');
      const late = (): void => end(TIME_IS_OVER, 'no answer in time');
      const timer = sooner ? setTimeout(late, Math.max(0, deadlineMs - parts.nowMs())) : undefined;
      if (signal?.aborted === true) gone();
      signal?.addEventListener('abort', gone, { once: true });
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', gone);
      };
      run.answer.then(resolve, reject).finally(settle);
    });
  }
}
