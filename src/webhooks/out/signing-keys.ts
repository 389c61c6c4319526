import { Injectable } from '@nestjs/common';
import { Clock, Database, Keyring, open, seal, type Tx, uuidv7 } from '../../platform/index.js';
import { makeKey, type MadeKey, type Scheme, type SigningKey } from './signing.js';

export interface KeyView {
  id: string;
  scheme: Scheme;
  /** `whpk_…` of an Ed25519 key. */
  publicKey: string | null;
  createdAt: string;
  /** Null for the newest; the one before signs until then as well. */
  expiresAt: string | null;
}

/** A key is believed as long: a rotation on another instance is noticed within this. */
const KEPT_MS = 1_000;
const MOST_KEPT = 10_000;

interface Row {
  id: string;
  scheme: Scheme;
  sealed: Buffer;
}

/** The keys by which endpoints know us, sealed under the master key. */
@Injectable()
export class SigningKeys {
  readonly #kept = new Map<string, { untilMs: number; keys: SigningKey[] }>();

  constructor(
    private readonly database: Database,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
  ) {}

  async add(tx: Tx, endpointId: string, scheme: Scheme): Promise<MadeKey> {
    const made = makeKey(scheme);
    const now = this.clock.now();
    const id = uuidv7(now.getTime());
    await tx.query(
      `INSERT INTO webhooks.signing_keys (id, endpoint_id, scheme, sealed, public_key, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
      [id, endpointId, scheme, seal(this.sealer, made.secret, id), made.publicKey ?? null, now],
    );
    return made;
  }

  /** The keys that there are sign until then; earlier ones are dropped. */
  async retire(tx: Tx, endpointId: string, until: Date): Promise<void> {
    await tx.query('DELETE FROM webhooks.signing_keys WHERE endpoint_id = $1 AND expires_at IS NOT NULL', [endpointId]);
    await tx.query('UPDATE webhooks.signing_keys SET expires_at = $2 WHERE endpoint_id = $1', [endpointId, until]);
  }

  /** Those that sign now, newest first. */
  async of(endpointId: string): Promise<SigningKey[]> {
    const nowMs = this.clock.epochMs();
    const kept = this.#kept.get(endpointId);
    if (kept !== undefined && kept.untilMs > nowMs) return kept.keys;
    const rows = await this.database.query<Row>(
      `SELECT id, scheme, sealed FROM webhooks.signing_keys
        WHERE endpoint_id = $1 AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at DESC`,
      [endpointId, this.clock.now()],
    );
    const keys = rows.map(({ id, scheme, sealed }) => ({ scheme, secret: open(this.sealer, sealed, id) }));
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(endpointId, { untilMs: nowMs + KEPT_MS, keys });
    return keys;
  }

  async views(from: Pick<Tx, 'query'>, endpointIds: readonly string[]): Promise<Map<string, KeyView[]>> {
    const rows = await from.query<
      {
        id: string;
        endpoint: string;
        scheme: Scheme;
        publicKey: string | null;
        createdAt: Date;
        expiresAt: Date | null;
      }[]
    >(
      `SELECT id, endpoint_id AS endpoint, scheme, public_key AS "publicKey", created_at AS "createdAt", expires_at AS "expiresAt"
         FROM webhooks.signing_keys WHERE endpoint_id = ANY($1) AND (expires_at IS NULL OR expires_at > $2) ORDER BY created_at DESC`,
      [endpointIds, this.clock.now()],
    );
    const views = new Map<string, KeyView[]>();
    for (const { endpoint, createdAt, expiresAt, ...row } of rows) {
      const view = { ...row, createdAt: createdAt.toISOString(), expiresAt: expiresAt?.toISOString() ?? null };
      views.set(endpoint, [...(views.get(endpoint) ?? []), view]);
    }
    return views;
  }

  private get sealer(): Buffer {
    return this.keyring.key('webhook-keys');
  }
}
