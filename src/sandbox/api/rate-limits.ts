import type { Settings } from '../settings.js';

/** The counters a call may fall under; one identifier has one of each. */
export type RateScope = 'creates' | 'writes' | 'reads' | 'pdfs' | 'ingests';

export interface Throttled {
  readonly scope: RateScope;
  readonly limit: number;
  /** Seconds until one more call fits. */
  readonly retryAfter: number;
  /** Epoch seconds of that instant. */
  readonly resetAt: number;
}

const windowMs = 60_000;
const maxWindows = 10_000;

/** Sliding minutes, exact to the millisecond: the last `limit` calls of each identifier and scope are remembered. */
export class RateLimits {
  readonly #now: () => number;
  readonly #windows = new Map<string, Window>();
  #limits: Settings['rateLimits'];

  constructor(limits: Settings['rateLimits'], now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Counts the call under each scope in turn; the first that is full refuses it. */
  take(scopes: readonly RateScope[], identifier: string): Throttled | null {
    if (this.#limits === 'off') return null;
    const now = this.#now();
    for (const scope of scopes) {
      const limit = this.#limits[scope];
      const freeAt = this.#window(`${scope} ${identifier}`, limit).take(now);
      if (freeAt === null) continue;
      return {
        scope,
        limit,
        retryAfter: Math.max(1, Math.ceil((freeAt - now) / 1000)),
        resetAt: Math.ceil(freeAt / 1000),
      };
    }
    return null;
  }

  configure(limits: Settings['rateLimits']): void {
    this.#limits = limits;
    this.reset();
  }

  reset(): void {
    this.#windows.clear();
  }

  #window(key: string, limit: number): Window {
    const window = this.#windows.get(key) ?? new Window(limit);
    this.#windows.delete(key);
    this.#windows.set(key, window);
    const oldest = this.#windows.keys().next().value;
    if (this.#windows.size > maxWindows && oldest !== undefined) this.#windows.delete(oldest);
    return window;
  }
}

/** A ring of the instants of the last `limit` calls that were let through. */
class Window {
  readonly #instants: Float64Array;
  #next = 0;

  constructor(limit: number) {
    this.#instants = new Float64Array(limit).fill(Number.NEGATIVE_INFINITY);
  }

  /** Null when the call fits, else the instant from which one does. */
  take(now: number): number | null {
    const oldest = this.#instants[this.#next] ?? Number.NEGATIVE_INFINITY;
    if (oldest + windowMs > now) return oldest + windowMs;
    this.#instants[this.#next] = now;
    this.#next = (this.#next + 1) % this.#instants.length;
    return null;
  }
}
