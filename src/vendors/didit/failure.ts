import { type ProblemCode, ProblemError } from '../../platform/index.js';

/** `none`: the vendor has certainly done nothing. `unknown`: it may have, and only asking it can tell. */
export type VendorOutcome = 'none' | 'unknown';

export interface VendorFailureOptions {
  outcome: VendorOutcome;
  /** HTTP status of the vendor's answer; 0 when none came. */
  status?: number;
  retryAfterSeconds?: number;
  /** For the record and the log: which check failed. Never the vendor's own text, and no cause beside it: errors of a parser quote the answer. */
  reason: string;
}

/** Didit's sliding windows are a minute long; where no time is named, a caller who waits this long meets a new state of things. */
const DEFAULT_RETRY_SECONDS = 10;

/** A call to the vendor that failed on the vendor's side or on the way: a problem of ours outside, and never its text. */
export class VendorFailure extends ProblemError {
  readonly problem: ProblemCode;
  readonly outcome: VendorOutcome;
  readonly vendorStatus: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: ProblemCode, options: VendorFailureOptions) {
    const retryAfter = options.retryAfterSeconds ?? DEFAULT_RETRY_SECONDS;
    super(problem, {
      rule: `vendor.${problem}`,
      reason: options.reason,
      ...(problem === 'vendor-unavailable' ? { headers: { 'retry-after': String(retryAfter) } } : {}),
    });
    this.name = 'VendorFailure';
    this.problem = problem;
    this.outcome = options.outcome;
    this.vendorStatus = options.status ?? 0;
    this.retryAfterSeconds = problem === 'vendor-unavailable' ? retryAfter : options.retryAfterSeconds;
  }
}
