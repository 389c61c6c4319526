import { join } from 'node:path';
import type { OperationName } from '../../vendors/index.js';
import type { HttpFault } from '../faults.js';
import type { AttemptTold } from './attempt-told.js';
import { operationOf } from './operation-of.js';

/** To be loaded before a gateway whose attempts are to be known. */
export const TELL_ATTEMPTS = join(import.meta.dirname, 'tell-attempts.js');

/** One attempt of a gateway's at its vendor. */
export interface Attempt {
  operation: OperationName | undefined;
  /** When the gateway's HTTP client was told to send it, since the epoch. */
  leftMs: number;
  /** Whether a fault met it: it was made at a vendor that is dead for it. */
  struck: boolean;
  /** When its operation was told to stay away. */
  away?: { fromMs: number; toMs: number } | undefined;
}

/** Writes down the attempts that gateways make, and which of them a fault meets. */
export class AttemptBook {
  readonly #left: { id: string; leftMs: number; operation: OperationName | undefined }[] = [];
  readonly #answeredMs = new Map<string, number>();
  readonly #faults = new Map<string, HttpFault>();
  /** When a fault of the network was at work: it meets all that leaves meanwhile. */
  readonly #network: { fromMs: number; toMs: number }[] = [];

  constructor(private readonly nowMs: () => number) {}

  readonly told = (told: AttemptTold): void => {
    if ('answeredMs' in told) this.#answeredMs.set(told.id, told.answeredMs);
    else this.#left.push({ id: told.id, leftMs: told.leftMs, operation: operationOf(told.method, told.path) });
  };

  readonly struck = (id: string, fault: HttpFault): void => void this.#faults.set(id, fault);

  /** Whether a fault of the network is at work from now on. */
  network(isFaulty: boolean): void {
    const last = this.#network.at(-1);
    const isAtWork = last?.toMs === Infinity;
    if (isFaulty && !isAtWork) this.#network.push({ fromMs: this.nowMs(), toMs: Infinity });
    if (!isFaulty && isAtWork) last.toMs = this.nowMs();
  }

  since(at: Date): Attempt[] {
    return this.#left
      .filter(({ leftMs }) => leftMs >= at.getTime())
      .map(({ id, leftMs, operation }) => {
        const fault = this.#faults.get(id);
        const isLost = this.#network.some(({ fromMs, toMs }) => leftMs >= fromMs && leftMs < toMs);
        const away = fault && awayBy(fault, this.#answeredMs.get(id));
        return { operation, leftMs, struck: fault !== undefined || isLost, away };
      });
  }
}

function awayBy(fault: HttpFault, answeredMs: number | undefined): Attempt['away'] {
  if (fault.kind !== 'rate-limited' || answeredMs === undefined) return undefined;
  return { fromMs: answeredMs, toMs: answeredMs + fault.retryAfterSeconds * 1_000 };
}
