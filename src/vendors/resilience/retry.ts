import { DelegateBackoff, ExponentialBackoff, handleType, type IBackoff, retry as cockatielRetry } from 'cockatiel';
import { VendorFailure, VendorRefusal } from '../failure.js';
import type { Answered, Operation, Stage } from './passage.js';

export interface RetrySettings {
  most: number;
  firstDelay: number;
  longestDelay: number;
  share: number;
  burst: number;
}

export interface RetryParts {
  settings: RetrySettings;
  nowMs: () => number;
  /** Told of each repeat. */
  retried: (operation: string) => void;
}

/** Less time than this is too little for another attempt. */
const LEAST_MS = 50;

/** Repeats that may be made: a share of all calls, so that a failing vendor is not buried under them. */
export class RetryBudget {
  readonly #share: number;
  readonly #most: number;
  #tokens: number;

  constructor({ share, burst }: RetrySettings) {
    this.#share = share;
    this.#most = Math.max(burst, share > 0 ? 1 : 0);
    this.#tokens = burst;
  }

  /** A call was made for the first time. */
  earn(): void {
    this.#tokens = Math.min(this.#most, this.#tokens + this.#share);
  }

  /** @returns whether one more repeat may be made */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** A failure after which the call is to be made again. */
class Again extends Error {
  constructor(
    readonly failure: VendorFailure,
    readonly delayMs: number,
  ) {
    super('again');
  }
}

/** What is certain to have done nothing, and what may be done twice: only that is made again. */
export function isRepeatable(operation: Operation, spent: boolean, failure: VendorFailure): boolean {
  if (spent || failure instanceof VendorRefusal) return false;
  switch (failure.problem) {
    case 'vendor-unavailable':
      return true;
    case 'vendor-error':
      return (failure.outcome === 'none' && failure.vendorStatus === 0) || (operation.repeatable && isTrouble(failure));
    case 'vendor-timeout':
    case 'vendor-invalid-answer':
      return failure.outcome === 'none' || operation.repeatable;
    default:
      return false;
  }
}

function isTrouble({ vendorStatus }: VendorFailure): boolean {
  return vendorStatus === 0 || vendorStatus >= 500;
}

/** Makes a call again where that is safe, within the budget of repeats and the deadline; the vendor's Retry-After is the least wait. */
export function retry<T extends Answered>({ settings, nowMs, retried }: RetryParts): Stage<T> {
  const budget = new RetryBudget(settings);
  const delays = new ExponentialBackoff({ initialDelay: settings.firstDelay, maxDelay: settings.longestDelay });
  const policy = cockatielRetry(handleType(Again), {
    maxAttempts: settings.most,
    backoff: new DelegateBackoff(({ result }) =>
      'error' in result && result.error instanceof Again ? result.error.delayMs : 0,
    ),
  });

  return async (passage, next) => {
    budget.earn();
    let left = settings.most;
    let delay: IBackoff<unknown> | undefined;
    let last: VendorFailure | undefined;
    const once = async (): Promise<T> => {
      if (last !== undefined && passage.wanted.signal?.aborted === true) throw last;
      try {
        return await next(passage);
      } catch (error) {
        if (!(error instanceof VendorFailure)) throw error;
        // Turned away on a further attempt: what the caller hears is why the one before failed.
        const failure = error instanceof VendorRefusal && last !== undefined ? last : error;
        if (left === 0 || !isRepeatable(passage.operation, passage.wanted.spent, error)) throw failure;
        delay = delay === undefined ? delays.next() : delay.next(undefined);
        const delayMs = waitMs(error, delay.duration);
        if (nowMs() + delayMs + LEAST_MS > passage.wanted.deadlineMs || passage.wanted.signal?.aborted === true)
          throw failure;
        if (!budget.spend()) throw failure;
        left -= 1;
        last = failure;
        retried(passage.operation.name);
        throw new Again(failure, delayMs);
      }
    };
    return policy.execute(once);
  };
}

function waitMs({ problem, retryAfterSeconds }: VendorFailure, delayMs: number): number {
  const floor = problem === 'vendor-unavailable' || problem === 'vendor-error' ? (retryAfterSeconds ?? 0) * 1_000 : 0;
  return floor + delayMs;
}
