import type { Database } from '../../platform/index.js';
import {
  DAY_MS,
  insertAdministrator,
  insertAdministratorSecret,
  insertClient,
  insertClientSecret,
  insertKey,
  type MadeKey,
} from '../administration/credential-store.js';
import type { Factors } from '../entities/client.entity.js';

export interface TestClient {
  id: string;
  name: string;
  secret: string;
  key: MadeKey;
}

export interface TestClientOptions {
  scopes?: string[];
  keyScopes?: string[];
  factors?: Factors;
  addresses?: string[];
  keyExpiresAt?: Date;
  now?: Date;
}

let made = 0;

export async function makeClient(database: Database, options: TestClientOptions = {}): Promise<TestClient> {
  const name = `client-${++made}`;
  const scopes = options.scopes ?? ['verifications:read', 'verifications:write'];
  const factors = options.factors ?? { data: ['key', 'token'], dropIn: ['key'] };
  const now = options.now ?? new Date();
  return database.transaction(async (tx) => {
    const id = await insertClient(tx, now, { name, scopes, factors, addresses: options.addresses ?? [] });
    const expiresAt = options.keyExpiresAt ?? new Date(now.getTime() + 30 * DAY_MS);
    const key = await insertKey(tx, now, id, options.keyScopes ?? scopes, expiresAt);
    const { secret } = await insertClientSecret(tx, now, id);
    return { id, name, secret, key };
  });
}

export async function makeAdministrator(
  database: Database,
  roles: string[] = ['admin', 'auditor'],
): Promise<{ id: string; name: string; secret: string }> {
  const name = `administrator-${++made}`;
  return database.transaction(async (tx) => {
    const id = await insertAdministrator(tx, new Date(), name, roles);
    const { secret } = await insertAdministratorSecret(tx, new Date(), id);
    return { id, name, secret };
  });
}

export function basic(id: string, secret: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

export async function postToken(
  url: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form), headers });
}

/** A token of the client credentials grant; asserts nothing. */
export async function tokenOf(url: string, caller: { id: string; secret: string }, scope?: string): Promise<string> {
  const form = { grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) };
  const response = await postToken(url, form, basic(caller.id, caller.secret));
  const body = (await response.json()) as { access_token?: string; error?: string };
  if (body.access_token === undefined) throw new Error(`no token: ${body.error ?? response.status}`);
  return body.access_token;
}
