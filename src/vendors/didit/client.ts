import { Readable } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';
import { type Clock, ProblemError } from '../../platform/index.js';
import type { Priority, Sending } from '../resilience/passage.js';
import { checkAnswer, type CheckedAnswer } from './answer.js';
import { guardedConnector } from './connector.js';
import type { VendorCredential } from './credential.js';
import type { Detours } from './detours.js';
import { Exchange, type RawAnswer } from './exchange.js';
import { VendorFailure } from '../failure.js';
import { type OperationName, OPERATIONS, pathOf, type VendorOperation } from './operations.js';
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
  /** Aborted when the caller has gone: the vendor call then ends with `vendor-timeout`. */
  signal?: AbortSignal;
  /** Id of the client on whose behalf it is made; absent for work of the gateway's own. */
  client?: string;
  /** Who is served first when calls must wait; `background` unless told. */
  priority?: Priority;
  /** Until when it must have ended, in `Clock.monotonicMs`; the time-out of its class holds anyway. */
  deadlineMs?: number;
}

export interface DiditClientOptions {
  /** Origins, without `/v3`. */
  origins: readonly string[];
  hosts: readonly string[];
  caFile?: string;
  credential: VendorCredential;
  /** Milliseconds for a connection and its handshake. */
  connectTimeoutMs: number;
  /** Connections to each origin. */
  connections: number;
  clock: Clock;
  detours: Detours;
}

const FORWARDED = ['traceparent', 'tracestate', 'idempotency-key'] as const;
/** Didit's HTTP API: a pool of TLS connections to each origin, every answer checked, nothing repeated but a call whose key was refused. */
export class DiditClient {
  readonly #options: DiditClientOptions;
  readonly #pools: ReadonlyMap<string, Pool>;

  constructor(options: DiditClientOptions) {
    this.#options = options;
    const connect = guardedConnector({
      origins: options.origins,
      hosts: options.hosts,
      timeoutMs: options.connectTimeoutMs,
      ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
    });
    this.#pools = new Map(
      options.origins.map((origin) => [
        origin,
        new Pool(origin, { connect, connections: options.connections, pipelining: 1 }),
      ]),
    );
  }

  /**
   * Makes one attempt. Didit's 400, 404, 409, 422 and the 403 of an unfinished PDF come back as answers.
   * @throws VendorFailure when the vendor failed, telling whether it may have done the work.
   * @throws ProblemError `body-too-large`, `malformed-request` for an upload's own faults.
   */
  async send(name: OperationName, request: VendorRequest, sending: Sending): Promise<CheckedAnswer> {
    const { credential } = this.#options;
    const first = await credential.headers();
    try {
      return await this.#once(name, request, first, sending);
    } catch (error) {
      if (!(error instanceof VendorFailure) || error.problem !== 'vendor-credentials') throw error;
      const another = credential.rejected(first);
      // A refused credential has certainly done nothing, so that even a create may go again; an upload is spent and may not.
      if (!another || isSpent(request)) throw error;
    }
    const second = await credential.headers();
    try {
      return await this.#once(name, request, second, sending);
    } catch (error) {
      if (error instanceof VendorFailure && error.problem === 'vendor-credentials') credential.rejected(second);
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  async #once(
    name: OperationName,
    request: VendorRequest,
    credential: Record<string, string>,
    sending: Sending,
  ): Promise<CheckedAnswer> {
    sending.trip.sent += 1;
    const operation = OPERATIONS[name];
    const way = this.#options.detours.find({ operation: name, client: request.client }) ?? this.#poolOf(sending.origin);
    const answer = await this.#exchange(way, operation, request, credential, sending);
    return checkAnswer(name, operation, answer, request.params ?? {}, this.#options.clock.epochMs());
  }

  async #exchange(
    way: Dispatcher,
    operation: VendorOperation,
    request: VendorRequest,
    credential: Record<string, string>,
    { origin, timeoutMs, signal, trip }: Sending,
  ): Promise<RawAnswer> {
    const { body, headers, upload } = outgoing(operation, request.body, this.#options.clock);
    if (upload !== undefined) trip.waitedForCallerMs = () => upload.waitedMs();
    const exchange = new Exchange({
      timeoutMs,
      maxAnswerBytes: operation.maxAnswerBytes,
      streams: (status, head) =>
        operation.answer === 'pdf' && status === 200 && /^application\/pdf\b/i.test(head['content-type'] ?? ''),
      ...(signal === undefined ? {} : { signal }),
    });
    way.dispatch(
      {
        origin,
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

  #poolOf(origin: string): Pool {
    const pool = this.#pools.get(origin);
    if (pool === undefined) throw new Error('no origin of this vendor');
    return pool;
  }
}

/** Whether the body can be sent but once. */
export function isSpent({ body }: VendorRequest): boolean {
  return body !== undefined && 'stream' in body;
}

interface Outgoing {
  body?: Buffer | Readable;
  headers: Record<string, string>;
  upload?: Upload;
}

function outgoing(operation: VendorOperation, body: VendorBody | undefined, clock: Clock): Outgoing {
  if (body === undefined) return { headers: {} };
  if ('stream' in body) {
    const upload = new Upload(body.stream, operation.maxUploadBytes, clock);
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
