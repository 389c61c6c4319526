import type { OperationName } from '../../vendors/index.js';
import type { InterceptedRequest } from './http-interceptor.js';

/** One attempt of a gateway's at its vendor, as it came to the proxies before the vendor. */
export interface Attempt {
  /** Since the epoch. */
  atMs: number;
  /** Undefined where its bytes did not come far enough to tell. */
  operation?: OperationName | undefined;
  /** Whether a fault met it: it was made at a vendor that is dead for it. */
  struck: boolean;
  /** How long it was told to stay away. */
  waitMs?: number | undefined;
}

/** Writes down attempts: requests that arrive, and connections that a fault of the network keeps from arriving. */
export class AttemptBook {
  /** Whether a fault of the network is at work: it meets requests that arrive, too, on their way back. */
  networkIsFaulty = false;
  readonly #attempts: Attempt[] = [];

  constructor(private readonly nowMs: () => number) {}

  readonly lost = (): void => void this.#attempts.push({ atMs: this.nowMs(), struck: true });

  readonly arrived = ({ operation, fault }: InterceptedRequest): void => {
    const waitMs = fault?.kind === 'rate-limited' ? fault.retryAfterSeconds * 1_000 : undefined;
    const struck = fault !== undefined || this.networkIsFaulty;
    this.#attempts.push({ atMs: this.nowMs(), operation, struck, waitMs });
  };

  since(at: Date): readonly Attempt[] {
    return this.#attempts.filter(({ atMs }) => atMs >= at.getTime());
  }
}
