import { Readable } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';
import { type Clock, type ProblemCode, ProblemError } from '../../platform/index.js';
import { checkAnswer, type VendorAnswer } from './answer.js';
import { guardedConnector } from './connector.js';
import type { VendorCredential } from './credential.js';
import type { Detours } from './detours.js';
import { Exchange, type RawAnswer } from './exchange.js';
import { VendorFailure, type VendorOutcome } from './failure.js';
import { type OperationName, OPERATIONS, pathOf, type TimeoutClass, type VendorOperation } from './operations.js';
import { Upload } from './upload.js';

/** A body for the vendor: JSON of ours, bytes, or a caller's upload as it comes in (its media type with the boundary). */
export type VendorBody =
  | { json: unknown }
  | { bytes: Buffer; contentType: string }
  | { stream: Readable; contentType: string; contentLength?: number };

export interface VendorRequest {
  /** For the placeholders of the operation's path. */
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string | readonly string[]>>;
  body?: VendorBody;
  /** Only `traceparent`, `tracestate` and `idempotency-key` of these are sent; a caller's own headers never are. */
  headers?: Readonly<Record<string, string | undefined>>;
  /** Carries the deadline of the call; aborting it ends the vendor call with `vendor-timeout`. */
  signal?: AbortSignal;
  /** Id of the client on whose behalf it is made; absent for work of the gateway's own. */
  client?: string;
}

/** One call as it ended, for signals, service levels and metrics. */
export interface VendorCallReport {
  vendor: 'didit';
  operation: OperationName;
  /** HTTP status of the vendor's answer; 0 when none came. */
  status: number;
  attempts: number;
  durationUs: number;
}

export interface VendorFailureReport extends VendorCallReport {
  problem: ProblemCode;
  outcome: VendorOutcome;
  /** Which check failed; no text of the vendor's. */
  reason: string;
}

/** Told of every call to the vendor once it has ended. Must be quick and must not throw. */
export interface VendorObserver {
  onAnswer?(report: VendorCallReport): void;
  onFailure?(report: VendorFailureReport): void;
}

export interface DiditClientOptions {
  /** Origin, without `/v3`. */
  baseUrl: string;
  hosts: readonly string[];
  caFile?: string;
  credential: VendorCredential;
  /** Milliseconds, by class of operation, and for a connection. */
  timeouts: Readonly<Record<TimeoutClass | 'connect', number>>;
  connections: number;
  clock: Clock;
  observer: VendorObserver;
  detours: Detours;
}

const FORWARDED = ['traceparent', 'tracestate', 'idempotency-key'] as const;
/** Calls that may wait for a connection, as a multiple of the connections. */
const WAITING_FACTOR = 4;

/** Didit's HTTP API: one pool of TLS connections, every answer checked, nothing retried but a call whose key was refused. */
export class DiditClient {
  readonly #options: DiditClientOptions;
  readonly #pool: Pool;
  #running = 0;

  constructor(options: DiditClientOptions) {
    this.#options = options;
    this.#pool = new Pool(options.baseUrl, {
      connect: guardedConnector({
        baseUrl: options.baseUrl,
        hosts: options.hosts,
        timeoutMs: options.timeouts.connect,
        ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
      }),
      connections: options.connections,
      pipelining: 1,
    });
  }

  /**
   * Makes one call. Didit's 400, 404, 409, 422 and the 403 of an unfinished PDF come back as answers.
   * @throws VendorFailure when the vendor failed, telling whether it may have done the work.
   * @throws ProblemError `body-too-large`, `malformed-request` for an upload's own faults, `overloaded` when too many calls wait.
   */
  async call(name: OperationName, request: VendorRequest = {}): Promise<VendorAnswer> {
    if (this.#running >= this.#options.connections * (1 + WAITING_FACTOR))
      throw new ProblemError('overloaded', { headers: { 'retry-after': '1' }, rule: 'vendor.waiting' });
    this.#running += 1;
    const startedNs = this.#options.clock.monotonic();
    const course = { attempts: 0 };
    try {
      const checked = await this.#attempt(name, request, course);
      const report = this.#report(name, checked.status, course.attempts, startedNs);
      this.#options.observer.onAnswer?.(report);
      return { ...checked, attempts: report.attempts, durationUs: report.durationUs };
    } catch (error) {
      if (error instanceof VendorFailure) this.#failed(name, error, course.attempts, startedNs);
      throw error;
    } finally {
      this.#running -= 1;
    }
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #attempt(name: OperationName, request: VendorRequest, course: { attempts: number }) {
    const { credential } = this.#options;
    const first = await credential.headers();
    try {
      return await this.#once(name, request, first, course);
    } catch (error) {
      if (!(error instanceof VendorFailure) || error.problem !== 'vendor-credentials') throw error;
      const another = credential.rejected(first);
      // A refused credential has certainly done nothing, so that even a create may go again; an upload is spent and may not.
      if (!another || (request.body !== undefined && 'stream' in request.body)) throw error;
    }
    const second = await credential.headers();
    try {
      return await this.#once(name, request, second, course);
    } catch (error) {
      if (error instanceof VendorFailure && error.problem === 'vendor-credentials') credential.rejected(second);
      throw error;
    }
  }

  async #once(
    name: OperationName,
    request: VendorRequest,
    credential: Record<string, string>,
    course: { attempts: number },
  ) {
    course.attempts += 1;
    const operation = OPERATIONS[name];
    const way = this.#options.detours.find({ operation: name, client: request.client }) ?? this.#pool;
    const answer = await this.#exchange(way, operation, request, credential);
    return checkAnswer(name, operation, answer, request.params ?? {}, this.#options.clock.epochMs());
  }

  async #exchange(
    way: Dispatcher,
    operation: VendorOperation,
    request: VendorRequest,
    credential: Record<string, string>,
  ): Promise<RawAnswer> {
    const timeoutMs = this.#options.timeouts[operation.timeout];
    const { body, headers, upload } = outgoing(operation, request.body);
    const exchange = new Exchange({
      timeoutMs,
      maxAnswerBytes: operation.maxAnswerBytes,
      streams: (status, head) =>
        operation.answer === 'pdf' && status === 200 && /^application\/pdf\b/i.test(head['content-type'] ?? ''),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    way.dispatch(
      {
        origin: this.#options.baseUrl,
        method: operation.method,
        path: pathOf(operation, request.params) + queryOf(request.query),
        headers: { ...this.#headers(request), ...headers, ...credential },
        body: body ?? null,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        // undici sends some methods again after a lost connection by itself; what may be repeated is decided above, in the open.
        idempotent: false,
      },
      exchange,
    );
    try {
      return await exchange.answer;
    } catch (error) {
      throw upload?.error ?? error;
    } finally {
      upload?.discard();
    }
  }

  #headers(request: VendorRequest): Record<string, string> {
    const headers: Record<string, string> = {
      accept: 'application/json, application/pdf',
      'accept-encoding': 'identity',
      'user-agent': 'Gatehouse',
    };
    for (const name of FORWARDED) {
      const value = request.headers?.[name];
      if (value !== undefined) headers[name] = value;
    }
    return headers;
  }

  #report(operation: OperationName, status: number, attempts: number, startedNs: bigint): VendorCallReport {
    const durationUs = Number((this.#options.clock.monotonic() - startedNs) / 1_000n);
    return { vendor: 'didit', operation, status, attempts, durationUs };
  }

  #failed(name: OperationName, failure: VendorFailure, attempts: number, startedNs: bigint): void {
    const report = this.#report(name, failure.vendorStatus, attempts, startedNs);
    const { problem, outcome, reason } = failure;
    this.#options.observer.onFailure?.({ ...report, problem, outcome, reason });
  }
}

interface Outgoing {
  body?: Buffer | Readable;
  headers: Record<string, string>;
  upload?: Upload;
}

function outgoing(operation: VendorOperation, body: VendorBody | undefined): Outgoing {
  if (body === undefined) return { headers: {} };
  if ('stream' in body) {
    const upload = new Upload(body.stream, operation.maxUploadBytes);
    if (body.contentLength !== undefined && body.contentLength > operation.maxUploadBytes) {
      upload.discard();
      throw new ProblemError('body-too-large', { rule: 'vendor.upload' });
    }
    const length = body.contentLength === undefined ? {} : { 'content-length': String(body.contentLength) };
    return {
      body: Readable.from(upload.chunks(), { objectMode: false }),
      headers: { 'content-type': body.contentType, ...length },
      upload,
    };
  }
  const bytes = 'bytes' in body ? body.bytes : Buffer.from(JSON.stringify(body.json));
  if (bytes.length > operation.maxUploadBytes) throw new ProblemError('body-too-large', { rule: 'vendor.upload' });
  return { body: bytes, headers: { 'content-type': 'bytes' in body ? body.contentType : 'application/json' } };
}

function queryOf(query: VendorRequest['query']): string {
  if (query === undefined) return '';
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === 'string' ? [value] : value) parameters.append(name, one);
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
