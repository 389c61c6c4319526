/** The one clock (rule 8): instants in UTC, a monotonic reading for durations, and timers that tests can hold still. */
export abstract class Clock {
  /** The present instant. */
  abstract now(): Date;

  /** Nanoseconds since an arbitrary start; never goes back, for durations only. */
  abstract monotonic(): bigint;

  epochMs(): number {
    return this.now().getTime();
  }

  /** `monotonic` in milliseconds, for deadlines and windows. */
  monotonicMs(): number {
    return Number(this.monotonic()) / 1e6;
  }
}

export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }

  override epochMs(): number {
    return Date.now();
  }

  monotonic(): bigint {
    return process.hrtime.bigint();
  }
}

/** A clock that stands still until it is moved: for tests. */
export class ManualClock extends Clock {
  #ms: number;

  constructor(start: Date | string = '2026-03-10T08:00:00.000Z') {
    super();
    this.#ms = new Date(start).getTime();
  }

  now(): Date {
    return new Date(this.#ms);
  }

  monotonic(): bigint {
    return BigInt(this.#ms) * 1_000_000n;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }
}
