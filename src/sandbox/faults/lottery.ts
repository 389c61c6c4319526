/** A disturbance somebody asked for: how often it strikes, and until when (wall clock). */
export interface Strike {
  readonly id: string;
  /** 0 to 1: the part of occasions it strikes. */
  readonly share: number;
  readonly until: number;
}

export class TooManyFaults extends Error {
  override message = 'at most 100 faults at a time';
}

/** The disturbances at work, oldest first. */
export class Lottery<T extends Strike> {
  readonly #random: () => number;
  #strikes: T[] = [];

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Throws TooManyFaults when 100 are at work already. */
  add(strike: T): void {
    this.#strikes = this.active();
    if (this.#strikes.length >= 100) throw new TooManyFaults();
    this.#strikes.push(strike);
  }

  /** The first that strikes on this occasion. */
  draw(matches: (strike: T) => boolean = () => true): T | undefined {
    if (this.#strikes.length === 0) return undefined;
    const now = Date.now();
    return this.#strikes.find((strike) => strike.until > now && matches(strike) && this.#random() < strike.share);
  }

  active(): T[] {
    const now = Date.now();
    return this.#strikes.filter((strike) => strike.until > now);
  }

  /** How many it removed: one by id, or all. */
  remove(id?: string): number {
    const before = this.#strikes.length;
    this.#strikes = id === undefined ? [] : this.#strikes.filter((strike) => strike.id !== id);
    return before - this.#strikes.length;
  }
}
