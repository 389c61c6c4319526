import { VendorRefusal } from '../failure.js';

export interface WaitOptions {
  /** Milliseconds; not more than until the deadline. */
  longestMs: number;
  /** Milliseconds until the caller's deadline. */
  leftMs: number;
  signal: AbortSignal | undefined;
  /** Refusal of one that has waited too long; one whose deadline came is late instead. */
  tooLong: () => VendorRefusal;
}

/** One call that waits for its turn: it ends by being let in, by being turned away, in time, or with its caller. */
export class Waiting {
  readonly turn: Promise<void>;
  #ended = false;
  #resolve!: () => void;
  #reject!: (error: Error) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  readonly #gone = (): void => this.turnAway(new VendorRefusal('vendor-timeout', 'the call was given up'));
  readonly #left: () => void;

  /** @param left called when it has ended in whatever way */
  constructor(options: WaitOptions, left: () => void) {
    this.#left = left;
    this.turn = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const late = options.leftMs <= options.longestMs;
    this.#timer = setTimeout(
      () => this.turnAway(late ? new VendorRefusal('vendor-timeout', 'no turn in time') : options.tooLong()),
      Math.max(0, Math.min(options.leftMs, options.longestMs)),
    );
    this.#signal = options.signal;
    this.#signal?.addEventListener('abort', this.#gone, { once: true });
  }

  get ended(): boolean {
    return this.#ended;
  }

  letIn(): void {
    if (this.#end()) this.#resolve();
  }

  turnAway(error: Error): void {
    if (this.#end()) this.#reject(error);
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#gone);
    this.#left();
    return true;
  }
}
