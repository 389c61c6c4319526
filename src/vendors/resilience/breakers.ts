import { VendorRefusal } from '../failure.js';
import {
  Breaker,
  type BreakerSettings,
  type BreakerState,
  type BreakerView,
  type Permit,
  type PermitResult,
  tells,
} from './breaker.js';
import type { Totals } from './sliding-window.js';

/** Attempts from which on an operation has a say in whether the whole vendor fails. */
const FEWEST_CALLS = 3;
/** Longest time that a vendor's Retry-After closes an operation: its limits may be lifted long before. */
const LONGEST_PAUSE_MS = 5_000;

/** A breaker opened or closed. */
export interface BreakerChange {
  /** undefined for the breaker of the whole vendor. */
  operation: string | undefined;
  state: 'open' | 'closed';
}

export interface BreakersParts {
  settings: BreakerSettings;
  nowMs: () => number;
  onChange: (change: BreakerChange) => void;
}

/** What lets one attempt pass: its operation's breaker, and the vendor's. */
export interface Pass {
  operation: string;
  own: Permit;
  whole: Permit;
}

/**
 * The breakers before one vendor: one an operation, so that what fails alone is shut alone, and one for the whole, which opens when no
 * connection comes about or every operation in use fails. An operation that the vendor answers with 429 pauses as long as it asks for.
 */
export class Breakers {
  readonly #parts: BreakersParts;
  readonly #whole: Breaker;
  readonly #operations = new Map<string, Breaker>();
  readonly #pausedUntilMs = new Map<string, number>();
  #unreachable = 0;
  /** Whether each one was last told as open. */
  readonly #told = new Map<string | undefined, boolean>();

  constructor(parts: BreakersParts) {
    this.#parts = parts;
    this.#whole = new Breaker(
      {
        settings: parts.settings,
        mayTrip: (nowMs, totals) => this.#isWhole(nowMs, totals),
        onChange: (state, nowMs) => this.#wholeBecame(state, nowMs),
      },
      parts.nowMs(),
    );
  }

  /** Refuses at once what could not pass now. @throws VendorRefusal `vendor-unavailable` */
  check(operation: string): void {
    const nowMs = this.#parts.nowMs();
    const pausedMs = (this.#pausedUntilMs.get(operation) ?? 0) - nowMs;
    if (pausedMs > 0) throw refusal('vendor.paused', pausedMs);
    const shutMs = Math.max(this.#whole.closedForMs(nowMs), this.#of(operation).closedForMs(nowMs));
    if (shutMs > 0) throw refusal('breaker.open', shutMs);
  }

  /** @throws VendorRefusal `vendor-unavailable` */
  enter(operation: string): Pass {
    this.check(operation);
    const nowMs = this.#parts.nowMs();
    const whole = this.#whole.enter(nowMs);
    const own = this.#of(operation).enter(nowMs);
    if (whole === undefined || own === undefined) throw refusal('breaker.open', 1);
    return { operation, own, whole };
  }

  /** @param unreachable whether no connection to any of the vendor's origins comes about */
  leave(pass: Pass, result: PermitResult, client: string, unreachable: boolean): void {
    const nowMs = this.#parts.nowMs();
    if (unreachable) this.#unreachable += 1;
    else if (tells(result)) this.#unreachable = 0;
    this.#of(pass.operation).leave(pass.own, result, client, nowMs);
    this.#whole.leave(pass.whole, result, pass.operation, nowMs);
  }

  /** The vendor answered 429. */
  pause(operation: string, ms: number): void {
    this.#pausedUntilMs.set(operation, this.#parts.nowMs() + Math.min(ms, LONGEST_PAUSE_MS));
  }

  view(): {
    whole: BreakerView;
    operations: { operation: string; view: BreakerView; pausedUntilMs: number | undefined }[];
  } {
    const nowMs = this.#parts.nowMs();
    return {
      whole: this.#whole.view(nowMs),
      operations: [...this.#operations].map(([operation, breaker]) => {
        const until = this.#pausedUntilMs.get(operation) ?? 0;
        return { operation, view: breaker.view(nowMs), pausedUntilMs: until > nowMs ? until : undefined };
      }),
    };
  }

  #of(operation: string): Breaker {
    const known = this.#operations.get(operation);
    if (known !== undefined) return known;
    const made: Breaker = new Breaker(
      {
        settings: this.#parts.settings,
        // What one client alone meets while others are served is in its requests.
        mayTrip: (nowMs) => this.#unreachable > 0 || !made.window.isOneSided(nowMs),
        onChange: (state) => this.#tell(operation, state),
      },
      this.#parts.nowMs(),
    );
    this.#operations.set(operation, made);
    return made;
  }

  #isWhole(nowMs: number, totals: Readonly<Totals>): boolean {
    if (this.#unreachable >= this.#parts.settings.minimumCalls) return true;
    let failing = 0;
    for (const breaker of this.#operations.values()) {
      const { calls, failed } = breaker.window.totals(nowMs);
      if (breaker.state !== 'closed') failing += 1;
      else if (calls < FEWEST_CALLS) continue;
      else if (failed >= this.#parts.settings.failureRatio * calls) failing += 1;
      else return false;
    }
    return failing >= 2 && totals.failed > 0;
  }

  #wholeBecame(state: BreakerState, nowMs: number): void {
    if (state === 'closed') for (const breaker of this.#operations.values()) breaker.retryNow(nowMs);
    this.#tell(undefined, state);
  }

  /** Half open is told by neither word, and what opens again from there was never closed. */
  #tell(operation: string | undefined, state: BreakerState): void {
    if (state === 'half-open' || (this.#told.get(operation) ?? false) === (state === 'open')) return;
    this.#told.set(operation, state === 'open');
    this.#parts.onChange({ operation, state });
  }
}

function refusal(reason: string, ms: number): VendorRefusal {
  return new VendorRefusal('vendor-unavailable', reason, Math.max(1, Math.ceil(ms / 1_000)));
}
