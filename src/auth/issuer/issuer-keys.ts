import {
  calculateJwkThumbprint,
  type CryptoKey,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  type JWSHeaderParameters,
} from 'jose';
import {
  type Clock,
  ConfigError,
  type Database,
  type Keyring,
  type Listener,
  open,
  seal,
  type Tx,
} from '../../platform/index.js';

/** Of the embedded issuers: small, fast to sign, and every JOSE library has it. */
export const ISSUER_ALGORITHM = 'ES256';
/** A new key is published this long before it signs: longer than the slowest instance takes to read it. */
const PUBLISHED_AHEAD_MS = 600_000;
/** A key this old is replaced by the next refresh of any instance. */
const LONGEST_IN_USE_MS = 90 * 86_400_000;
/** At most one look into the database in this time for a `kid` nobody knows. */
const COOL_DOWN_MS = 5_000;
/** Advisory lock, arbitrary but fixed: two instances that start at once make one key. */
const LOCK = 4_711_202_620;

interface KeyRow {
  kid: string;
  public_jwk: JWK;
  sealed: Buffer;
  signs_from: Date;
  created_at: Date;
}

interface IssuerKey {
  kid: string;
  privateJwk: JWK;
  publicKey: CryptoKey;
  signsFromMs: number;
}

export interface IssuerKeyParts {
  database: Database;
  keyring: Keyring;
  clock: Clock;
  /** Life of a token: a replaced key goes on verifying for as long. */
  tokenLifetimeMs: number;
}

/** The signing keys of one listener's issuer, in Postgres under the master key, so that instances trust each other's tokens. */
export class IssuerKeys {
  #keys: ReadonlyMap<string, IssuerKey> = new Map();
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  /** @param changed called whenever the set of keys is another one. */
  constructor(
    private readonly listener: Listener,
    private readonly parts: IssuerKeyParts,
    private readonly changed: (keys: IssuerKeys) => void,
  ) {}

  /** The key that signs now: the youngest whose time has come. */
  get signer(): string {
    const now = this.parts.clock.epochMs();
    const ready = [...this.#keys.values()].filter((key) => key.signsFromMs <= now);
    const youngest = ready.sort((a, b) => b.signsFromMs - a.signsFromMs)[0] ?? this.#keys.values().next().value;
    if (youngest === undefined) throw new Error('the issuer has no key');
    return youngest.kid;
  }

  get privateJwks(): JWK[] {
    return [...this.#keys.values()].map((key) => key.privateJwk);
  }

  /** The public key of a token's header, known here without asking our own listener over HTTP. */
  readonly find = async (header: JWSHeaderParameters): Promise<CryptoKey> => {
    const kid = header.kid ?? '';
    if (!this.#keys.has(kid) && this.parts.clock.epochMs() - this.#refreshedAt >= COOL_DOWN_MS) await this.refresh();
    const key = this.#keys.get(kid);
    if (key === undefined) throw new errors.JWKSNoMatchingKey();
    return key.publicKey;
  };

  /** Reads the keys, making the first one where there is none and replacing one past its age. */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.read().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Publishes a new key that signs in ten minutes; those before it verify until the last of their tokens has expired. */
  async rotate(): Promise<void> {
    await this.parts.database.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      await this.replace(tx);
    });
    await this.refresh();
  }

  private async read(): Promise<void> {
    const rows = await this.parts.database.transaction((tx) => this.current(tx));
    const keys = await Promise.all(rows.map(async (row) => this.#keys.get(row.kid) ?? this.unseal(row)));
    const before = this.#keys;
    this.#keys = new Map(keys.map((key) => [key.kid, key]));
    this.#refreshedAt = this.parts.clock.epochMs();
    if (keys.length !== before.size || keys.some((key) => !before.has(key.kid))) this.changed(this);
  }

  private async current(tx: Tx): Promise<KeyRow[]> {
    const rows = await this.rows(tx);
    const youngest = Math.max(...rows.map((row) => row.created_at.getTime()), Number.NEGATIVE_INFINITY);
    if (this.parts.clock.epochMs() - youngest < LONGEST_IN_USE_MS) return rows;
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const again = await this.rows(tx);
    // Another instance was faster.
    if (again.some((row) => row.created_at.getTime() > youngest)) return again;
    await this.replace(tx);
    return this.rows(tx);
  }

  private async rows(tx: Tx): Promise<KeyRow[]> {
    return tx.query<KeyRow[]>(
      `SELECT kid, public_jwk, sealed, signs_from, created_at FROM auth.issuer_keys
        WHERE listener = $1 AND (retires_at IS NULL OR retires_at > $2) ORDER BY created_at, kid`,
      [this.listener, this.parts.clock.now()],
    );
  }

  private async replace(tx: Tx): Promise<void> {
    const { clock, keyring, tokenLifetimeMs } = this.parts;
    const now = clock.epochMs();
    const first = (await this.rows(tx)).length === 0;
    const signsFrom = new Date(first ? now : now + PUBLISHED_AHEAD_MS);
    const { kid, publicJwk, privateJwk } = await newKey();
    await tx.query('UPDATE auth.issuer_keys SET retires_at = $2 WHERE listener = $1 AND retires_at IS NULL', [
      this.listener,
      new Date(signsFrom.getTime() + 2 * tokenLifetimeMs),
    ]);
    await tx.query(
      `INSERT INTO auth.issuer_keys (kid, listener, public_jwk, sealed, created_at, signs_from)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [
        kid,
        this.listener,
        publicJwk,
        seal(keyring.key('issuer-keys'), Buffer.from(JSON.stringify(privateJwk)), this.context(kid)),
        new Date(now),
        signsFrom,
      ],
    );
  }

  private async unseal(row: KeyRow): Promise<IssuerKey> {
    const plain = this.opened(row);
    const publicKey = await importJWK(row.public_jwk, ISSUER_ALGORITHM);
    if (publicKey instanceof Uint8Array) throw new Error('an issuer key is symmetric');
    return {
      kid: row.kid,
      privateJwk: JSON.parse(plain.toString()) as JWK,
      publicKey,
      signsFromMs: row.signs_from.getTime(),
    };
  }

  private opened(row: KeyRow): Buffer {
    try {
      return open(this.parts.keyring.key('issuer-keys'), row.sealed, this.context(row.kid));
    } catch {
      throw new ConfigError(
        'is not the master key under which the issuer keys of this database were sealed',
        'GATEHOUSE_MASTER_KEY_FILE',
      );
    }
  }

  private context(kid: string): string {
    return `issuer-key/${this.listener}/${kid}`;
  }
}

/** The key's name is its thumbprint (RFC 7638). */
async function newKey(): Promise<{ kid: string; publicJwk: JWK; privateJwk: JWK }> {
  const pair = await generateKeyPair(ISSUER_ALGORITHM, { extractable: true });
  const bare = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(bare);
  const named = { kid, alg: ISSUER_ALGORITHM, use: 'sig' };
  return { kid, publicJwk: { ...bare, ...named }, privateJwk: { ...(await exportJWK(pair.privateKey)), ...named } };
}
