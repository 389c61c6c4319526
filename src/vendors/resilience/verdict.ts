import { VendorFailure, VendorRefusal } from '../failure.js';
import type { PermitResult } from './breaker.js';
import type { OperationClass, Trip } from './passage.js';

/** Timers fire a little early, and a window of time need not be met to the millisecond. */
const NEARLY = 0.95;

export interface Patience {
  /** Milliseconds from which on an answer is slow, by class. */
  slow: Readonly<Record<OperationClass, number>>;
  timeouts: Readonly<Record<OperationClass, number>>;
}

export interface Course {
  operation: OperationClass;
  trip: Trip;
  elapsedMs: number;
  /** Whether the caller has gone. */
  gone: boolean;
}

/**
 * What an attempt tells of the vendor. Its trouble alone counts: 5xx, time-outs, broken connections, answers that cannot be used. A
 * refusal that the request brought upon itself is an answer like any other; a caller that went away, had no time or sent its upload
 * slowly tells nothing.
 */
export function verdictOf(error: unknown, course: Course, patience: Patience): PermitResult {
  const vendorMs = course.elapsedMs - course.trip.waitedForCallerMs();
  const nothing = course.trip.sent === 0 ? 'unsent' : 'nothing';
  const slowMs = Math.min(patience.slow[course.operation], patience.timeouts[course.operation] * NEARLY);
  if (error === undefined) return vendorMs >= slowMs ? 'slow' : 'success';
  if (!(error instanceof VendorFailure) || error instanceof VendorRefusal || course.gone) return nothing;
  switch (error.problem) {
    case 'vendor-timeout':
      return vendorMs >= slowMs * NEARLY || isUnreachable(error) ? 'failure' : nothing;
    case 'vendor-invalid-answer':
      return 'failure';
    case 'vendor-error':
      return error.vendorStatus === 0 || error.vendorStatus >= 500 ? 'failure' : 'success';
    default:
      // Credentials, credit, 429: it is there and answers.
      return 'success';
  }
}

/** No connection came about: that is the vendor's whole house and not one operation. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof VendorFailure && error.outcome === 'none' && error.reason.startsWith('transport.');
}
