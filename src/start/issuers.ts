import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IssuerGateway, TokenAnswer } from '../auth/index.js';
import { type CallCommit, callOf, type Config, ProblemError, refuse } from '../platform/index.js';
import { agentCheck, allowedAddressCheck, type Anonymous, deniedAddressCheck, httpsOnly } from '../policy/index.js';

interface Parts {
  config: Config;
  commit: CallCommit;
  anonymous: Anonymous;
}

/**
 * The embedded issuers answer on the raw response, outside Fastify's hooks: their calls pass rooms 1 and 2 here, and each token answer is
 * recorded before its body is written.
 */
export function serveIssuers(fastify: FastifyInstance, issuers: IssuerGateway, parts: Parts): void {
  const { policy } = parts.config;
  const checks = [
    httpsOnly,
    deniedAddressCheck(policy.addresses.deny),
    allowedAddressCheck(policy.addresses.allow),
    agentCheck(policy.agents.deny),
  ];
  issuers.recordWith((answer) => record(parts, answer));
  fastify.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    const call = callOf(request);
    if (!issuers.handles(call.listener, call.path)) return done();
    call.route = call.path;
    try {
      for (const check of call.listener === 'public' ? checks : checks.slice(0, 2)) check(call);
    } catch (error) {
      return done(error as Error);
    }
    reply.hijack();
    if (call.path === '/oauth/token') reply.raw.setHeader('gatehouse-record', call.id);
    reply.raw.setHeader('strict-transport-security', 'max-age=31536000; includeSubDomains');
    issuers.handle(call.listener, request.raw, reply.raw).catch(() => reply.raw.destroy());
  });
}

async function record({ commit, anonymous }: Parts, answer: TokenAnswer): Promise<void> {
  const call = callOf({ raw: answer.req });
  if (answer.clientId !== undefined) call.credential = answer.clientId;
  call.detail = {
    grant: 'client_credentials',
    ...(answer.error === undefined ? {} : { error: answer.error }),
    ...(answer.jti === undefined ? {} : { jti: answer.jti }),
    ...(answer.scope === undefined ? {} : { scope: answer.scope }),
  };
  if (answer.status >= 400) {
    const refusal = new ProblemError('unauthenticated', {
      rule: `token.${answer.error ?? 'refused'}`,
      reason: 'no token was issued',
    });
    refuse(call, answer.authenticated ? refusal : anonymous.refuse(call, refusal));
  }
  if (call.recorded) return;
  await commit.commit(call, { status: answer.status, headers: {}, body: undefined, bytesOut: 0 });
  call.recorded = true;
}
