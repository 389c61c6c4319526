import type { Clock } from '../platform/index.js';

interface Aged<V> {
  value: V;
  askedAt: number;
}

/**
 * Answers of a slow question, kept for a moment. Only found answers are kept; one question at a time is under way for one key; the oldest
 * answer makes room when it is full. Age counts from when the question was asked, so that a change bites within the time to live.
 */
export class LookupCache<V extends object> {
  readonly #kept = new Map<string, Aged<V>>();
  #generation = 0;
  readonly #asking = new Map<string, Aged<Promise<V | undefined>>>();

  constructor(
    private readonly clock: Clock,
    private readonly options: { ttlMs: number; limit: number; worthKeeping?: (value: V) => boolean },
  ) {}

  /** The kept answer at once, or the promise of a fresh one. */
  get(key: string, ask: () => Promise<V | undefined>): V | undefined | Promise<V | undefined> {
    const now = this.clock.epochMs();
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.isFresh(kept, now)) return kept.value;
    const asking = this.#asking.get(key);
    if (asking !== undefined && this.isFresh(asking, now)) return asking.value;
    return this.question(key, now, ask);
  }

  /** After a change made here: it bites with the next call. Answers to questions asked before it are not kept. */
  clear(): void {
    this.#generation += 1;
    this.#kept.clear();
    this.#asking.clear();
  }

  get size(): number {
    return this.#kept.size;
  }

  /** A clock that was set back makes nothing younger: an answer from the future is stale. */
  private isFresh(answer: Aged<unknown>, now: number): boolean {
    const age = now - answer.askedAt;
    return age >= 0 && age < this.options.ttlMs;
  }

  private question(key: string, askedAt: number, ask: () => Promise<V | undefined>): Promise<V | undefined> {
    const value = this.answer(key, askedAt, ask).finally(() => {
      if (this.#asking.get(key)?.value === value) this.#asking.delete(key);
    });
    this.#asking.set(key, { value, askedAt });
    return value;
  }

  private async answer(key: string, askedAt: number, ask: () => Promise<V | undefined>): Promise<V | undefined> {
    const generation = this.#generation;
    const value = await ask();
    if (generation !== this.#generation) return value;
    this.#kept.delete(key);
    if (value !== undefined && (this.options.worthKeeping?.(value) ?? true)) this.keep(key, { value, askedAt });
    return value;
  }

  private keep(key: string, answer: Aged<V>): void {
    if (this.#kept.size >= this.options.limit) {
      const oldest = this.#kept.keys().next();
      if (oldest.done !== true) this.#kept.delete(oldest.value);
    }
    this.#kept.set(key, answer);
  }
}
