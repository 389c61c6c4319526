import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Clock, Database, Listener } from '../../platform/index.js';
import { credentialHash } from '../credentials.js';
import { findRegistered } from './registered-clients.js';

const SWEPT_AT_ONCE = 100;

/** The library asks for these only in flows that this issuer has switched off. */
function notInUse(): Promise<never> {
  return Promise.reject(new Error('this issuer has the client credentials grant only'));
}

/** Clients, read from the tables that the administration writes; the library itself may not write them. */
export function clientAdapter(database: Database, listener: Listener): Adapter {
  return {
    find: (id) => findRegistered(database, listener, id),
    upsert: notInUse,
    findByUserCode: notInUse,
    findByUid: notInUse,
    consume: notInUse,
    destroy: notInUse,
    revokeByGrantId: notInUse,
  };
}

/** The library's own state, shared by all instances. An id may be a bearer value: its digest is the key, and it is kept nowhere else. */
export class PayloadAdapter implements Adapter {
  readonly findByUserCode = notInUse;
  readonly findByUid = notInUse;
  readonly revokeByGrantId = notInUse;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly model: string,
  ) {}

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const { jti: _, ...kept } = payload;
    const now = this.clock.epochMs();
    await this.sweep();
    await this.database.query(
      `INSERT INTO auth.oidc_payloads (model, id_hash, payload, expires_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (model, id_hash) DO UPDATE SET payload = EXCLUDED.payload, expires_at = EXCLUDED.expires_at`,
      [this.model, credentialHash(id), kept, new Date(now + expiresIn * 1000)],
    );
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const [row] = await this.database.query<{ payload: AdapterPayload; consumed_at: Date | null }>(
      'SELECT payload, consumed_at FROM auth.oidc_payloads WHERE model = $1 AND id_hash = $2 AND expires_at > $3',
      [this.model, credentialHash(id), this.clock.now()],
    );
    if (row === undefined) return undefined;
    const consumed = row.consumed_at === null ? {} : { consumed: Math.floor(row.consumed_at.getTime() / 1000) };
    return { ...row.payload, jti: id, ...consumed };
  }

  async consume(id: string): Promise<void> {
    await this.database.query('UPDATE auth.oidc_payloads SET consumed_at = $3 WHERE model = $1 AND id_hash = $2', [
      this.model,
      credentialHash(id),
      this.clock.now(),
    ]);
  }

  async destroy(id: string): Promise<void> {
    await this.database.query('DELETE FROM auth.oidc_payloads WHERE model = $1 AND id_hash = $2', [
      this.model,
      credentialHash(id),
    ]);
  }

  /** Each write takes some of what has expired with it, so that the table needs no job of its own. */
  private async sweep(): Promise<void> {
    await this.database.query(
      `DELETE FROM auth.oidc_payloads WHERE (model, id_hash) IN
         (SELECT model, id_hash FROM auth.oidc_payloads WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`,
      [this.clock.now(), SWEPT_AT_ONCE],
    );
  }
}
