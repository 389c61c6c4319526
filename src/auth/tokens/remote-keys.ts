import {
  createRemoteJWKSet,
  customFetch,
  type CryptoKey,
  errors,
  type FetchImplementation,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  type RemoteJWKSet,
} from 'jose';
import type { Clock } from '../../platform/index.js';
import { KeysUnavailable } from './key-source.js';
import { boundedFetch, discoverJwksUri } from './remote-documents.js';

/** A key set this old is asked for again before it is used. */
const FRESH_MS = 600_000;
/**
 * At most one fetch in this time for an unknown `kid` or a failing issuer, however many tokens ask for it. Short, since a freshly rotated
 * key and an issuer that is back both wait for it.
 */
const COOL_DOWN_MS = 1_000;
const FETCH_TIMEOUT_MS = 5_000;

export interface RemoteIssuer {
  issuer: string;
  /** Unset: asked of the issuer's discovery document. */
  jwksUri?: string;
  /** How long known keys go on being used while the set cannot be fetched. */
  graceMs: number;
}

/**
 * The key set of an external issuer. The library fetches, parses and selects; when to fetch is decided here, since its own rule lets an
 * unknown `kid` cause a fetch a call while an issuer is down, and forgets known keys in an outage.
 */
export class RemoteKeys {
  #set: RemoteJWKSet | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  readonly #fetch: FetchImplementation;

  constructor(
    private readonly remote: RemoteIssuer,
    private readonly clock: Clock,
    fetchImplementation: FetchImplementation = fetch,
  ) {
    this.#fetch = boundedFetch(fetchImplementation);
  }

  readonly find = async (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> => {
    if (this.age() > FRESH_MS) await this.tryFetch();
    const set = this.usable();
    try {
      return await set(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.tryFetch())) throw error;
      return this.usable()(header, token);
    }
  };

  private usable(): RemoteJWKSet {
    if (this.#set === undefined || this.age() > FRESH_MS + this.remote.graceMs) throw new KeysUnavailable();
    return this.#set;
  }

  private age(): number {
    return this.clock.epochMs() - this.#fetchedAt;
  }

  /** @returns whether a fetch was made and succeeded; callers at once share one. */
  private async tryFetch(): Promise<boolean> {
    if (this.#fetching === undefined) {
      if (this.clock.epochMs() - this.#triedAt < COOL_DOWN_MS) return false;
      this.#triedAt = this.clock.epochMs();
      this.#fetching = this.fetch().finally(() => {
        this.#fetching = undefined;
      });
    }
    return this.#fetching.then(
      () => true,
      () => false,
    );
  }

  private async fetch(): Promise<void> {
    const set = this.#set ?? (await this.makeSet());
    await set.reload();
    this.#set = set;
    this.#fetchedAt = this.clock.epochMs();
  }

  private async makeSet(): Promise<RemoteJWKSet> {
    const uri = this.remote.jwksUri ?? (await discoverJwksUri(this.remote.issuer, this.#fetch, FETCH_TIMEOUT_MS));
    return createRemoteJWKSet(new URL(uri), {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cooldownDuration: Number.POSITIVE_INFINITY,
      cacheMaxAge: Number.POSITIVE_INFINITY,
      [customFetch]: this.#fetch,
    });
  }
}
