import type { IncomingHttpHeaders } from 'node:http';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ManualClock, ProblemError } from '../platform/index.js';
import type { Attempt } from './authenticator.js';
import type { RouteGroup } from './factors.js';
import { type AuthHouse, openAuthHouse, openTestDatabase, type TestDatabase } from './testing/auth-house.js';
import { makeAdministrator, makeClient, type TestClient, tokenOf } from './testing/callers.js';
import { newApiKey } from './credentials.js';

let db: TestDatabase;
let house: AuthHouse;
let clock: ManualClock;
let bank: TestClient;
let bankToken: string;

beforeAll(async () => {
  db = await openTestDatabase();
  clock = new ManualClock(new Date());
  house = await openAuthHouse(db.app, { clock });
  bank = await makeClient(db.app);
  bankToken = await tokenOf(house.urls.public, bank);
});

afterAll(async () => {
  await house?.stop();
  await db?.stop();
});

const from = (address = '192.0.2.7'): Attempt => ({ address });
const bearer = (token: string): IncomingHttpHeaders => ({ authorization: `Bearer ${token}` });
const key = (client: TestClient): IncomingHttpHeaders => ({ 'x-api-key': client.key.apiKey });

function asClient(headers: IncomingHttpHeaders, group: RouteGroup = 'v1', attempt: Attempt = from()) {
  return house.authenticator.authenticateClient(attempt, headers, group);
}

async function refusalOf(work: Promise<unknown>): Promise<ProblemError> {
  const error = await work.then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  if (!(error instanceof ProblemError)) throw new Error('was not refused', { cause: error });
  return error;
}

async function ruleOf(work: Promise<unknown>): Promise<string> {
  return (await refusalOf(work)).rule;
}

/** Past what is believed of a row that was looked up. */
function passTheCache(): void {
  clock.advance(1_000);
}

describe('a client with key and token', () => {
  it('is let in with the rights that all of its credentials share', async () => {
    const client = await makeClient(db.app, {
      scopes: ['verifications:read', 'verifications:write', 'pii:read'],
      keyScopes: ['verifications:read', 'pii:read'],
    });
    const token = await tokenOf(house.urls.public, client, 'verifications:read verifications:write');
    const caller = await asClient({ ...key(client), ...bearer(token) });
    expect(caller).toEqual({
      kind: 'client',
      id: client.id,
      name: client.name,
      scopes: new Set(['verifications:read']),
      keyId: client.key.id,
      tokenId: expect.any(String) as string,
    });
  });

  it('loses at once a right that the client itself loses, whatever its credentials say', async () => {
    const client = await makeClient(db.app);
    const headers = { ...key(client), ...bearer(await tokenOf(house.urls.public, client)) };
    await asClient(headers);
    await db.app.query('UPDATE auth.clients SET scopes = $2 WHERE id = $1', [client.id, ['verifications:read']]);
    passTheCache();
    expect((await asClient(headers)).scopes).toEqual(new Set(['verifications:read']));
  });

  it('notes which credential was tried, never the credential', async () => {
    const attempt = from();
    await asClient({ ...key(bank), ...bearer(bankToken) }, 'v1', attempt);
    expect(attempt.credential).toBe(bank.key.id);
    const wrong = newApiKey();
    const refused = from();
    await refusalOf(asClient({ 'x-api-key': wrong.plain }, 'v1', refused));
    expect(refused.credential).toBe(wrong.prefix);
  });
});

describe('the factors', () => {
  it('of /v1 are key and token, of the drop-in the key alone', async () => {
    expect((await asClient(key(bank), 'drop-in')).id).toBe(bank.id);
    expect(await ruleOf(asClient(key(bank)))).toBe('auth.token-missing');
    expect(await ruleOf(asClient(bearer(bankToken)))).toBe('auth.key-missing');
    expect(await ruleOf(asClient(bearer(bankToken), 'drop-in'))).toBe('auth.key-missing');
    expect(await ruleOf(asClient({}))).toBe('auth.missing');
    expect(await ruleOf(asClient({}, 'drop-in'))).toBe('auth.missing');
  });

  it('are a setting of each client', async () => {
    const client = await makeClient(db.app, { factors: { data: ['token'], dropIn: ['key', 'token'] } });
    const token = await tokenOf(house.urls.public, client);
    const caller = await asClient(bearer(token));
    expect(caller).toMatchObject({ id: client.id, scopes: new Set(['verifications:read', 'verifications:write']) });
    expect(caller.keyId).toBeUndefined();
    expect(await ruleOf(asClient(key(client), 'drop-in'))).toBe('auth.token-missing');
  });

  it('must name the same client', async () => {
    const other = await makeClient(db.app);
    expect(await ruleOf(asClient({ ...key(other), ...bearer(bankToken) }))).toBe('auth.mismatch');
    expect(await ruleOf(asClient({ ...key(other), ...bearer(bankToken) }, 'drop-in'))).toBe('auth.mismatch');
  });

  it('that are not needed must be good all the same', async () => {
    expect(await ruleOf(asClient({ ...key(bank), authorization: 'Bearer nonsense' }, 'drop-in'))).toBe(
      'auth.token-malformed',
    );
    expect(await ruleOf(asClient({ ...key(bank), authorization: 'Basic Zm9vOmJhcg==' }, 'drop-in'))).toBe(
      'auth.authorization-malformed',
    );
    const tokenOnly = await makeClient(db.app, { factors: { data: ['token'], dropIn: ['token'] } });
    const token = await tokenOf(house.urls.public, tokenOnly);
    expect(await ruleOf(asClient({ 'x-api-key': newApiKey().plain, ...bearer(token) }))).toBe('auth.key-unknown');
  });
});

describe('a key', () => {
  it.each([['malformed'], [''], ['Bearer x']])('of the wrong form %j is refused', async (text) => {
    expect(await ruleOf(asClient({ 'x-api-key': text }))).toBe('auth.key-malformed');
  });

  it('sent twice is refused, even when both are the same', async () => {
    const twice = `${bank.key.apiKey}, ${bank.key.apiKey}`;
    expect(await ruleOf(asClient({ 'x-api-key': twice }, 'drop-in'))).toBe('auth.key-malformed');
  });

  it('is refused when it has expired, even from the cache', async () => {
    const client = await makeClient(db.app, { keyExpiresAt: new Date(clock.epochMs() + 500) });
    expect((await asClient(key(client), 'drop-in')).id).toBe(client.id);
    clock.advance(500);
    expect(await ruleOf(asClient(key(client), 'drop-in'))).toBe('auth.key-expired');
  });

  it('is refused within a second of its revocation', async () => {
    const client = await makeClient(db.app);
    await asClient(key(client), 'drop-in');
    await db.app.query('UPDATE auth.api_keys SET revoked_at = $2 WHERE id = $1', [client.key.id, clock.now()]);
    clock.advance(999);
    expect(await ruleOf(asClient(key(client), 'drop-in'))).toBe('auth.key-revoked');
  });

  it('unknown and a known prefix with a wrong secret take the same path: one query each, every time', async () => {
    const known = bank.key.apiKey;
    const wrongSecret = `${known.slice(0, 12)}${newApiKey().plain.slice(12)}`;
    const unknown = newApiKey().plain;
    const queries = vi.spyOn(db.app, 'query');
    const seen: Record<string, string[]> = {};
    for (const presented of [wrongSecret, unknown, wrongSecret, unknown]) {
      queries.mockClear();
      const refusal = await refusalOf(asClient({ 'x-api-key': presented }, 'drop-in'));
      expect(refusal.rule).toBe('auth.key-unknown');
      (seen[presented] ??= []).push(queries.mock.calls.map(([sql]) => sql).join(';'));
    }
    queries.mockRestore();
    expect(seen[wrongSecret]).toEqual(seen[unknown]);
    expect(seen[unknown]?.every((sql) => sql.includes('auth.api_keys') && !sql.includes(';'))).toBe(true);
  });

  it('is looked up once by many calls at once, and not again within the second', async () => {
    const client = await makeClient(db.app);
    const queries = vi.spyOn(db.app, 'query');
    await Promise.all(Array.from({ length: 100 }, () => asClient(key(client), 'drop-in')));
    clock.advance(500);
    await asClient(key(client), 'drop-in');
    expect(queries).toHaveBeenCalledTimes(1);
    queries.mockRestore();
  });

  it('has its last use written coarsely and together', async () => {
    const client = await makeClient(db.app);
    const other = await makeClient(db.app);
    for (let i = 0; i < 5; i += 1) await asClient(key(client), 'drop-in');
    await asClient(key(other), 'drop-in');
    const queries = vi.spyOn(db.app, 'query');
    await house.lastUse.write();
    expect(queries).toHaveBeenCalledTimes(1);
    queries.mockRestore();
    const noted = clock.now();
    const lastUse = async () => {
      const [row] = await db.superuser.query<{ last_used_at: Date }>(
        'SELECT last_used_at FROM auth.api_keys WHERE id = $1',
        [client.key.id],
      );
      return row?.last_used_at;
    };
    expect(await lastUse()).toEqual(noted);
    clock.advance(59_000);
    await asClient(key(client), 'drop-in');
    await house.lastUse.write();
    expect(await lastUse()).toEqual(noted);
    clock.advance(1_000);
    await asClient(key(client), 'drop-in');
    await house.lastUse.write();
    expect(await lastUse()).toEqual(clock.now());
  });
});

describe('a client that is', () => {
  it.each(['suspended', 'revoked'] as const)('%s is refused within a second, key and token', async (state) => {
    const client = await makeClient(db.app, { factors: { data: ['token'], dropIn: ['key'] } });
    const token = await tokenOf(house.urls.public, client);
    await asClient(key(client), 'drop-in');
    await asClient(bearer(token));
    await db.app.query('UPDATE auth.clients SET state = $2 WHERE id = $1', [client.id, state]);
    passTheCache();
    expect(await ruleOf(asClient(key(client), 'drop-in'))).toBe(`auth.client-${state}`);
    expect(await ruleOf(asClient(bearer(token)))).toBe(`auth.client-${state}`);
    await expect(tokenOf(house.urls.public, client)).rejects.toThrow('invalid_client');
  });
});

describe('the addresses of a client', () => {
  it.each([
    ['10.1.2.3', true],
    ['::ffff:10.1.2.3', true],
    ['2001:db8::5', true],
    ['192.0.2.10', true],
    ['192.0.2.11', false],
    ['11.0.0.1', false],
    ['2001:db9::1', false],
    ['nonsense', false],
  ])('%s: %s', async (address, admitted) => {
    const client = await makeClient(db.app, { addresses: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.10'] });
    const attempt = asClient(key(client), 'drop-in', from(address));
    if (admitted) expect((await attempt).id).toBe(client.id);
    else expect(await refusalOf(attempt)).toMatchObject({ code: 'forbidden-address', rule: 'auth.address' });
  });

  it('are not told to one who is not that client', async () => {
    const client = await makeClient(db.app, { addresses: ['10.0.0.0/8'] });
    const refusal = await refusalOf(asClient({ ...key(client), ...bearer('x.y.z') }, 'drop-in'));
    expect(refusal.code).toBe('unauthenticated');
  });
});

describe('every refusal', () => {
  it('is one and the same outside', async () => {
    const other = await makeClient(db.app);
    const refusals = await Promise.all(
      [
        {},
        key(bank),
        { 'x-api-key': 'x' },
        { 'x-api-key': newApiKey().plain },
        { ...key(bank), ...bearer('a.b.c') },
        { ...key(other), ...bearer(bankToken) },
        { ...key(bank), authorization: 'Digest x' },
      ].map((headers) => refusalOf(asClient(headers))),
    );
    const outside = refusals.map(({ code, status, detail, errors, headers }) =>
      JSON.stringify({ code, status, detail, errors, headers }),
    );
    expect(new Set(outside).size).toBe(1);
    expect(refusals[0]?.headers).toEqual({ 'www-authenticate': 'Bearer realm="gatehouse"' });
    expect(new Set(refusals.map((refusal) => refusal.rule)).size).toBe(refusals.length);
  });

  it('holds no credential', async () => {
    const presented = newApiKey().plain;
    const refusal = await refusalOf(asClient({ 'x-api-key': presented, ...bearer(bankToken) }));
    expect(inspect(refusal, { depth: 8 })).not.toContain(presented);
  });
});

describe('calls at the same time', () => {
  it('each get their own client, however the verifications overtake one another', async () => {
    const clients = await Promise.all(
      Array.from({ length: 12 }, () => makeClient(db.app, { factors: { data: ['token'], dropIn: ['token'] } })),
    );
    const tokens = await Promise.all(clients.map((client) => tokenOf(house.urls.public, client)));
    const callers = await Promise.all(tokens.map((token) => asClient(bearer(token))));
    expect(callers.map((caller) => caller.id)).toEqual(clients.map((client) => client.id));
  });
});

describe('an administrator', () => {
  const asAdministrator = (headers: IncomingHttpHeaders) =>
    house.authenticator.authenticateAdministrator(from(), headers);

  it('has those of their roles that the token names', async () => {
    const maria = await makeAdministrator(db.app, ['admin', 'auditor', 'security']);
    const all = await asAdministrator(bearer(await tokenOf(house.urls.admin, maria)));
    expect(all).toMatchObject({ kind: 'administrator', id: maria.id, name: maria.name });
    expect(all.roles).toEqual(new Set(['admin', 'auditor', 'security']));
    const narrowed = await asAdministrator(bearer(await tokenOf(house.urls.admin, maria, 'auditor')));
    expect(narrowed.roles).toEqual(new Set(['auditor']));
  });

  it('loses a role and the way in within a second', async () => {
    const maria = await makeAdministrator(db.app, ['auditor', 'security']);
    const headers = bearer(await tokenOf(house.urls.admin, maria));
    await asAdministrator(headers);
    await db.app.query('UPDATE auth.administrators SET roles = $2 WHERE id = $1', [maria.id, ['auditor']]);
    passTheCache();
    expect((await asAdministrator(headers)).roles).toEqual(new Set(['auditor']));
    await db.app.query(`UPDATE auth.administrators SET state = 'suspended' WHERE id = $1`, [maria.id]);
    passTheCache();
    expect(await ruleOf(asAdministrator(headers))).toBe('auth.administrator-suspended');
  });

  it('needs a token, and one of this listener', async () => {
    const maria = await makeAdministrator(db.app);
    const token = await tokenOf(house.urls.admin, maria);
    expect(await ruleOf(asAdministrator({}))).toBe('auth.missing');
    expect(await ruleOf(asAdministrator(bearer(bankToken)))).toBe('auth.token-issuer');
    expect(await ruleOf(asClient({ ...key(bank), ...bearer(token) }))).toBe('auth.token-issuer');
    await expect(tokenOf(house.urls.public, maria)).rejects.toThrow('invalid_client');
    await expect(tokenOf(house.urls.admin, bank)).rejects.toThrow('invalid_client');
  });
});
