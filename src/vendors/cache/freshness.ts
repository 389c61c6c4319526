import CachePolicy from 'http-cache-semantics';
import type { Clock } from '../../platform/index.js';

/** What may be done with an answer, as RFC 9111 reads its headers. */
export interface Freshness {
  /** Seconds since it was made at the vendor (RFC 9111 section 4.2.3). */
  ageSeconds: number;
  /** The vendor's own headers let it be used without asking. */
  fresh: boolean;
  /** It may stand in while the vendor cannot be asked. */
  standsIn: boolean;
}

/** Nothing of the caller's: variants by caller are part of the key, and a vendor's `Vary` speaks of the gateway's own request. */
const REQUEST = { method: 'GET', url: '/', headers: {} };

/** With one of these the vendor has said itself whether a stale answer may be used (RFC 9111 section 4.2.4, RFC 5861). */
const SAYS_ITSELF = /(?:^|[\s,])(?:stale-if-error|no-cache|no-store|must-revalidate|proxy-revalidate)\b/i;

/**
 * The arithmetic of RFC 9111 by the house's clock. Didit sends no `Cache-Control` as a rule: such an answer is stale at once, no freshness
 * is guessed, and `staleIfErrorMs` says how long it may stand in.
 */
export class FreshnessRules {
  readonly #policy: typeof CachePolicy;

  constructor(
    clock: Clock,
    private readonly staleIfErrorMs: number,
  ) {
    this.#policy = class extends CachePolicy {
      now(): number {
        return clock.epochMs();
      }
    };
  }

  /** @returns what to keep beside an answer that was just received; undefined when it may not be kept */
  keepable(status: number, headers: Readonly<Record<string, string>>): CachePolicy.CachePolicyObject | undefined {
    const policy = new this.#policy(
      REQUEST,
      { status, headers: this.withStaleIfError(headers) },
      // Kept for one client and given to no other: a private cache.
      { shared: false, cacheHeuristic: 0 },
    );
    return policy.storable() && policy.timeToLive() > 0 ? policy.toObject() : undefined;
  }

  judge(kept: CachePolicy.CachePolicyObject): Freshness {
    const policy = this.#policy.fromObject(kept);
    return {
      ageSeconds: Math.max(0, Math.floor(policy.age())),
      fresh: policy.satisfiesWithoutRevalidation(REQUEST),
      standsIn: policy.timeToLive() > 0,
    };
  }

  private withStaleIfError(headers: Readonly<Record<string, string>>): Record<string, string> {
    const said = headers['cache-control'] ?? '';
    if (SAYS_ITSELF.test(said)) return headers;
    const ours = `stale-if-error=${Math.floor(this.staleIfErrorMs / 1_000)}`;
    return { ...headers, 'cache-control': said === '' ? ours : `${said}, ${ours}` };
  }
}
