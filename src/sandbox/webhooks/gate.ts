/** Lets so many through at a time; the others wait in order, and beyond `pending` waiting nobody is taken. */
export class Gate {
  readonly #width: number;
  readonly #pending: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(width: number, pending: number) {
    this.#width = width;
    this.#pending = pending;
  }

  /** What the task gives, or null when too many were waiting. */
  async through<T>(task: () => Promise<T>): Promise<T | null> {
    if (this.#inside < this.#width) this.#inside += 1;
    else if (this.#waiting.length >= this.#pending) return null;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      // A place is handed on, not freed and taken again: between the two somebody else could step in.
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}
