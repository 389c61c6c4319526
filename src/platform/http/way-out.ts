import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEM_JSON, renderProblem } from '../problems/render.js';
import { ProblemError } from '../problems/problem-error.js';
import { type Call, callOf } from './call.js';
import type { Answer, CallCommit } from './commit.js';
import { HoldLast } from './hold-last.js';
import { isAudited } from './routes.js';

type Payload = string | Buffer | Readable | null | undefined;

/** Room 10: the record is durable before the answer leaves; when it cannot be, a 503 leaves in its place (rule 1). */
export function registerWayOut(fastify: FastifyInstance, commit: CallCommit): void {
  fastify.addHook(
    'onSend',
    async (request: FastifyRequest, reply: FastifyReply, payload: Payload): Promise<Payload> => {
      const call = callOf(request);
      if (!isAudited(call.routeClass) || call.recorded) return payload;
      if (payload instanceof Readable) return payload.pipe(held(call, reply, commit, payload));
      const body = payload ?? undefined;
      const bytesOut = body === undefined ? 0 : Buffer.byteLength(body);
      const answer: Answer = { status: reply.statusCode, headers: reply.getHeaders(), body, bytesOut };
      return commitOr503(call, reply, commit, answer, payload);
    },
  );
}

async function commitOr503(
  call: Call,
  reply: FastifyReply,
  commit: CallCommit,
  answer: Answer,
  payload: Payload,
): Promise<Payload> {
  try {
    await commit.commit(call, answer);
    call.recorded = true;
    return payload;
  } catch (error) {
    const problem =
      error instanceof ProblemError && error.code === 'overloaded' ? error : new ProblemError('audit-unavailable');
    const body = JSON.stringify(
      renderProblem(problem.code, { decisionId: call.decision.id, traceId: call.traceId, path: call.path }),
    );
    reply
      .code(problem.status)
      .header('content-type', PROBLEM_JSON)
      .header('retry-after', '2')
      .removeHeader('idempotency-replayed');
    reply.header('content-length', Buffer.byteLength(body));
    commit.refused(call, { status: problem.status, headers: {}, body, bytesOut: body.length });
    call.recorded = true;
    return body;
  }
}

/** A streamed answer whose record cannot be written is cut off: its last piece never leaves. */
function held(call: Call, reply: FastifyReply, commit: CallCommit, source: Readable): HoldLast {
  const holder = new HoldLast(async (bytesOut) => {
    await commit.commit(call, { status: reply.statusCode, headers: reply.getHeaders(), body: undefined, bytesOut });
    call.recorded = true;
  });
  source.once('error', (error) => holder.destroy(error));
  return holder;
}
