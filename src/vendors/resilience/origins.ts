import { type PermitResult, tells } from './breaker.js';

/** Failures in a row after which an origin is left out. */
const MOST_IN_A_ROW = 3;
const FIRST_OUT_MS = 1_000;
const LONGEST_OUT_MS = 5_000;

interface Origin {
  readonly url: string;
  underWay: number;
  failedInARow: number;
  outUntilMs: number;
  /** How often it was left out since it answered last. */
  outs: number;
}

export interface OriginView {
  url: string;
  underWay: number;
  /** Whether it is left out at present. */
  out: boolean;
}

/** The addresses at which a vendor's API answers: the least busy one that is well, each in its turn; one of them is always in. */
export class Origins {
  readonly #all: Origin[];
  #turn = 0;

  constructor(urls: readonly string[]) {
    this.#all = [...new Set(urls)].map((url) => ({ url, underWay: 0, failedInARow: 0, outUntilMs: 0, outs: 0 }));
  }

  pick(nowMs: number): Origin {
    const [only] = this.#all;
    if (only === undefined) throw new Error('a vendor has at least one origin');
    let best: Origin | undefined;
    if (this.#all.length > 1) {
      this.#turn += 1;
      for (let n = 0; n < this.#all.length; n += 1) {
        const one = this.#all[(this.#turn + n) % this.#all.length]!;
        if (one.outUntilMs <= nowMs && (best === undefined || one.underWay < best.underWay)) best = one;
      }
      best ??= this.#all.reduce((a, b) => (b.outUntilMs < a.outUntilMs ? b : a));
    }
    const picked = best ?? only;
    picked.underWay += 1;
    return picked;
  }

  leave(origin: Origin, result: PermitResult, nowMs: number): void {
    origin.underWay -= 1;
    if (!tells(result)) return;
    if (result !== 'failure') {
      origin.failedInARow = origin.outs = origin.outUntilMs = 0;
      return;
    }
    origin.failedInARow += 1;
    if (origin.failedInARow < MOST_IN_A_ROW || origin.outUntilMs > nowMs || this.isAlone(origin, nowMs)) return;
    origin.outUntilMs = nowMs + Math.min(LONGEST_OUT_MS, FIRST_OUT_MS * 2 ** Math.min(origin.outs, 30));
    origin.outs += 1;
  }

  /** Whether no other one is in. */
  isAlone(origin: Origin, nowMs: number): boolean {
    return this.#all.every((other) => other === origin || other.outUntilMs > nowMs);
  }

  view(nowMs: number): OriginView[] {
    return this.#all.map(({ url, underWay, outUntilMs }) => ({ url, underWay, out: outUntilMs > nowMs }));
  }
}
