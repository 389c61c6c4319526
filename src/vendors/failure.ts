import { type ProblemCode, ProblemError } from '../platform/index.js';

/** `none`: the vendor has certainly done nothing. `unknown`: it may have, and only asking it can tell. */
export type VendorOutcome = 'none' | 'unknown';

export interface VendorFailureOptions {
  outcome: VendorOutcome;
  /** HTTP status of the vendor's answer; 0 when none came. */
  status?: number;
  retryAfterSeconds?: number;
  /** How many times it was sent; 1 unless told. */
  attempts?: number;
  /** For the record and the log: which check failed. Never the vendor's own text, and no cause beside it: errors of a parser quote the answer. */
  reason: string;
}

/** Didit's sliding windows are a minute long; where no time is named, a caller who waits this long meets a new state of things. */
const DEFAULT_RETRY_SECONDS = 10;

/** Problems whose answer says when to come again. */
const WAITS: ReadonlySet<ProblemCode> = new Set(['vendor-unavailable', 'vendor-budget-exceeded', 'overloaded']);

/** A call to the vendor that failed on the vendor's side or on the way: a problem of ours outside, and never its text. */
export class VendorFailure extends ProblemError {
  readonly problem: ProblemCode;
  readonly outcome: VendorOutcome;
  readonly vendorStatus: number;
  readonly retryAfterSeconds: number | undefined;
  readonly attempts: number;

  constructor(problem: ProblemCode, options: VendorFailureOptions) {
    const retryAfter = options.retryAfterSeconds ?? DEFAULT_RETRY_SECONDS;
    super(problem, {
      rule: `vendor.${problem}`,
      reason: options.reason,
      ...(WAITS.has(problem) ? { headers: { 'retry-after': String(retryAfter) } } : {}),
    });
    this.name = 'VendorFailure';
    this.problem = problem;
    this.outcome = options.outcome;
    this.vendorStatus = options.status ?? 0;
    this.retryAfterSeconds = WAITS.has(problem) ? retryAfter : options.retryAfterSeconds;
    this.attempts = options.attempts ?? 1;
  }

  /** The same failure, as it stands for a call for which it was sent so many times. */
  after(attempts: number): VendorFailure {
    const { outcome, vendorStatus: status, reason, retryAfterSeconds } = this;
    return new VendorFailure(this.problem, {
      outcome,
      status,
      reason,
      attempts,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }
}

/** A call that the gateway itself did not let out: nothing was sent, and no vendor has failed at it. */
export class VendorRefusal extends VendorFailure {
  constructor(problem: ProblemCode, reason: string, retryAfterSeconds?: number) {
    super(problem, {
      outcome: 'none',
      reason,
      attempts: 0,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
    this.name = 'VendorRefusal';
  }
}
