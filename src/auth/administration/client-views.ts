import type { ApiKeyEntity } from '../entities/api-key.entity.js';
import type { ClientSecretEntity } from '../entities/client-secret.entity.js';
import type { ClientEntity, Factors, State } from '../entities/client.entity.js';

export interface ClientView {
  id: string;
  name: string;
  scopes: string[];
  factors: Factors;
  state: State;
  addresses: string[];
  version: number;
  createdAt: string;
  updatedAt: string;
}

export interface KeyView {
  id: string;
  prefix: string;
  scopes: string[];
  createdAt: string;
  expiresAt: string;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

export interface SecretView {
  id: string;
  createdAt: string;
  revokedAt: string | null;
}

export interface ClientDetailView extends ClientView {
  keys: KeyView[];
  secrets: SecretView[];
}

export function clientView(client: ClientEntity): ClientView {
  return {
    id: client.id,
    name: client.name,
    scopes: client.scopes,
    factors: client.factors,
    state: client.state,
    addresses: client.addresses,
    version: client.version,
    createdAt: client.createdAt.toISOString(),
    updatedAt: client.updatedAt.toISOString(),
  };
}

export function keyView(key: ApiKeyEntity): KeyView {
  return {
    id: key.id,
    prefix: key.prefix,
    scopes: key.scopes,
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt.toISOString(),
    revokedAt: key.revokedAt?.toISOString() ?? null,
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
  };
}

export function secretView(secret: ClientSecretEntity): SecretView {
  return {
    id: secret.id,
    createdAt: secret.createdAt.toISOString(),
    revokedAt: secret.revokedAt?.toISOString() ?? null,
  };
}
