export type Phase = 'starting' | 'serving' | 'draining';

/** Where this instance stands; readiness fails for these local causes alone. */
export class Lifecycle {
  #phase: Phase = 'starting';
  #underWay = 0;
  #idle: (() => void) | undefined;
  readonly #onDrain: (() => void)[] = [];

  get phase(): Phase {
    return this.#phase;
  }

  /** Calls and jobs that have begun and not ended. */
  get underWay(): number {
    return this.#underWay;
  }

  serve(): void {
    this.#phase = 'serving';
  }

  drain(): void {
    this.#phase = 'draining';
    for (const tell of this.#onDrain.splice(0)) tell();
  }

  /** For those who take work by themselves: told once, when no more is to be taken. Must not throw. */
  whenDraining(tell: () => void): void {
    this.#onDrain.push(tell);
  }

  begin(): void {
    this.#underWay += 1;
  }

  end(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#idle?.();
  }

  /** Resolves when nothing is under way or the time is up. @returns whether all had ended. */
  async idle(withinMs: number): Promise<boolean> {
    if (this.#underWay === 0) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    return this.#underWay === 0;
  }
}
