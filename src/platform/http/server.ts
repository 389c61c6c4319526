import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config/schema.js';
import { ProblemError } from '../problems/problem-error.js';
import { PROBLEM_JSON, renderProblem } from '../problems/render.js';
import type { Call, Listener } from './call.js';
import type { CallCommit } from './commit.js';
import { type Entrance, makeCall } from './entrance.js';
import type { Handler, ListenerServer } from './listeners.js';
import { refuse, toProblem } from './problem-filter.js';

/** Each route belongs to one listener, told by the port a request came in on: on the other one the router does not know it. */
function listenerConstraint(listenerOf: (localPort: number | undefined) => Listener) {
  return {
    name: 'listener',
    mustMatchWhenDerived: true,
    storage: () => {
      const stores = new Map<string, unknown>();
      return {
        get: (key: string) => stores.get(key) ?? null,
        set: (key: string, store: unknown) => void stores.set(key, store),
      };
    },
    validate: (value: unknown): void => {
      if (value !== 'public' && value !== 'admin')
        throw new Error('a route belongs to the public or the admin listener');
    },
    deriveConstraint: (request: { socket: Socket }) => listenerOf(request.socket.localPort),
  };
}

export interface ServerParts {
  config: Config;
  entrance: Entrance;
  commit: CallCommit;
  publicServer: ListenerServer;
  /** Receives the handler of all calls; the listeners are opened to it when the house stands. */
  onHandler: (handler: Handler) => void;
}

/** The Fastify under Nest, with the three answers that Fastify gives before any hook turned into recorded problem details. */
export function fastifyAdapter(parts: ServerParts): FastifyAdapter {
  const { config, entrance } = parts;
  const adapter = new FastifyAdapter({
    bodyLimit: config.policy.limits.body,
    trustProxy: config.listeners.trustedProxies.length > 0 ? [...config.listeners.trustedProxies] : false,
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: 256,
      constraints: { listener: listenerConstraint(entrance.listenerOf) },
    },
    serverFactory: (handler: Handler) => {
      parts.onHandler(handler);
      return parts.publicServer.server;
    },
    forceCloseConnections: false,
    return503OnClosing: false,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      answerBadUrl(parts, error, request, reply),
    clientErrorHandler: (error: Error & { code?: string }, socket: Socket) => answerParseError(parts, error, socket),
  } as ConstructorParameters<typeof FastifyAdapter>[0]);
  // The server is ours and HTTPS; the adapter's own type knows the plain default alone.
  return adapter as unknown as FastifyAdapter;
}

/** The router could not read the address: Fastify runs no hook, so the record is committed here before a byte is written. */
function answerBadUrl(
  { entrance, commit }: ServerParts,
  error: Error,
  request: FastifyRequest,
  { raw: response }: FastifyReply,
): void {
  const call = makeCall(entrance, request, response);
  if (call.listener === 'admin') call.routeClass = 'admin';
  const send = (problem: ProblemError): void => {
    const body = JSON.stringify(
      renderProblem(problem.code, { decisionId: call.decision.id, traceId: call.traceId, path: call.path }),
    );
    response
      .writeHead(problem.status, {
        'content-type': PROBLEM_JSON,
        'content-length': Buffer.byteLength(body),
        'gatehouse-record': call.id,
        connection: 'close',
      })
      .end(body);
  };
  const problem = toProblem(error);
  refuse(call, problem);
  const answer = { status: problem.status, headers: {}, body: undefined, bytesOut: 0 };
  commit.commit(call, answer).then(
    () => send(problem),
    () => {
      const unrecorded = new ProblemError('audit-unavailable');
      commit.refused(call, { ...answer, status: unrecorded.status });
      send(unrecorded);
    },
  );
}

const BY_PARSER_CODE: Record<string, 'headers-too-large' | 'malformed-request'> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
};

/** The parser gave up: no request exists, so the answer is written to the socket by hand once its record is durable. */
export function answerParseError(
  parts: Pick<ServerParts, 'entrance' | 'commit'>,
  error: Error & { code?: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const raw = { socket, headers: {}, method: 'GET', url: '/' } as unknown as FastifyRequest['raw'];
  const call = makeCall(parts.entrance, { raw, ip: socket.remoteAddress ?? '', protocol: 'https' });
  const problem = new ProblemError(BY_PARSER_CODE[error.code ?? ''] ?? 'malformed-request', {
    rule: 'transport.parser',
  });
  refuse(call, problem);
  const body = JSON.stringify(renderProblem(problem.code, { decisionId: call.decision.id, traceId: call.traceId }));
  const answer = { status: problem.status, headers: {}, body, bytesOut: Buffer.byteLength(body) };
  parts.commit.commit(call, answer).then(
    () => writeRaw(socket, call, problem.status, body),
    () => {
      parts.commit.refused(call, answer);
      socket.destroy();
    },
  );
}

function writeRaw(socket: Socket, call: Call, status: number, body: string): void {
  if (!socket.writable) return;
  const reason = status === 431 ? 'Request Header Fields Too Large' : 'Bad Request';
  socket.end(
    [
      `HTTP/1.1 ${status} ${reason}`,
      `Content-Type: ${PROBLEM_JSON}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      `Gatehouse-Record: ${call.id}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
