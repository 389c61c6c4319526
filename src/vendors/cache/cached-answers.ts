import { createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type CachePolicy from 'http-cache-semantics';
import { Clock, type Config, CONFIG, Database, Keyring, type Tx, Vault } from '../../platform/index.js';
import type { OperationName } from '../didit/operations.js';
import { type Freshness, FreshnessRules } from './freshness.js';
import { RecentlyKept } from './recently-kept.js';

/** One answer as one client may see it. */
export interface CachedKey {
  clientId: string;
  operation: OperationName;
  /** What it is about at the vendor, such as the id of a session: everything about it is purged at once. */
  resource: string;
  /** All that makes this answer differ from another of the same: query and mask. */
  variant: string;
}

export interface CachedAnswer extends Freshness {
  body: string;
}

const PURPOSE = 'cached-answer';
/** Between two looks at the bounds, so that keeping stays cheap; they are passed by no more than this many an instance. */
const KEEPS_BETWEEN_TRIMS = 32;
const MOST_TRIMMED = 500;
/** Longer than any call to a vendor takes: who asked before a purge has had the answer by then. */
const PURGES_KEPT_MS = 600_000;

/**
 * What the vendor last said, for when it is away (RFC 9111). By client and mask, so that nobody is given what another may see; sealed under
 * the owner that the caller names; bounded in number and bytes; over all instances and restarts.
 */
@Injectable()
export class CachedAnswers {
  readonly #rules: FreshnessRules;
  readonly #recent = new RecentlyKept();
  #keeps = 0;

  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.#rules = new FreshnessRules(clock, config.vendors.didit.cache.staleIfError);
  }

  /** @returns undefined when nothing is kept, it is too old to stand in, or its owner was erased */
  async find(key: CachedKey): Promise<CachedAnswer | undefined> {
    const [row] = await this.database.query<{ body: string; policy: CachePolicy.CachePolicyObject }>(
      'SELECT body, policy FROM vendors.cached_answers WHERE key = $1 AND expires_at > $2',
      [this.digest(key), this.clock.now()],
    );
    if (row === undefined) return undefined;
    const freshness = this.#rules.judge(row.policy);
    if (!freshness.fresh && !freshness.standsIn) return undefined;
    const plain = await this.vault.get(this.database.source.manager, row.body, PURPOSE);
    return plain && { ...freshness, body: plain.toString() };
  }

  /** Whether keeping it would add anything to what this instance has kept lately. */
  isNews(key: CachedKey, body: string): boolean {
    return this.#recent.isNews(textOf(key), body, this.clock.epochMs());
  }

  /** Whether it is worth looking for one that can be used without asking the vendor: a look would cost every read a query. */
  mayBeFresh(key: CachedKey): boolean {
    return this.#recent.mayBeFresh(textOf(key));
  }

  /**
   * Keeps an answer in place of the one before, as far as its headers and the bounds allow; none that was asked for before the truth changed.
   * @param owner of the vault whose erasure takes the answer along
   */
  async keep(
    tx: Tx,
    key: CachedKey,
    owner: string,
    answer: { askedAt: Date; status: number; headers: Readonly<Record<string, string>>; body: string },
  ): Promise<void> {
    if ((await this.purgedAt(tx, key.resource)) > answer.askedAt) return;
    const plain = Buffer.from(answer.body);
    const policy = this.#rules.keepable(answer.status, answer.headers);
    await this.drop(tx, 'key = $1', [this.digest(key)]);
    if (policy === undefined || plain.length > this.settings.perEntryBytes) return;
    const now = this.clock.epochMs();
    const keepMs = this.settings.staleIfError;
    const body = await this.vault.put(tx, { owner, purpose: PURPOSE, plain, keepMs });
    const made = await tx.query<object[]>(
      `INSERT INTO vendors.cached_answers (key, client_id, operation, resource, body, policy, bytes, stored_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (key) DO NOTHING RETURNING key`,
      [
        this.digest(key),
        key.clientId,
        key.operation,
        key.resource,
        body,
        policy,
        plain.length,
        new Date(now),
        new Date(now + keepMs),
      ],
    );
    // Another instance has just kept the same: one is as good as the other.
    if (made.length === 0) await this.vault.drop(tx, body);
    this.#keeps += 1;
    if (this.#keeps % KEEPS_BETWEEN_TRIMS === 0) await this.trim(tx);
    this.#recent.note(textOf(key), key.resource, answer.body, this.#rules.judge(policy).fresh, now);
  }

  /** The truth has changed, or is to be forgotten: nothing that was kept about it is given again. @returns how many answers went */
  async purge(tx: Tx, resources: readonly string[]): Promise<number> {
    await tx.query(
      `INSERT INTO vendors.purges (resource, purged_at) SELECT DISTINCT resource, $2::timestamptz FROM unnest($1::text[]) resource ORDER BY 1
       ON CONFLICT (resource) DO UPDATE SET purged_at = greatest(purges.purged_at, excluded.purged_at)`,
      [resources, this.clock.now()],
    );
    this.#recent.forget(new Set(resources));
    return this.drop(tx, 'resource = ANY($1)', [resources]);
  }

  /** Holds the bounds: what is too old or too much goes, oldest first, some at a time. */
  async trim(tx: Tx): Promise<void> {
    await this.drop(
      tx,
      `key IN (SELECT key FROM (
         SELECT key, expires_at, row_number() OVER newest AS n, sum(bytes) OVER newest AS total
           FROM vendors.cached_answers WINDOW newest AS (ORDER BY stored_at DESC, key)) kept
        WHERE n > $1 OR total > $2 OR expires_at <= $3 LIMIT ${MOST_TRIMMED})`,
      [this.settings.maxEntries, this.settings.maxBytes, this.clock.now()],
    );
    await tx.query(
      `DELETE FROM vendors.purges WHERE resource IN (
         SELECT resource FROM vendors.purges WHERE purged_at < $1 LIMIT ${MOST_TRIMMED} FOR UPDATE SKIP LOCKED)`,
      [new Date(this.clock.epochMs() - PURGES_KEPT_MS)],
    );
  }

  /** Nobody purges it before the transaction ends. */
  private async purgedAt(tx: Tx, resource: string): Promise<Date> {
    const [row] = await tx.query<{ purged_at: Date }[]>(
      `INSERT INTO vendors.purges (resource, purged_at) VALUES ($1, 'epoch')
       ON CONFLICT (resource) DO UPDATE SET resource = excluded.resource RETURNING purged_at`,
      [resource],
    );
    return row?.purged_at ?? new Date(0);
  }

  private get settings() {
    return this.config.vendors.didit.cache;
  }

  private async drop(tx: Tx, which: string, parameters: unknown[]): Promise<number> {
    const [row] = await tx.query<{ bodies: string[] | null }[]>(
      `WITH gone AS (DELETE FROM vendors.cached_answers WHERE ${which} RETURNING body)
       SELECT array_agg(body) AS bodies FROM gone`,
      parameters,
    );
    return row?.bodies ? this.vault.dropAll(tx, row.bodies) : 0;
  }

  private digest(key: CachedKey): Buffer {
    return createHmac('sha256', this.keyring.key('cached-answer')).update(textOf(key)).digest();
  }
}

function textOf({ clientId, operation, resource, variant }: CachedKey): string {
  return JSON.stringify([clientId, operation, resource, variant]);
}
