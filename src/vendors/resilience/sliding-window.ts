const BUCKETS = 10;
/** More than one. */
const SEVERAL = Symbol('several');
type Whose = string | typeof SEVERAL | undefined;

export type Result = 'success' | 'slow' | 'failure';

export interface Totals {
  calls: number;
  failed: number;
  /** Slow answers, failures not among them. */
  slow: number;
}

/** Results of the last `windowMs`, in ten parts that fall out one by one; adding one costs the same however many there are. */
export class SlidingWindow {
  readonly #partMs: number;
  readonly #calls = new Int32Array(BUCKETS);
  readonly #failed = new Int32Array(BUCKETS);
  readonly #slow = new Int32Array(BUCKETS);
  readonly #failing: Whose[] = Array.from({ length: BUCKETS });
  readonly #served: Whose[] = Array.from({ length: BUCKETS });
  readonly #totals: Totals = { calls: 0, failed: 0, slow: 0 };
  #part = -BUCKETS;

  constructor(windowMs: number) {
    this.#partMs = windowMs / BUCKETS;
  }

  add(result: Result, whose: string, nowMs: number): void {
    const at = this.#turn(nowMs);
    this.#calls[at]! += 1;
    this.#totals.calls += 1;
    if (result === 'success') {
      this.#served[at] = merged(this.#served[at], whose);
      return;
    }
    this.#failing[at] = merged(this.#failing[at], whose);
    if (result === 'failure') {
      this.#failed[at]! += 1;
      this.#totals.failed += 1;
    } else {
      this.#slow[at]! += 1;
      this.#totals.slow += 1;
    }
  }

  totals(nowMs: number): Readonly<Totals> {
    this.#turn(nowMs);
    return this.#totals;
  }

  /** Whether all that fails is of one caller while others, since it began, are served well. */
  isOneSided(nowMs: number): boolean {
    this.#turn(nowMs);
    let failing: Whose;
    let served: Whose;
    for (let part = this.#part - BUCKETS + 1; part <= this.#part; part += 1) {
      const at = slot(part);
      failing = merged(failing, this.#failing[at]);
      if (failing !== undefined) served = merged(served, this.#served[at]);
    }
    return typeof failing === 'string' && served !== undefined && served !== failing;
  }

  clear(): void {
    for (const counts of [this.#calls, this.#failed, this.#slow]) counts.fill(0);
    this.#failing.fill(undefined);
    this.#served.fill(undefined);
    Object.assign(this.#totals, { calls: 0, failed: 0, slow: 0 });
  }

  /** Lets what is too old fall out. @returns the place of the present part */
  #turn(nowMs: number): number {
    const part = Math.floor(nowMs / this.#partMs);
    if (part - this.#part >= BUCKETS) this.clear();
    else for (let passed = this.#part + 1; passed <= part; passed += 1) this.#drop(slot(passed));
    if (part > this.#part) this.#part = part;
    return slot(this.#part);
  }

  #drop(at: number): void {
    this.#totals.calls -= this.#calls[at]!;
    this.#totals.failed -= this.#failed[at]!;
    this.#totals.slow -= this.#slow[at]!;
    this.#calls[at] = this.#failed[at] = this.#slow[at] = 0;
    this.#failing[at] = this.#served[at] = undefined;
  }
}

function slot(part: number): number {
  return ((part % BUCKETS) + BUCKETS) % BUCKETS;
}

function merged(one: Whose, other: Whose): Whose {
  if (one === undefined || one === other) return other;
  return other === undefined ? one : SEVERAL;
}
