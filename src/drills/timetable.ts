/** What is at work from when to when, milliseconds from the beginning; without `forMs` until the end. */
export interface Timed {
  fromMs: number;
  forMs?: number | undefined;
}

/** Has each of its items at work in its time, and none after the end. One change is through before the next is made. */
export class Timetable<T extends Timed> {
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #active = new Set<T>();
  #last: Promise<void> = Promise.resolve();
  #ended = false;

  /** @param apply puts these and no others to work; is told of what it throws by `failed` */
  constructor(
    private readonly items: readonly T[],
    private readonly apply: (active: readonly T[]) => Promise<void>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** @param sinceMs how long ago the beginning was */
  begin(sinceMs = 0): void {
    for (const item of this.items) {
      const end = item.forMs === undefined ? undefined : item.fromMs + item.forMs;
      if (end !== undefined && end <= sinceMs) continue;
      this.at(item.fromMs - sinceMs, () => this.#active.add(item));
      if (end !== undefined) this.at(end - sinceMs, () => this.#active.delete(item));
    }
  }

  get active(): boolean {
    return this.#active.size > 0;
  }

  async end(): Promise<void> {
    this.#ended = true;
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#active.size > 0) {
      this.#active.clear();
      this.change();
    }
    await this.#last;
  }

  private at(inMs: number, change: () => void): void {
    const due = (): void => {
      if (this.#ended) return;
      change();
      this.change();
    };
    if (inMs <= 0) due();
    else this.#timers.push(setTimeout(due, inMs).unref());
  }

  private change(): void {
    const active = [...this.#active];
    this.#last = this.#last.then(() => this.apply(active)).catch((error: unknown) => this.failed(error));
  }
}
