import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { type Call, clientOf, Clock, type Config, CONFIG, Database, Log, ProblemError } from '../../platform/index.js';
import { type CachedAnswer, CachedAnswers, type CachedKey, rightsOf, type VendorAnswer } from '../../vendors/index.js';
import { type DropInAnswer, DropInCalls } from '../drop-in/drop-in-calls.js';
import { ErasedSessions } from '../erasure/erased-sessions.js';
import { FallbackMetrics } from './fallback-metrics.js';
import { rungHeaders } from './rungs.js';

const OPERATION = 'session.decision';
/** Writes under way at once; an answer more is simply not kept. */
const MOST_WRITES = 16;
/** Whose key seals what the vendor told of a session: the same as its webhooks, so that erasing the person erases it. */
const owner = (sessionId: string) => `didit-session:${sessionId}`;

/**
 * Decisions in the vendor's own format, with the cached rung under them: what the vendor said last, as this client may see it, while the
 * vendor cannot be asked. Links to media in it have expired and are left out.
 */
@Injectable()
export class CachedReads {
  readonly #declared: boolean;
  readonly #on: ReadonlySet<string>;
  /** Another mask is another answer: one that was kept under an older one is never given. */
  readonly #masks: string;
  #writes = 0;

  constructor(
    private readonly calls: DropInCalls,
    private readonly cached: CachedAnswers,
    private readonly sessions: ErasedSessions,
    private readonly metrics: FallbackMetrics,
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly log: Log,
    @Inject(CONFIG) config: Config,
  ) {
    this.#declared = config.vendors.didit.fallback[OPERATION]?.includes('cached') ?? false;
    this.#on = new Set(config.fallback.on);
    this.#masks = hash('sha256', JSON.stringify(config.policy.masks.didit), 'base64url');
  }

  /** @throws as `VendorCalls.call` where nothing is kept that may stand in */
  async decision(call: Call, sessionId: string, query: Readonly<Record<string, string>>): Promise<DropInAnswer> {
    const key = this.key(call, sessionId, query);
    const own =
      this.#declared && this.cached.mayBeFresh(key) && !seesMedia(call) ? await this.cached.find(key) : undefined;
    if (own?.fresh === true) return this.given(call, own);
    const askedAt = this.clock.now();
    let answer: VendorAnswer;
    try {
      answer = await this.calls.forward(call, OPERATION, { params: { sessionId }, query });
    } catch (error) {
      return this.standIn(call, key, error);
    }
    const seen = this.calls.masked(call, answer);
    if (this.#declared) this.keepAside(call, key, { ...answer, askedAt }, seen);
    return seen;
  }

  private async standIn(call: Call, key: CachedKey, error: unknown): Promise<DropInAnswer> {
    if (!(error instanceof ProblemError) || !this.#on.has(error.code)) throw error;
    const kept = this.#declared ? await this.cached.find(key) : undefined;
    this.metrics.taken(kept === undefined ? 'none' : 'cached', OPERATION);
    if (kept === undefined) throw error;
    return this.given(call, kept);
  }

  private given(call: Call, kept: CachedAnswer): DropInAnswer {
    const part = call.vendor ?? { name: 'didit', operation: OPERATION, status: 0, attempt: 0, durationUs: 0 };
    call.vendor = { ...part, rung: 'cached' };
    return { status: 200, headers: rungHeaders('cached', kept.ageSeconds), body: JSON.parse(kept.body) as unknown };
  }

  /** In the background: no answer waits for it, and one that cannot be kept is no trouble of the caller's. */
  private keepAside(call: Call, key: CachedKey, answer: VendorAnswer & { askedAt: Date }, seen: DropInAnswer): void {
    const gone = answer.status === 404;
    if ((answer.code !== undefined && !gone) || this.#writes >= MOST_WRITES) return;
    const withoutMedia = seesMedia(call) ? this.calls.masked(call, answer, { media: false }) : seen;
    const body = JSON.stringify(withoutMedia.body);
    if (!gone && !this.cached.isNews(key, body)) return;
    this.#writes += 1;
    const { askedAt, status, headers } = answer;
    void this.keep(key, gone ? undefined : { askedAt, status, headers, body })
      .catch((error: unknown) => this.log.warn('a decision could not be kept for later', { error }))
      .finally(() => (this.#writes -= 1));
  }

  private async keep(key: CachedKey, answer: Parameters<CachedAnswers['keep']>[3] | undefined): Promise<void> {
    await this.database.transaction(async (tx) => {
      const holder = await this.sessions.holderOf(tx, key.resource);
      if (answer === undefined || holder?.erased === true) await this.cached.purge(tx, [key.resource]);
      else await this.cached.keep(tx, key, owner(key.resource), answer);
    });
  }

  private key(call: Call, sessionId: string, query: Readonly<Record<string, string>>): CachedKey {
    const client = clientOf(call);
    const { pii, link } = rightsOf(client.scopes);
    const variant = JSON.stringify([query, pii, link, this.#masks]);
    return { clientId: client.id, operation: OPERATION, resource: sessionId.toLowerCase(), variant };
  }
}

function seesMedia(call: Call): boolean {
  const { pii, media } = rightsOf(clientOf(call).scopes);
  return pii && media;
}
