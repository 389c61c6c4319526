import type { Guard } from '../schemas.js';

/** Durations kept of one second: beyond them a percentile is of the first so many. */
const MOST_DURATIONS = 1_000;
const MOST_SECONDS = 60;

interface Second {
  second: number;
  outside: number;
  outsideFailed: number;
  durations: number[];
  vendorFailures: number;
}

/** What guards look at, second by second, of this instance. */
export class GuardFigures {
  #seconds: Second[] = [];

  constructor(private readonly epochMs: () => number) {}

  outside(failed: boolean, durationMs: number): void {
    const now = this.now();
    now.outside += 1;
    if (failed) now.outsideFailed += 1;
    if (now.durations.length < MOST_DURATIONS) now.durations.push(durationMs);
  }

  vendorFailed(): void {
    this.now().vendorFailures += 1;
  }

  /** The first guard that says stop, in words; undefined while all is well. */
  tripped(guards: readonly Guard[]): string | undefined {
    for (const guard of guards) {
      const value = this.value(guard);
      if (value !== undefined && value > guard.above)
        return `guard ${guard.metric}: ${Math.round(value * 1_000) / 1_000} is above ${guard.above}`;
    }
    return undefined;
  }

  private value({ metric, windowSeconds, fewestCalls }: Guard): number | undefined {
    const from = this.second() - windowSeconds;
    const seconds = this.#seconds.filter(({ second }) => second > from);
    const sum = (of: (second: Second) => number): number => seconds.reduce((total, second) => total + of(second), 0);
    if (metric === 'vendor-failures') return sum((second) => second.vendorFailures);
    const calls = sum((second) => second.outside);
    if (calls < fewestCalls) return undefined;
    if (metric === 'outside-error-ratio') return sum((second) => second.outsideFailed) / calls;
    const durations = seconds.flatMap((second) => second.durations).sort((one, other) => one - other);
    return durations[Math.ceil(durations.length * 0.99) - 1];
  }

  private second(): number {
    return Math.floor(this.epochMs() / 1_000);
  }

  private now(): Second {
    const second = this.second();
    const last = this.#seconds.at(-1);
    if (last?.second === second) return last;
    const next: Second = { second, outside: 0, outsideFailed: 0, durations: [], vendorFailures: 0 };
    this.#seconds = [...this.#seconds.slice(-MOST_SECONDS), next];
    return next;
  }
}
