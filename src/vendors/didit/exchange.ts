import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { VendorFailure } from '../failure.js';

/** An answer's head and body; the body is a stream when the exchange was asked for one. */
export interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  raw: Buffer;
  stream?: Readable;
}

export interface ExchangeOptions {
  /** Milliseconds for the whole answer, or for the head of one that streams. */
  timeoutMs: number;
  maxAnswerBytes: number;
  /** Whether the body of an answer with this head is handed on as it comes. */
  streams: (status: number, headers: IncomingHttpHeaders) => boolean;
  signal?: AbortSignal;
}

const EMPTY = Buffer.alloc(0);
const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const MALFORMED = new Set(['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'UND_ERR_HEADERS_OVERFLOW']);

/** One request and its answer on undici's dispatcher: knows at every moment whether anything has been sent. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<RawAnswer>;
  readonly #options: ExchangeOptions;
  readonly #chunks: Buffer[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #aborted = (): void => this.#giveUp('the call was given up');
  #resolve: (answer: RawAnswer) => void = () => {};
  #reject: (error: Error) => void = () => {};
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #sent = false;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #bytes = 0;
  #stream: Readable | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.#giveUp('no answer in time'), options.timeoutMs);
    options.signal?.addEventListener('abort', this.#aborted, { once: true });
    if (options.signal?.aborted === true) this.#aborted();
  }

  /** undici calls this when a connection stands and the request is about to be written. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while it waited for a connection: it is dropped before a byte is written.
    if (this.#settled) controller.abort(new Error('given up'));
    else this.#sent = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
    if (Number(headers['content-length'] ?? 0) > this.#options.maxAnswerBytes) return this.#tooLarge(controller);
    if (!this.#options.streams(status, headers)) return;
    const stream = new Readable({
      read: () => controller.resume(),
      destroy: (error, done) => {
        this.#release();
        controller.abort(error ?? new Error('the reader went away'));
        done(error);
      },
    });
    this.#stream = stream;
    clearTimeout(this.#timer);
    this.#settled = true;
    this.#resolve({ status, headers, raw: EMPTY, stream });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#options.maxAnswerBytes) return this.#tooLarge(controller);
    if (this.#stream === undefined) this.#chunks.push(chunk);
    else if (!this.#stream.push(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#release();
    if (this.#stream !== undefined) {
      this.#stream.push(null);
      return;
    }
    if (this.#settled) return;
    this.#settled = true;
    const [first = EMPTY] = this.#chunks;
    const raw = this.#chunks.length > 1 ? Buffer.concat(this.#chunks, this.#bytes) : first;
    this.#resolve({ status: this.#status, headers: this.#headers, raw });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.fail(this.#failureOf(error));
  }

  /** Ends the exchange with an error of ours, unless it has ended before. */
  fail(error: Error): void {
    this.#release();
    if (this.#stream !== undefined) {
      if (!this.#stream.destroyed) this.#stream.destroy(error);
      return;
    }
    if (this.#settled) return;
    this.#settled = true;
    this.#reject(error);
  }

  #giveUp(reason: string): void {
    this.fail(
      new VendorFailure('vendor-timeout', {
        outcome: this.#sent ? 'unknown' : 'none',
        status: this.#status,
        reason,
      }),
    );
    this.#controller?.abort(new Error(reason));
  }

  #tooLarge(controller: Dispatcher.DispatchController): void {
    this.fail(this.#invalid('the answer is too large'));
    controller.abort(new Error('the answer is too large'));
  }

  #invalid(reason: string): VendorFailure {
    return new VendorFailure('vendor-invalid-answer', { outcome: 'unknown', status: this.#status, reason });
  }

  #failureOf(error: Error): VendorFailure {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    const outcome = this.#sent ? 'unknown' : 'none';
    const reason = `transport.${code}`;
    if (TIMEOUTS.has(code)) return new VendorFailure('vendor-timeout', { outcome, reason });
    // A connection that ends after the head of an answer has truncated it; before, there was none.
    if (MALFORMED.has(code) || error.name === 'HTTPParserError' || (this.#status !== 0 && this.#status < 500))
      return this.#invalid(reason);
    return new VendorFailure('vendor-error', { outcome, status: this.#status, reason });
  }

  #release(): void {
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#aborted);
  }
}
