/** Hands on what a parser finds in the order in which it finds it. For one reader; what it holds is bounded by the parser's limits. */
export class Parts<T> implements AsyncIterable<T> {
  readonly #found: T[] = [];
  #ended = false;
  /** Why no more will come. */
  error: Error | undefined;
  #wake: () => void = () => {};

  push(part: T): void {
    this.#found.push(part);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The first error counts; the reader meets it before anything else that waits. */
  fail(error: Error): void {
    this.error ??= error;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      if (this.error) throw this.error;
      const part = this.#found.shift();
      if (part !== undefined) yield part;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
