import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog, type RecordInput } from '../audit/index.js';
import { Clock, CONFIG, Database, loadConfig, SystemClock } from '../platform/index.js';
import { AlreadyBootstrapped, bootstrap } from './bootstrap.js';
import { type DevSecrets, ensureDevelopmentClients } from './development-clients.js';
import { CLIENT_SCOPES } from './scopes.js';
import { type AuthHouse, openAuthHouse, openTestDatabase, type TestDatabase } from './testing/auth-house.js';
import { tokenOf } from './testing/callers.js';

let db: TestDatabase | undefined;
let house: AuthHouse | undefined;
let acts: RecordInput[];
const audit = {
  appendIn: (_: unknown, record: RecordInput) => {
    acts.push(record);
    return Promise.resolve();
  },
};

async function opened(): Promise<{ db: TestDatabase; house: AuthHouse }> {
  db ??= await openTestDatabase();
  house ??= await openAuthHouse(db.app);
  return { db, house };
}

beforeEach(async () => {
  acts = [];
  const { superuser } = (await opened()).db;
  await superuser.query('TRUNCATE auth.clients, auth.administrators CASCADE');
});

afterAll(async () => {
  await house?.stop();
  await db?.stop();
});

function enter(apiKey: string, token?: string) {
  const headers = { 'x-api-key': apiKey, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  if (house === undefined) throw new Error('not open');
  return house.authenticator.authenticateClient(
    { address: '127.0.0.1' },
    headers,
    token === undefined ? 'drop-in' : 'v1',
  );
}

describe('bootstrap', () => {
  it('makes the first administrator with every role and a client with every scope but pii:read', async () => {
    const { db, house } = await opened();
    const made = await bootstrap(db.app, audit);
    const adminToken = await tokenOf(house.urls.admin, { id: made.adminClientId, secret: made.adminClientSecret });
    const administrator = await house.authenticator.authenticateAdministrator(
      { address: '127.0.0.1' },
      { authorization: `Bearer ${adminToken}` },
    );
    expect(administrator.roles.has('admin')).toBe(true);
    const token = await tokenOf(house.urls.public, { id: made.clientId, secret: made.clientSecret });
    const caller = await enter(made.apiKey, token);
    expect(caller.scopes).toEqual(new Set(CLIENT_SCOPES.filter((scope) => scope !== 'pii:read')));
    expect(acts.map(({ kind, actor }) => [kind, actor])).toEqual([
      ['admin.act', 'bootstrap'],
      ['admin.act', 'bootstrap'],
    ]);
    expect(JSON.stringify(acts)).not.toContain(made.apiKey.slice(12));
  });

  it('is refused where there is an administrator, and changes nothing', async () => {
    const { db } = await opened();
    await bootstrap(db.app, audit);
    await expect(bootstrap(db.app, audit)).rejects.toThrow(AlreadyBootstrapped);
    const [count] = await db.app.query<{ n: string }>('SELECT count(*) AS n FROM auth.clients');
    expect(count?.n).toBe('1');
  });

  it('by two at once succeeds once', async () => {
    const { db } = await opened();
    const outcomes = await Promise.allSettled([bootstrap(db.app, audit), bootstrap(db.app, audit)]);
    expect(outcomes.map((outcome) => outcome.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('that cannot be recorded makes nobody', async () => {
    const { db } = await opened();
    const broken = { appendIn: () => Promise.reject(new Error('away')) };
    await expect(bootstrap(db.app, broken)).rejects.toThrow('away');
    expect(await db.app.query('SELECT id FROM auth.administrators')).toEqual([]);
  });
});

describe('the development clients', () => {
  async function ensure(known?: Partial<DevSecrets>): Promise<DevSecrets> {
    const { db } = await opened();
    const parts = new Map<unknown, unknown>([
      [Database, db.app],
      [AuditLog, audit],
      [Clock, new SystemClock()],
      [CONFIG, loadConfig({})],
    ]);
    return ensureDevelopmentClients({ get: (token: unknown) => parts.get(token) } as never, known);
  }

  it('are those of the contract, key and token on /v1 and the key on the drop-in', async () => {
    const { house } = await opened();
    const secrets = await ensure();
    const callers = [secrets, secrets.piiClient, secrets.otherClient];
    const names: [string, boolean][] = [];
    for (const { apiKey, clientId, clientSecret } of callers) {
      expect((await enter(apiKey)).id).toBe(clientId);
      const token = await tokenOf(house.urls.public, { id: clientId, secret: clientSecret });
      const caller = await enter(apiKey, token);
      names.push([caller.name, caller.scopes.has('pii:read')]);
    }
    expect(names).toEqual([
      ['bank', false],
      ['bank-kyc-desk', true],
      ['other', false],
    ]);
    await tokenOf(house.urls.admin, { id: secrets.adminClientId, secret: secrets.adminClientSecret });
    await tokenOf(house.urls.admin, { id: secrets.secondAdmin.clientId, secret: secrets.secondAdmin.clientSecret });
    expect(secrets.secondAdmin.clientId).not.toBe(secrets.adminClientId);
  });

  it('are the same after a restart', async () => {
    const first = await ensure();
    acts = [];
    expect(await ensure(first)).toEqual(first);
    expect(acts).toEqual([]);
  });

  it('get new secrets where the old ones are lost or no longer taken, and keep their ids', async () => {
    const { db } = await opened();
    const first = await ensure();
    await db.app.query('UPDATE auth.api_keys SET revoked_at = now() WHERE client_id = $1', [first.clientId]);
    const { secondAdmin: _, ...known } = first;
    const second = await ensure(known);
    expect(second.clientId).toBe(first.clientId);
    expect(second.apiKey).not.toBe(first.apiKey);
    expect(second.piiClient).toEqual(first.piiClient);
    expect(second.secondAdmin.clientId).toBe(first.secondAdmin.clientId);
    expect(second.secondAdmin.clientSecret).not.toBe(first.secondAdmin.clientSecret);
    expect((await enter(second.apiKey)).name).toBe('bank');
  });

  it('are made anew in a database that knows none of them', async () => {
    const { db } = await opened();
    const first = await ensure();
    await db.superuser.query('TRUNCATE auth.clients, auth.administrators CASCADE');
    const second = await ensure(first);
    expect(second.clientId).not.toBe(first.clientId);
    expect((await enter(second.apiKey)).name).toBe('bank');
  });
});
