import type { ProblemCode } from '../../platform/index.js';
import type { VendorOutcome } from '../failure.js';
import type { OperationName } from './operations.js';

/** One call as it ended, for signals, service levels and metrics. */
export interface VendorCallReport {
  vendor: 'didit';
  operation: OperationName;
  /** HTTP status of the vendor's answer; 0 when none came. */
  status: number;
  attempts: number;
  durationUs: number;
}

export interface VendorFailureReport extends VendorCallReport {
  problem: ProblemCode;
  outcome: VendorOutcome;
  /** Which check failed; no text of the vendor's. */
  reason: string;
  /** Whether the gateway itself did not let it out, because the vendor fails or asked for a pause: `problem` is `vendor-unavailable`. */
  heldBack: boolean;
}

/** Told of every call to the vendor once it has ended. Must be quick and must not throw. */
export interface VendorObserver {
  onAnswer?(report: VendorCallReport): void;
  onFailure?(report: VendorFailureReport): void;
}
