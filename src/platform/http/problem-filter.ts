import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseUnavailable } from '../database/unavailable.js';
import type { Log } from '../telemetry/log.js';
import type { ProblemCode } from '../problems/catalogue.js';
import { ProblemError } from '../problems/problem-error.js';
import { PROBLEM_JSON, renderProblem } from '../problems/render.js';
import { type Call, callOf } from './call.js';
import type { RouteTable } from './routes.js';

/** A stored answer given again for the same Idempotency-Key; not an error, but the way out of a guard. */
export class ReplayedAnswer extends Error {
  constructor(
    readonly status: number,
    readonly headers: Record<string, string>,
    readonly body: Buffer,
  ) {
    super('replayed');
    this.name = 'ReplayedAnswer';
  }
}

const BY_FASTIFY_CODE: Record<string, ProblemCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-request',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed-request',
  FST_ERR_BAD_URL: 'malformed-request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri-too-long',
  FST_ERR_ASYNC_CONSTRAINT: 'not-found',
};
const BY_STATUS: Record<number, ProblemCode> = {
  400: 'malformed-request',
  401: 'unauthenticated',
  403: 'forbidden-scope',
  404: 'not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  413: 'body-too-large',
  414: 'uri-too-long',
  415: 'unsupported-media-type',
  429: 'rate-limited',
  431: 'headers-too-large',
};

/** Whatever was thrown, as a problem of the catalogue; a defect becomes one opaque `internal`. */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  // Where nothing can be kept nothing is answered, whichever statement met it first.
  if (isDatabaseUnavailable(error))
    return new ProblemError('audit-unavailable', {
      rule: 'database.unavailable',
      headers: { 'retry-after': '2' },
      cause: error,
    });
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? BY_FASTIFY_CODE[code] : undefined;
  const status = error instanceof HttpException ? error.getStatus() : typeof statusCode === 'number' ? statusCode : 500;
  const mapped = known ?? BY_STATUS[status];
  return mapped === undefined
    ? new ProblemError('internal', { cause: error })
    : new ProblemError(mapped, { cause: error });
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Log,
    private readonly routes: () => RouteTable,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent) return;
    const call = callOf(request);
    if (error instanceof ReplayedAnswer) {
      call.decision.rule = 'idempotency.replayed';
      void reply.code(error.status).headers(error.headers).send(error.body);
      return;
    }
    const problem = this.unmatched(call, toProblem(error));
    if (problem.code === 'internal')
      this.log.error('a call failed inside the gateway', {
        callId: call.id,
        traceId: call.traceId,
        route: call.route,
        error,
      });
    sendProblem(call, reply, problem);
  }

  /** An unknown method on a known path is 405 with `Allow` (RFC 9110 section 15.5.6), which the router tells as 404. */
  private unmatched(call: Call, problem: ProblemError): ProblemError {
    if (problem.code !== 'not-found' || call.route !== 'unmatched') return problem;
    const methods = this.routes().methodsOf(call.listener, call.path);
    if (methods.length === 0 || methods.includes(call.method))
      return new ProblemError('not-found', { rule: 'route.unknown', reason: 'no such route on this listener' });
    return new ProblemError('method-not-allowed', { headers: { allow: methods.join(', ') }, rule: 'route.method' });
  }
}

/** Writes the problem to the caller and the refusal to the call, so that the record names the rule. */
export function sendProblem(call: Call, reply: FastifyReply, problem: ProblemError): void {
  refuse(call, problem);
  // Counted with others in one record: there is none of this call alone to point at.
  if (call.recorded) reply.removeHeader('gatehouse-record');
  const body = renderProblem(problem.code, {
    decisionId: call.decision.id,
    traceId: call.traceId,
    path: call.path,
    detail: problem.detail,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
  });
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', PROBLEM_JSON)
    .send(JSON.stringify(body));
}

export function refuse(call: Call, problem: ProblemError): void {
  call.decision.outcome = 'deny';
  call.decision.rule = problem.rule;
  call.decision.reason = problem.reason;
}
