import type { ThrottlerStorage } from '@nestjs/throttler';
import { Redis } from 'iovalkey';
import type { Log } from '../platform/index.js';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

type Limiter = RateLimiterMemory | RateLimiterRedis;
type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** Counters a rule and key in fixed windows: in process, or shared through Valkey with the local ones as a fallback while it is away. */
export class RateStorage implements ThrottlerStorage {
  readonly #limiters = new Map<string, Limiter>();
  readonly #valkey: Redis | undefined;
  #away: boolean | undefined;

  constructor(
    redisUrl: string | undefined,
    private readonly log: Pick<Log, 'info' | 'warn'>,
  ) {
    if (redisUrl === undefined) return;
    this.#valkey = new Redis(redisUrl, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      connectTimeout: 2_000,
      lazyConnect: false,
    });
    // Each failed command already falls back to the local counters; an unheard 'error' event would end the process.
    this.#valkey.on('error', () => this.became(true));
    this.#valkey.on('ready', () => this.became(false));
  }

  async increment(key: string, ttl: number, limit: number, _block: number, name: string): Promise<Hit> {
    const limiter = this.limiter(name, ttl, limit);
    try {
      return hit(await limiter.consume(key), false);
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return hit(refused, true);
      throw refused;
    }
  }

  async close(): Promise<void> {
    this.#valkey?.disconnect();
  }

  /** One line tells each change, not each attempt; where it is, its address may hold a password. */
  private became(away: boolean): void {
    if (away === this.#away) return;
    this.#away = away;
    if (away) this.log.warn('Valkey cannot be reached: this instance counts rates and the vendor’s budget for itself');
    else this.log.info('Valkey is there: instances count together');
  }

  private limiter(name: string, ttl: number, limit: number): Limiter {
    const id = `${name}/${limit}/${ttl}`;
    const known = this.#limiters.get(id);
    if (known) return known;
    const options = { points: limit, duration: ttl / 1_000, keyPrefix: `gatehouse:${name}` };
    const local = new RateLimiterMemory(options);
    const made =
      this.#valkey === undefined
        ? local
        : new RateLimiterRedis({ ...options, storeClient: this.#valkey, insuranceLimiter: local });
    this.#limiters.set(id, made);
    return made;
  }
}

function hit(result: RateLimiterRes, isBlocked: boolean): Hit {
  const seconds = Math.max(1, Math.ceil(result.msBeforeNext / 1_000));
  return { totalHits: result.consumedPoints, timeToExpire: seconds, isBlocked, timeToBlockExpire: seconds };
}
