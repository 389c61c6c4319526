import type { ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../clock.js';
import type { Config } from '../config/schema.js';
import { uuidv7 } from '../ids.js';
import type { Lifecycle } from '../lifecycle.js';
import { ProblemError } from '../problems/problem-error.js';
import type { Tracing } from '../telemetry/tracing.js';
import { attachCall, type Call, type Decision, type Listener, type RouteClass } from './call.js';
import { isAudited, type RouteTable } from './routes.js';
import { traceContext } from './trace-context.js';

export interface Entrance {
  clock: Clock;
  limits: Config['policy']['limits'];
  tracing: Tracing;
  routes: () => RouteTable;
  listenerOf: (localPort: number | undefined) => Listener;
  lifecycle: Lifecycle;
  /** The cheap refusal that stands before any signature is checked. */
  admit: (call: Call) => void;
}

const MAX_AGENT = 256;
/** RFC 7240 section 4.3: the longest time in seconds that the caller will wait. */
const WAIT = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i;

/** The caller's address; what a proxy wrote with a port is read without it, and what is no address at all is the proxy's own. */
function addressOf(request: Pick<FastifyRequest, 'raw' | 'ip'>): string {
  const { ip } = request;
  if (isIP(ip) !== 0) return ip;
  const bare = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(ip)?.[1] ?? /^\[([0-9a-fA-F:.]+)\](?::\d+)?$/.exec(ip)?.[1];
  return bare !== undefined && isIP(bare) !== 0 ? bare : (request.raw.socket.remoteAddress ?? '');
}

/** Ours or, where the caller will wait no longer, its own. */
function patienceMs(ours: number, prefer: string | string[] | undefined): number {
  if (prefer === undefined) return ours;
  const seconds = WAIT.exec(String(prefer))?.[1];
  return seconds === undefined ? ours : Math.min(ours, Number(seconds) * 1_000);
}

/** A call made from what the socket says; its abort signal is made only for those who ask. */
class IncomingCall implements Call {
  readonly id: string;
  readonly at: Date;
  readonly startedNs: bigint;
  readonly deadlineMs: number;
  readonly listener: Listener;
  readonly method: string;
  readonly path: string;
  readonly address: string;
  readonly secure: boolean;
  readonly agent: string;
  readonly tls: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly requestHeaders: Readonly<Record<string, string | string[] | undefined>>;
  routeClass: RouteClass = 'data';
  route = 'unmatched';
  decision: Decision;
  bytesIn = 0;
  anonymous = true;
  recorded = false;
  readonly #response: ServerResponse | undefined;
  #gone: AbortController | undefined;

  constructor(entrance: Entrance, request: Pick<FastifyRequest, 'raw' | 'ip' | 'protocol'>, response?: ServerResponse) {
    const { raw } = request;
    const socket = raw.socket as TLSSocket;
    const url = raw.url ?? '/';
    const query = url.indexOf('?');
    const trace = traceContext(raw.headers.traceparent as string | undefined);
    this.#response = response;
    this.at = entrance.clock.now();
    this.id = uuidv7(this.at.getTime());
    this.startedNs = entrance.clock.monotonic();
    this.deadlineMs = Number(this.startedNs) / 1e6 + patienceMs(entrance.limits.deadline, raw.headers['prefer']);
    this.listener = entrance.listenerOf(socket.localPort);
    this.method = raw.method ?? 'GET';
    this.path = query === -1 ? url : url.slice(0, query);
    this.address = addressOf(request);
    this.secure = request.protocol === 'https';
    this.requestHeaders = raw.headers;
    this.agent = (raw.headers['user-agent'] ?? '').slice(0, MAX_AGENT);
    this.tls = socket.getProtocol?.() ?? 'none';
    this.traceId = trace.traceId;
    this.spanId = trace.spanId;
    if (trace.parentId !== undefined) this.parentSpanId = trace.parentId;
    this.decision = { id: uuidv7(this.at.getTime()), outcome: 'allow', rule: 'corridor', reason: 'every check passed' };
  }

  get signal(): AbortSignal {
    if (this.#gone) return this.#gone.signal;
    const gone = new AbortController();
    this.#gone = gone;
    this.#response?.once('close', () => {
      if (this.#response?.writableFinished === false) gone.abort();
    });
    return gone.signal;
  }
}

/** Makes the call of a raw request; also used where Fastify runs no hook. */
export function makeCall(
  entrance: Entrance,
  request: Pick<FastifyRequest, 'raw' | 'ip' | 'protocol'>,
  response?: ServerResponse,
): Call {
  return new IncomingCall(entrance, request, response);
}

/** A call is under way until its response closes, however that comes: answered, cut off or left by its caller. */
function follow({ lifecycle, tracing }: Entrance, call: Call, response: ServerResponse): void {
  lifecycle.begin();
  tracing.begin(call);
  response.once('close', () => {
    lifecycle.end();
    tracing.end(call, response.statusCode);
  });
}

/** Rooms 1 and the cheap part of 2: every request that the router has seen becomes a call here. */
export function registerEntrance(fastify: FastifyInstance, entrance: Entrance): void {
  fastify.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    const call = makeCall(entrance, request, reply.raw);
    attachCall(request, call);
    const template = request.is404 ? undefined : request.routeOptions.url;
    const route =
      template === undefined ? undefined : entrance.routes().find(call.listener, routedMethod(request), template);
    call.route = route?.path ?? 'unmatched';
    call.routeClass = route?.routeClass ?? (call.listener === 'admin' ? 'admin' : 'data');
    follow(entrance, call, reply.raw);
    reply.header('strict-transport-security', 'max-age=31536000; includeSubDomains');
    reply.header('x-content-type-options', 'nosniff');
    reply.header('cache-control', 'no-store');
    if (isAudited(call.routeClass)) reply.header('gatehouse-record', call.id);
    if ((request.raw.url?.length ?? 0) > entrance.limits.uri)
      return done(new ProblemError('uri-too-long', { rule: 'transport.uri' }));
    const malformed = malformedHead(request);
    if (malformed) return done(malformed);
    if (entrance.lifecycle.phase === 'draining') reply.header('connection', 'close');
    try {
      entrance.admit(call);
    } catch (error) {
      return done(error as Error);
    }
    done();
  });
}

/** RFC 9112 section 3.2: one Host and no more. RFC 9110 section 8.4: a coding that nobody undoes is a media type that nobody reads. */
function malformedHead({ raw }: FastifyRequest): ProblemError | undefined {
  let hosts = 0;
  for (let at = 0; at < raw.rawHeaders.length; at += 2) {
    if (raw.rawHeaders[at]?.length === 4 && raw.rawHeaders[at]?.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts > 1 || (hosts === 0 && raw.httpVersion === '1.1')) {
    return new ProblemError('malformed-request', { detail: 'A request names one Host.', rule: 'transport.host' });
  }
  const coding = raw.headers['content-encoding'];
  if (coding !== undefined && coding !== 'identity')
    return new ProblemError('unsupported-media-type', { rule: 'body.coding' });
  return undefined;
}

/** HEAD is answered by the GET route. */
function routedMethod(request: FastifyRequest): string {
  return request.method === 'HEAD' ? 'GET' : request.method;
}
