import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { getOptionsToken, getStorageToken, ThrottlerGuard, type ThrottlerModuleOptions } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Call, callOf, type Config, CONFIG, ProblemError, type Rate } from '../platform/index.js';
import type { RateStorage } from './rate-storage.js';

/** Room 5: calls a client and a key, on top of the cheap rate an address that stands at the entrance. */
@Injectable()
export class RateGuard extends ThrottlerGuard {
  readonly #rates: Config['policy']['rates'];

  constructor(
    @Inject(getOptionsToken()) options: ThrottlerModuleOptions,
    @Inject(getStorageToken()) storage: RateStorage,
    reflector: Reflector,
    @Inject(CONFIG) config: Config,
  ) {
    super(options, storage, reflector);
    this.#rates = config.policy.rates;
  }

  /** The stock loop reads fifteen pieces of metadata a call; our limits hang on the caller alone. */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const call = callOf(http.getRequest<FastifyRequest>());
    const reply = http.getResponse<FastifyReply>();
    const { caller } = call;
    if (caller === undefined) return true;
    await this.count(call, reply, 'client', caller.id, this.#rates.client);
    if (caller.kind === 'client' && caller.keyId !== undefined)
      await this.count(call, reply, 'key', caller.keyId, this.#rates.key);
    return true;
  }

  private async count(_call: Call, reply: FastifyReply, name: string, key: string, rate: Rate): Promise<void> {
    const hit = await this.storageService.increment(key, rate.windowMs, rate.limit, 0, name);
    // RateLimit and RateLimit-Policy as in draft-ietf-httpapi-ratelimit-headers: the tightest rule is told.
    if (name === 'client' || hit.isBlocked) {
      reply.header('ratelimit-policy', `"${name}";q=${rate.limit};w=${rate.windowMs / 1_000}`);
      reply.header('ratelimit', `"${name}";r=${Math.max(0, rate.limit - hit.totalHits)};t=${hit.timeToExpire}`);
    }
    if (!hit.isBlocked) return;
    throw new ProblemError('rate-limited', {
      headers: { 'retry-after': String(hit.timeToBlockExpire) },
      rule: `rate.${name}`,
    });
  }
}
