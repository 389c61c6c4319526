import { type Result, SlidingWindow, type Totals } from './sliding-window.js';

export interface BreakerSettings {
  window: number;
  minimumCalls: number;
  failureRatio: number;
  slowRatio: number;
  /** Milliseconds. */
  open: number;
  longestOpen: number;
  probes: number;
  probeEvery: number;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

type BreakerEvent = 'trip' | 'wait-over' | 'probe-failed' | 'probes-good' | 'retry-now';

/** Every change of state that there is. */
const TRANSITIONS: Readonly<Record<BreakerState, Partial<Record<BreakerEvent, BreakerState>>>> = {
  closed: { trip: 'open' },
  open: { 'wait-over': 'half-open', 'retry-now': 'half-open' },
  'half-open': { 'probe-failed': 'open', 'probes-good': 'closed' },
};

export interface BreakerView {
  state: BreakerState;
  /** Instants and durations in `Clock.monotonicMs`. */
  sinceMs: number;
  calls: number;
  failureRatio: number;
  slowRatio: number;
  /** When the next probe may go; undefined unless open. */
  nextProbeMs: number | undefined;
}

/** The right to make one attempt; it is handed back with the result. */
export interface Permit {
  readonly generation: number;
  readonly startedMs: number;
}

/** Nothing learned: the caller went away, or the fault was its own. */
/** `nothing`: it was sent and tells nothing; `unsent`: it never left. */
export type PermitResult = Result | 'nothing' | 'unsent';

export function tells(result: PermitResult): result is Result {
  return result !== 'nothing' && result !== 'unsent';
}

export interface BreakerParts {
  settings: BreakerSettings;
  /** A last word before it opens: what fails may be no fault of what stands behind it. */
  mayTrip?: (nowMs: number, totals: Readonly<Totals>) => boolean;
  onChange?: (state: BreakerState, nowMs: number) => void;
}

/**
 * A circuit breaker on the ratio of failures and of slow answers in a sliding window. While it is half open, at most `probes` attempts are
 * under way at a time and nobody else passes; each state forgets the results of attempts that began in another one.
 */
export class Breaker {
  readonly #parts: BreakerParts;
  readonly window: SlidingWindow;
  #state: BreakerState = 'closed';
  #generation = 0;
  #sinceMs = 0;
  #openUntilMs = 0;
  /** How often it opened since it was closed last. */
  #openings = 0;
  #failedInARow = 0;
  #goodProbes = 0;
  #lastGoodStartMs = -Infinity;
  /** Starts of the probes under way. */
  #probes: number[] = [];

  constructor(parts: BreakerParts, nowMs: number) {
    this.#parts = parts;
    this.window = new SlidingWindow(parts.settings.window);
    this.#sinceMs = nowMs;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Milliseconds until an attempt may pass; 0 when it may now. */
  closedForMs(nowMs: number): number {
    if (this.#state === 'closed') return 0;
    if (this.#state === 'open') return Math.max(0, this.#openUntilMs - nowMs);
    const young = this.#young(nowMs);
    if (young.length < this.#parts.settings.probes) return 0;
    return Math.max(1, (young[0] ?? nowMs) + this.#parts.settings.probeEvery - nowMs);
  }

  /** undefined when nobody may pass. */
  enter(nowMs: number): Permit | undefined {
    if (this.#state === 'closed') return { generation: this.#generation, startedMs: nowMs };
    if (this.closedForMs(nowMs) > 0) return undefined;
    if (this.#state === 'open') this.#become('wait-over', nowMs);
    // A probe without an answer has used up its place for a time and no longer: a vendor that is back must be noticed meanwhile.
    this.#probes = this.#young(nowMs);
    this.#probes.push(nowMs);
    return { generation: this.#generation, startedMs: nowMs };
  }

  leave(permit: Permit, result: PermitResult, whose: string, nowMs: number): void {
    if (permit.generation !== this.#generation) return;
    if (this.#state === 'half-open') this.#probed(permit, result, nowMs);
    else if (tells(result)) this.#counted(result, whose, nowMs);
  }

  /** Lets probes through at once: something else has shown that the vendor is back. */
  retryNow(nowMs: number): void {
    if (this.#state === 'open') this.#become('retry-now', nowMs);
  }

  view(nowMs: number): BreakerView {
    const { calls, failed, slow } = this.window.totals(nowMs);
    return {
      state: this.#state,
      sinceMs: this.#sinceMs,
      calls,
      failureRatio: calls === 0 ? 0 : failed / calls,
      slowRatio: calls === 0 ? 0 : (failed + slow) / calls,
      nextProbeMs: this.#state === 'open' ? this.#openUntilMs : undefined,
    };
  }

  #counted(result: Result, whose: string, nowMs: number): void {
    this.window.add(result, whose, nowMs);
    this.#failedInARow = result === 'failure' ? this.#failedInARow + 1 : 0;
    if (result === 'success') return;
    const { settings, mayTrip } = this.#parts;
    const totals = this.window.totals(nowMs);
    const ripe = totals.calls >= settings.minimumCalls;
    const tripped =
      (this.#failedInARow >= settings.minimumCalls && totals.failed >= settings.minimumCalls) ||
      (ripe && totals.failed >= settings.failureRatio * totals.calls) ||
      (ripe && totals.failed + totals.slow >= settings.slowRatio * totals.calls);
    if (tripped && (mayTrip === undefined || mayTrip(nowMs, totals))) this.#become('trip', nowMs);
  }

  #probed({ startedMs }: Permit, result: PermitResult, nowMs: number): void {
    // One whose caller went away has reached the vendor all the same: its place is used up as that of one without an answer.
    if (result === 'nothing') return;
    const at = this.#probes.indexOf(startedMs);
    if (at !== -1) this.#probes.splice(at, 1);
    if (!tells(result)) return;
    if (result === 'success') {
      this.#lastGoodStartMs = Math.max(this.#lastGoodStartMs, startedMs);
      this.#goodProbes += 1;
      if (this.#goodProbes >= this.#parts.settings.probes) this.#become('probes-good', nowMs);
    } else if (startedMs >= this.#lastGoodStartMs) this.#become('probe-failed', nowMs);
    // One that was sent earlier than a good one tells of the time before.
  }

  #become(event: BreakerEvent, nowMs: number): void {
    const state = TRANSITIONS[this.#state][event];
    if (state === undefined) throw new Error(`a breaker that is ${this.#state} knows no ${event}`);
    this.#state = state;
    this.#generation += 1;
    this.#sinceMs = nowMs;
    this.#probes = [];
    this.#goodProbes = 0;
    this.#lastGoodStartMs = -Infinity;
    this.#failedInARow = 0;
    if (state === 'open') {
      const { open, longestOpen } = this.#parts.settings;
      this.#openUntilMs = nowMs + Math.min(longestOpen, open * 2 ** Math.min(this.#openings, 30));
      this.#openings += 1;
    }
    if (state === 'closed') {
      this.#openings = 0;
      this.window.clear();
    }
    this.#parts.onChange?.(state, nowMs);
  }

  #young(nowMs: number): number[] {
    const { probeEvery } = this.#parts.settings;
    return this.#probes.filter((startedMs) => nowMs - startedMs < probeEvery);
  }
}
