import { randomBytes } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Keyring } from '../../platform/index.js';
import { type AuthHouse, openAuthHouse, openTestDatabase, type TestDatabase } from '../testing/auth-house.js';
import { basic, makeAdministrator, makeClient, postToken, type TestClient, tokenOf } from '../testing/callers.js';

const GRANT = { grant_type: 'client_credentials' };
const ALL = 'verifications:read verifications:write';

let db: TestDatabase;
let keyring: Keyring;
let house: AuthHouse;
let bank: TestClient;

beforeAll(async () => {
  db = await openTestDatabase();
  keyring = new Keyring(randomBytes(32));
  house = await openAuthHouse(db.app, { keyring });
  bank = await makeClient(db.app);
});

afterAll(async () => {
  await house?.stop();
  await db?.stop();
});

const ask = (form: Record<string, string> = {}, headers = basic(bank.id, bank.secret)) =>
  postToken(house.urls.public, { ...GRANT, ...form }, headers);

async function json(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  return (await response.json()) as Record<string, unknown>;
}

describe('a token', () => {
  it('is a JWT after RFC 9068 with what the contract names beside it', async () => {
    const response = await ask();
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('set-cookie')).toBeNull();
    const body = await json(response);
    expect(body).toEqual({
      access_token: expect.any(String) as string,
      token_type: 'Bearer',
      expires_in: 600,
      scope: ALL,
    });
    const token = body['access_token'] as string;
    expect(decodeProtectedHeader(token)).toMatchObject({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: expect.any(String) as string,
    });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      iss: house.urls.public,
      aud: house.urls.public,
      sub: bank.id,
      client_id: bank.id,
      scope: ALL,
      jti: expect.any(String) as string,
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600);
  });

  it('is given for a secret in the body as well', async () => {
    const form = { ...GRANT, client_id: bank.id, client_secret: bank.secret };
    expect((await postToken(house.urls.public, form)).status).toBe(200);
  });

  it.each([
    ['verifications:read', 'verifications:read'],
    ['verifications:read pii:read', 'verifications:read'],
    ['verifications:write verifications:read', 'verifications:write verifications:read'],
  ])('for scope %j carries %j', async (asked, granted) => {
    expect(await json(await ask({ scope: asked }))).toMatchObject({ scope: granted });
  });

  it('of an administrator carries roles', async () => {
    const maria = await makeAdministrator(db.app, ['auditor', 'security']);
    const token = await tokenOf(house.urls.admin, maria, 'auditor');
    expect(decodeJwt(token)).toMatchObject({ iss: house.urls.admin, aud: house.urls.admin, scope: 'auditor' });
  });
});

describe('an error of the token endpoint', () => {
  const wrong = () => basic(bank.id, `${bank.secret.slice(0, -1)}${bank.secret.endsWith('A') ? 'B' : 'A'}`);

  it.each([
    ['a wrong secret', () => ask({}, wrong()), 401, 'invalid_client'],
    ['an unknown client', () => ask({}, basic(crypto.randomUUID(), bank.secret)), 401, 'invalid_client'],
    ['a client id that is no UUID', () => ask({}, basic(`x' OR '1'='1`, bank.secret)), 401, 'invalid_client'],
    [
      'the digest in place of the secret',
      async () => ask({}, basic(bank.id, await storedDigest())),
      401,
      'invalid_client',
    ],
    ['no client at all', () => postToken(house.urls.public, GRANT), 401, 'invalid_client'],
    ['no grant type', () => postToken(house.urls.public, {}, basic(bank.id, bank.secret)), 400, 'invalid_request'],
    ['another grant type', () => ask({ grant_type: 'password' }), 400, 'unsupported_grant_type'],
    ['the authorization code grant', () => ask({ grant_type: 'authorization_code' }), 400, 'unsupported_grant_type'],
    ['an unknown scope', () => ask({ scope: 'everything' }), 400, 'invalid_scope'],
    ['only scopes it does not hold', () => ask({ scope: 'pii:read' }), 400, 'invalid_scope'],
    ['a role for a client', () => ask({ scope: 'admin' }), 400, 'invalid_scope'],
    ['another resource', () => ask({ resource: 'https://elsewhere.example' }), 400, 'invalid_target'],
    ['the other listener for a resource', () => ask({ resource: house.urls.admin }), 400, 'invalid_target'],
    ['two ways of authentication', () => ask({ client_secret: bank.secret }), 400, 'invalid_request'],
  ])('for %s is JSON after RFC 6749', async (_, work, status, error) => {
    const response = await work();
    expect(response.status).toBe(status);
    expect(await json(response)).toMatchObject({ error });
    if (status === 401) expect(response.headers.get('www-authenticate')).toBe(`Basic realm="${house.urls.public}"`);
  });

  async function storedDigest(): Promise<string> {
    const [row] = await db.superuser.query<{ hash: Buffer }>(
      'SELECT hash FROM auth.client_secrets WHERE client_id = $1',
      [bank.id],
    );
    return row?.hash.toString('base64') ?? '';
  }

  it('says the same of an unknown client and a wrong secret', async () => {
    const answers = await Promise.all([ask({}, wrong()), ask({}, basic(crypto.randomUUID(), 'x'))]);
    const [first, second] = await Promise.all(answers.map((answer) => answer.text()));
    expect(first).toBe(second);
  });

  it('is JSON also for a browser', async () => {
    const response = await postToken(house.urls.public, GRANT, { ...wrong(), accept: 'text/html' });
    expect(await json(response)).toMatchObject({ error: 'invalid_client' });
  });

  it('for JSON in place of a form is invalid_request', async () => {
    const response = await fetch(`${house.urls.public}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...basic(bank.id, bank.secret) },
      body: JSON.stringify(GRANT),
    });
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({ error: 'invalid_request' });
  });

  it('for another method is 405 with Allow', async () => {
    const response = await fetch(`${house.urls.public}/oauth/token`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('secrets of a client', () => {
  it('may be two at once, until the older is revoked', async () => {
    const client = await makeClient(db.app);
    const { insertClientSecret } = await import('../administration/credential-store.js');
    const next = await db.app.transaction((tx) => insertClientSecret(tx, new Date(), client.id));
    await tokenOf(house.urls.public, client);
    await tokenOf(house.urls.public, { id: client.id, secret: next.secret });
    const last = await db.app.transaction((tx) => insertClientSecret(tx, new Date(Date.now() + 1), client.id));
    await tokenOf(house.urls.public, { id: client.id, secret: last.secret });
    await tokenOf(house.urls.public, { id: client.id, secret: next.secret });
    await expect(tokenOf(house.urls.public, client)).rejects.toThrow('invalid_client');
  });
});

describe('what the issuer publishes', () => {
  it('is discovery of what answers, whatever the Host header says', async () => {
    const discovery = await json(await fetch(`${house.urls.public}/.well-known/openid-configuration`));
    expect(discovery).toMatchObject({
      issuer: house.urls.public,
      token_endpoint: `${house.urls.public}/oauth/token`,
      jwks_uri: `${house.urls.public}/oauth/jwks`,
      grant_types_supported: ['client_credentials'],
    });
    expect(Object.keys(discovery).filter((name) => /authorization_endpoint|userinfo|introspection/.test(name))).toEqual(
      [],
    );
  });

  it('is public keys only', async () => {
    const response = await fetch(`${house.urls.public}/oauth/jwks`);
    const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
    expect(keys[0]).not.toHaveProperty('d');
  });

  it('are different keys on the two listeners', async () => {
    const kids = await Promise.all(
      [house.urls.public, house.urls.admin].map(async (url) => {
        const set = (await (await fetch(`${url}/oauth/jwks`)).json()) as { keys: { kid: string }[] };
        return set.keys[0]?.kid;
      }),
    );
    expect(new Set(kids).size).toBe(2);
  });

  it('is nothing else that the library can do', () => {
    const paths = [
      '/auth',
      '/me',
      '/session/end',
      '/token',
      '/jwks',
      '/reg',
      '/request',
      '/token/revocation',
      '/device',
    ];
    const more = [
      '/token/introspection',
      '/interaction/x',
      '/oauth',
      '/oauth/token/',
      '/OAUTH/TOKEN',
      '/oauth/token/x',
    ];
    const wellKnown = ['/.well-known/oauth-authorization-server', '/toString', '/__proto__', '/'];
    for (const path of [...paths, ...more, ...wellKnown]) {
      expect([path, house.gateway.handles('public', path)]).toEqual([path, false]);
      expect([path, house.gateway.handles('admin', path)]).toEqual([path, false]);
    }
  });

  it('opens no endpoint to pages of other origins', async () => {
    const response = await ask({}, { ...basic(bank.id, bank.secret), origin: 'https://evil.example' } as never);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('the record of a token answer', () => {
  beforeEach(() => house.answers.splice(0));
  afterEach(() => {
    house.record = (answer) => {
      house.answers.push(answer);
      return Promise.resolve();
    };
  });

  it('is made before a byte of the answer leaves', async () => {
    const written: number[] = [];
    house.record = async ({ req }) => {
      written.push(req.socket.bytesWritten);
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      written.push(req.socket.bytesWritten);
    };
    expect((await ask()).status).toBe(200);
    expect(written).toHaveLength(2);
    expect(written[1]).toBe(written[0]);
  });

  it('says what was granted or refused, to whom', async () => {
    const token = decodeJwt(
      ((await (await ask({ scope: 'verifications:read' })).json()) as { access_token: string }).access_token,
    );
    await ask({}, basic(bank.id, 'wrong'));
    await postToken(house.urls.public, { ...GRANT, client_id: '<script>', client_secret: 'x' });
    const seen = house.answers.map((answer) => ({ ...answer, req: undefined }));
    expect(seen).toEqual([
      {
        listener: 'public',
        status: 200,
        authenticated: true,
        clientId: bank.id,
        jti: token.jti,
        scope: 'verifications:read',
      },
      { listener: 'public', status: 401, authenticated: false, error: 'invalid_client', clientId: bank.id },
      { listener: 'public', status: 401, authenticated: false, error: 'invalid_client' },
    ]);
  });

  it('that cannot be made withholds the token', async () => {
    house.record = () => Promise.reject(new Error('the log is away'));
    const response = await ask();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await json(response)).toEqual({ error: 'temporarily_unavailable' });
  });

  it('is not asked for the public documents', async () => {
    await fetch(`${house.urls.public}/oauth/jwks`);
    await fetch(`${house.urls.public}/.well-known/openid-configuration`);
    expect(house.answers).toEqual([]);
  });
});

describe('the library', () => {
  it('prints nothing', async () => {
    const spies = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
    const quiet = await openAuthHouse(db.app, { keyring });
    await postToken(quiet.urls.public, GRANT, basic(bank.id, bank.secret));
    await postToken(quiet.urls.public, GRANT, { ...basic(bank.id, 'wrong'), origin: 'https://evil.example' });
    const away = vi.spyOn(db.app, 'query').mockRejectedValue(new Error('away'));
    const response = await postToken(quiet.urls.public, GRANT, basic(bank.id, bank.secret));
    away.mockRestore();
    await quiet.stop();
    expect([response.status, await response.json()]).toEqual([500, { error: 'server_error' }]);
    expect(spies.flatMap((spy) => spy.mock.calls)).toEqual([]);
    for (const spy of spies) spy.mockRestore();
  });
});
