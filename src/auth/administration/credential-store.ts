import { IsNull } from 'typeorm';
import { type Tx, uuidv7 } from '../../platform/index.js';
import { newApiKey, newSecret } from '../credentials.js';
import { AdministratorSecretEntity } from '../entities/administrator-secret.entity.js';
import { AdministratorEntity } from '../entities/administrator.entity.js';
import { ApiKeyEntity } from '../entities/api-key.entity.js';
import { ClientSecretEntity } from '../entities/client-secret.entity.js';
import { ClientEntity } from '../entities/client.entity.js';

/** A secret is rotated by adding the next one: the one before it stays good until then, older ones end. */
const SECRETS_AT_ONCE = 2;
export const DAY_MS = 86_400_000;

export interface MadeKey {
  id: string;
  /** Shown once. */
  apiKey: string;
  prefix: string;
  scopes: string[];
  expiresAt: Date;
}

export interface MadeSecret {
  id: string;
  /** Shown once. */
  secret: string;
}

export async function insertClient(
  tx: Tx,
  now: Date,
  client: Pick<ClientEntity, 'name' | 'scopes' | 'factors' | 'addresses'>,
): Promise<string> {
  const id = uuidv7(now.getTime());
  const { name, scopes, factors, addresses } = client;
  const row = { id, name, scopes, factors, addresses, state: 'active', version: 1, createdAt: now, updatedAt: now };
  await tx.insert(ClientEntity, row as ClientEntity);
  return id;
}

export async function insertAdministrator(tx: Tx, now: Date, name: string, roles: readonly string[]): Promise<string> {
  const id = uuidv7(now.getTime());
  const row = { id, name, roles: [...roles], state: 'active' as const, version: 1, createdAt: now, updatedAt: now };
  await tx.insert(AdministratorEntity, row);
  return id;
}

export async function insertKey(
  tx: Tx,
  now: Date,
  clientId: string,
  scopes: readonly string[],
  expiresAt: Date,
): Promise<MadeKey> {
  const { plain, prefix, hash } = newApiKey();
  const id = uuidv7(now.getTime());
  await tx.insert(ApiKeyEntity, { id, clientId, prefix, hash, scopes: [...scopes], createdAt: now, expiresAt });
  return { id, apiKey: plain, prefix, scopes: [...scopes], expiresAt };
}

export async function insertClientSecret(tx: Tx, now: Date, clientId: string): Promise<MadeSecret> {
  const { plain, hash } = newSecret();
  const id = uuidv7(now.getTime());
  await tx.insert(ClientSecretEntity, { id, clientId, hash, createdAt: now });
  const good = await tx.find(ClientSecretEntity, {
    where: { clientId, revokedAt: IsNull() },
    order: { createdAt: 'DESC', id: 'DESC' },
  });
  for (const old of good.slice(SECRETS_AT_ONCE)) await tx.update(ClientSecretEntity, old.id, { revokedAt: now });
  return { id, secret: plain };
}

export async function insertAdministratorSecret(tx: Tx, now: Date, administratorId: string): Promise<MadeSecret> {
  const { plain, hash } = newSecret();
  const id = uuidv7(now.getTime());
  await tx.insert(AdministratorSecretEntity, { id, administratorId, hash, createdAt: now });
  const good = await tx.find(AdministratorSecretEntity, {
    where: { administratorId, revokedAt: IsNull() },
    order: { createdAt: 'DESC', id: 'DESC' },
  });
  for (const old of good.slice(SECRETS_AT_ONCE)) await tx.update(AdministratorSecretEntity, old.id, { revokedAt: now });
  return { id, secret: plain };
}
