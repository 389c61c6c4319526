import type { AuditLog } from '../audit/index.js';
import { type Clock, type Database, type Tx, uuidv7 } from '../platform/index.js';
import {
  DAY_MS,
  insertAdministrator,
  insertAdministratorSecret,
  insertClient,
  insertClientSecret,
  insertKey,
} from './administration/credential-store.js';
import { credentialHash } from './credentials.js';
import { AdministratorSecretEntity } from './entities/administrator-secret.entity.js';
import { AdministratorEntity } from './entities/administrator.entity.js';
import { ClientEntity } from './entities/client.entity.js';
import { ADMIN_ROLES, CLIENT_SCOPES } from './scopes.js';

/** Advisory lock, arbitrary but fixed: two provisionings at once make one set of callers. */
const LOCK = 4_711_202_621;
const FACTORS = { data: ['key', 'token'], dropIn: ['key'] } satisfies ClientEntity['factors'];

export const ALL_BUT_PII = CLIENT_SCOPES.filter((scope) => scope !== 'pii:read');

/** The database must have been opened with this module's entities. */
export interface ProvisioningParts {
  database: Database;
  audit: Pick<AuditLog, 'appendIn'>;
  clock: Clock;
  /** `auth.keys.maxAgeDays`. */
  keyMaxAgeDays: number;
  /** Who the record says did it. */
  actor: 'bootstrap' | 'development';
}

export interface AdministratorSecrets {
  clientId: string;
  clientSecret: string;
}

export interface ClientSecrets extends AdministratorSecrets {
  apiKey: string;
}

/** Makes callers without an administrator who would ask for them: in one transaction with its records. */
export class Provisioning {
  private constructor(
    readonly tx: Tx,
    private readonly parts: ProvisioningParts,
  ) {}

  static run<T>(parts: ProvisioningParts, work: (provisioning: Provisioning) => Promise<T>): Promise<T> {
    return parts.database.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      return work(new Provisioning(tx, parts));
    });
  }

  /** A client of this name; secrets that are known and that the database still takes are given back, else new ones are added. */
  async client(name: string, scopes: readonly string[], known?: Partial<ClientSecrets>): Promise<ClientSecrets> {
    const now = this.parts.clock.now();
    const existing = await this.tx.findOneBy(ClientEntity, { name });
    if (existing !== null && known?.apiKey !== undefined && known.clientSecret !== undefined) {
      const { apiKey, clientSecret } = known;
      if (await this.takes(existing.id, apiKey, clientSecret)) return { apiKey, clientId: existing.id, clientSecret };
    }
    const clientId =
      existing?.id ??
      (await insertClient(this.tx, now, { name, scopes: [...scopes], factors: FACTORS, addresses: [] }));
    const expiresAt = new Date(now.getTime() + this.parts.keyMaxAgeDays * DAY_MS);
    const { apiKey } = await insertKey(this.tx, now, clientId, existing?.scopes ?? scopes, expiresAt);
    const { secret } = await insertClientSecret(this.tx, now, clientId);
    await this.record({ act: 'client.provided', clientId, name, created: existing === null });
    return { apiKey, clientId, clientSecret: secret };
  }

  /** An administrator of this name with every role; a known secret is given back as long as the database takes it. */
  async administrator(name: string, known?: Partial<AdministratorSecrets>): Promise<AdministratorSecrets> {
    const now = this.parts.clock.now();
    const existing = await this.tx.findOneBy(AdministratorEntity, { name });
    if (existing !== null && known?.clientSecret !== undefined) {
      const hash = credentialHash(known.clientSecret);
      const stored = await this.tx.findOneBy(AdministratorSecretEntity, { administratorId: existing.id, hash });
      if (stored?.revokedAt === null) return { clientId: existing.id, clientSecret: known.clientSecret };
    }
    const clientId = existing?.id ?? (await insertAdministrator(this.tx, now, name, ADMIN_ROLES));
    const { secret } = await insertAdministratorSecret(this.tx, now, clientId);
    await this.record({ act: 'administrator.provided', administratorId: clientId, name, created: existing === null });
    return { clientId, clientSecret: secret };
  }

  private async takes(clientId: string, apiKey: string, secret: string): Promise<boolean> {
    const [row] = await this.tx.query<{ both: boolean }[]>(
      `SELECT EXISTS (SELECT FROM auth.api_keys
                       WHERE client_id = $1 AND hash = $2 AND revoked_at IS NULL AND expires_at > $4)
          AND EXISTS (SELECT FROM auth.client_secrets WHERE client_id = $1 AND hash = $3 AND revoked_at IS NULL) AS both`,
      [clientId, credentialHash(apiKey), credentialHash(secret), this.parts.clock.now()],
    );
    return row?.both === true;
  }

  private async record(detail: Record<string, string | boolean>): Promise<void> {
    const now = this.parts.clock.now();
    await this.parts.audit.appendIn(this.tx, {
      id: uuidv7(now.getTime()),
      at: now.toISOString(),
      kind: 'admin.act',
      actor: this.parts.actor,
      detail,
    });
  }
}
