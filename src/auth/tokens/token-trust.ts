import { hash } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../../platform/index.js';
import { LookupCache } from '../lookup-cache.js';
import { type Refusal, refused } from '../refusals.js';
import { type KeySource, KeysUnavailable } from './key-source.js';

const KEPT_MS = 300_000;
const MOST_KEPT = 10_000;
/** Longer ones are no access tokens of anybody's; said before any of it is parsed. */
const LONGEST_TOKEN = 8_192;

/** An issuer whose tokens open one of the listeners. */
export interface TrustedIssuer {
  issuer: string;
  audience: string;
  /** Signature algorithms taken; a symmetric one or `none` can never be among them. */
  algorithms: readonly string[];
  /** Whether `typ` must be `at+jwt` (RFC 9068 section 4). */
  requireTyp: boolean;
  /** The claim that names the client or administrator. */
  subjectClaim: string;
  /** The claims that hold scopes or roles; the first that is there counts. */
  rightsClaims: readonly string[];
  keys: KeySource;
  /**
   * Whether the keys are this deployment's own, for this listener alone: then they prove who issued a token under whatever address, since
   * another instance on the same database may be reached by another one. Such a token names one address as issuer and audience.
   */
  ownKeys?: boolean;
}

/** What a good token says. */
export interface VerifiedToken {
  subject: string;
  rights: ReadonlySet<string>;
  /** `jti`, where the issuer gives one. */
  id: string | undefined;
  expiresAtMs: number;
}

/** The issuers that one listener believes. A verified token is remembered by its digest for a while, so that its signature is checked once. */
export class TokenTrust {
  readonly #issuers = new Map<string, TrustedIssuer>();
  readonly #verified: LookupCache<VerifiedToken>;
  readonly #own: TrustedIssuer | undefined;

  constructor(
    issuers: readonly TrustedIssuer[],
    private readonly clock: Clock,
    private readonly toleranceMs: number,
  ) {
    this.#verified = new LookupCache(clock, { ttlMs: KEPT_MS, limit: MOST_KEPT });
    this.#own = issuers.find((issuer) => issuer.ownKeys === true);
    for (const issuer of issuers) {
      this.#issuers.set(issuer.issuer, issuer);
      // Settings are held without a last slash, and some issuers' `iss` ends in one.
      this.#issuers.set(`${issuer.issuer}/`, issuer);
    }
  }

  /** @throws ProblemError `unauthenticated`, whose rule says what was wrong. */
  async verify(token: string): Promise<VerifiedToken> {
    if (token.length > LONGEST_TOKEN) throw refused('auth.token-malformed');
    const verified = await this.#verified.get(hash('sha256', token, 'base64url'), () => this.check(token));
    if (verified === undefined) throw refused('auth.token-malformed');
    // Kept or not, the end of a token's life is looked at on every call.
    if (this.clock.epochMs() - this.toleranceMs >= verified.expiresAtMs) throw refused('auth.token-expired');
    return verified;
  }

  private async check(token: string): Promise<VerifiedToken> {
    const named = this.named(token);
    const issuer = named ?? this.#own;
    if (issuer === undefined) throw refused('auth.token-issuer');
    try {
      const { payload } = await jwtVerify(token, issuer.keys, {
        ...(named === undefined ? {} : { issuer: [named.issuer, `${named.issuer}/`], audience: named.audience }),
        algorithms: [...issuer.algorithms],
        clockTolerance: this.toleranceMs / 1000,
        currentDate: this.clock.now(),
        requiredClaims: ['exp', 'iss', 'aud', issuer.subjectClaim],
        ...(issuer.requireTyp ? { typ: 'at+jwt' } : {}),
      });
      if (named === undefined && payload.aud !== payload.iss) throw new UnusableClaims('auth.token-audience');
      return toVerified(payload, issuer);
    } catch (error) {
      const rule = refusalOf(error);
      throw refused(named === undefined && rule === 'auth.token-key' ? 'auth.token-issuer' : rule, error);
    }
  }

  /** The issuer that a token names. The claim is read before it is proved, and only to choose by whose keys it must be proved. */
  private named(token: string): TrustedIssuer | undefined {
    try {
      const { iss } = decodeJwt(token);
      return iss === undefined ? undefined : this.#issuers.get(iss);
    } catch (error) {
      throw refused('auth.token-malformed', error);
    }
  }
}

class UnusableClaims extends Error {
  constructor(readonly rule: Refusal) {
    super(rule);
  }
}

function toVerified(payload: JWTPayload, issuer: TrustedIssuer): VerifiedToken {
  const subject = payload[issuer.subjectClaim];
  if (typeof subject !== 'string' || subject === '' || payload.exp === undefined)
    throw new UnusableClaims('auth.token-claims');
  // A sender-constrained token without its proof is a stolen one (RFC 8705 section 3, RFC 9449 section 7.1).
  if (payload['cnf'] !== undefined) throw new UnusableClaims('auth.token-bound');
  return {
    subject,
    rights: rightsOf(payload, issuer.rightsClaims),
    id: payload.jti,
    expiresAtMs: payload.exp * 1000,
  };
}

function rightsOf(payload: JWTPayload, claims: readonly string[]): ReadonlySet<string> {
  const claim = claims.find((name) => payload[name] !== undefined);
  const value = claim === undefined ? undefined : payload[claim];
  if (typeof value === 'string') return new Set(value.split(' ').filter(Boolean));
  if (Array.isArray(value)) return new Set(value.filter((item) => typeof item === 'string'));
  return new Set();
}

const BY_CLAIM: Record<string, Refusal> = {
  iss: 'auth.token-issuer',
  aud: 'auth.token-audience',
  nbf: 'auth.token-early',
  typ: 'auth.token-type',
};

function refusalOf(error: unknown): Refusal {
  if (error instanceof UnusableClaims) return error.rule;
  if (error instanceof KeysUnavailable) return 'auth.issuer-unreachable';
  if (error instanceof errors.JWTExpired) return 'auth.token-expired';
  if (error instanceof errors.JWTClaimValidationFailed) return BY_CLAIM[error.claim] ?? 'auth.token-claims';
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return 'auth.token-algorithm';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'auth.token-key';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'auth.token-signature';
  if (error instanceof errors.JOSEError) return 'auth.token-malformed';
  throw error;
}
