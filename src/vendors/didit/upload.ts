import type { Readable } from 'node:stream';
import { type Clock, ProblemError } from '../../platform/index.js';

/** A caller's body on its way to the vendor: read only as fast as the vendor takes it, and never more than the operation allows. */
export class Upload {
  readonly #source: Readable;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  #waitedMs = 0;
  #waitingSinceMs: number | undefined;
  /** What went wrong on the caller's side, once it has. */
  error: ProblemError | undefined;

  constructor(source: Readable, maxBytes: number, clock: Clock) {
    this.#source = source;
    this.#maxBytes = maxBytes;
    this.#clock = clock;
  }

  /** How long the vendor has been kept waiting for the caller's own bytes. */
  waitedMs(): number {
    const since = this.#waitingSinceMs;
    return this.#waitedMs + (since === undefined ? 0 : this.#clock.monotonicMs() - since);
  }

  async *chunks(): AsyncGenerator<Buffer> {
    let bytes = 0;
    this.#waitingSinceMs = this.#clock.monotonicMs();
    try {
      // The caller's connection must survive, or the answer to an upload that was cut short could not be given.
      for await (const chunk of this.#source.iterator({ destroyOnReturn: false })) {
        const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
        bytes += piece.length;
        if (bytes > this.#maxBytes) throw new ProblemError('body-too-large', { rule: 'vendor.upload' });
        this.#waited();
        yield piece;
        this.#waitingSinceMs = this.#clock.monotonicMs();
      }
      this.#waited();
    } catch (error) {
      this.error =
        error instanceof ProblemError
          ? error
          : new ProblemError('malformed-request', {
              detail: 'The body ended too early.',
              rule: 'vendor.upload',
              cause: error,
            });
      throw this.error;
    }
  }

  #waited(): void {
    this.#waitedMs = this.waitedMs();
    this.#waitingSinceMs = undefined;
  }

  /** Lets the rest of the caller's body run out, so that its connection can go on. */
  discard(): void {
    if (!this.#source.readableEnded && !this.#source.destroyed) this.#source.resume();
  }
}
