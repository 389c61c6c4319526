import { randomBytes } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, Keyring, ManualClock } from '../../platform/index.js';
import { type AuthHouse, openAuthHouse, openTestDatabase, type TestDatabase } from '../testing/auth-house.js';
import { makeClient, type TestClient, tokenOf } from '../testing/callers.js';

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

describe('two instances', () => {
  it('publish the same keys and take each other’s tokens', async () => {
    const second = await openAuthHouse(db.app, { keyring, urls: house.urls });
    try {
      const sets = await Promise.all(
        [house, second].map(async ({ urls }) => (await fetch(`${urls.public}/oauth/jwks`)).text()),
      );
      expect(sets[0]).toBe(sets[1]);
      const [here, there] = [await tokenOf(house.urls.public, bank), await tokenOf(second.urls.public, bank)];
      const headers = (token: string) => ({ 'x-api-key': bank.key.apiKey, authorization: `Bearer ${token}` });
      const call = () => ({ address: '127.0.0.1' });
      expect((await second.authenticator.authenticateClient(call(), headers(here), 'v1')).id).toBe(bank.id);
      expect((await house.authenticator.authenticateClient(call(), headers(there), 'v1')).id).toBe(bank.id);
    } finally {
      await second.stop();
    }
  });

  it('that start at once on an empty database make one key', async () => {
    await db.superuser.query('DELETE FROM auth.issuer_keys');
    const fresh = await Promise.all(Array.from({ length: 4 }, () => openAuthHouse(db.app, { keyring })));
    const rows = await db.superuser.query('SELECT kid FROM auth.issuer_keys');
    await Promise.all(fresh.map((each) => each.stop()));
    expect(rows).toHaveLength(2);
    await house.gateway.refreshKeys();
  });

  it('with different master keys do not start together', async () => {
    const other = openAuthHouse(db.app, { keyring: new Keyring(randomBytes(32)) });
    await expect(other).rejects.toThrow(ConfigError);
    await expect(other).rejects.toThrow('GATEHOUSE_MASTER_KEY_FILE');
  });
});

describe('a new signing key', () => {
  it('is published before it signs, and the one before it verifies until its last token has expired', async () => {
    const clock = new ManualClock(new Date());
    // Tokens live longer than the clock is moved: the library stamps them by the wall clock.
    const tokenLifetimeMs = 86_400_000;
    const first = await openAuthHouse(db.app, { keyring, clock, tokenLifetimeMs });
    const second = await openAuthHouse(db.app, { keyring, clock, tokenLifetimeMs, urls: first.urls });
    const kidOf = (token: string) => decodeProtectedHeader(token).kid;
    const admitted = async (house: AuthHouse, token: string) => {
      const headers = { 'x-api-key': bank.key.apiKey, authorization: `Bearer ${token}` };
      return (await house.authenticator.authenticateClient({ address: '127.0.0.1' }, headers, 'v1')).id;
    };
    try {
      const before = await tokenOf(first.urls.public, bank);
      await first.gateway.rotateKeys('public');
      const published = (await (await fetch(`${first.urls.public}/oauth/jwks`)).json()) as { keys: object[] };
      expect(published.keys).toHaveLength(2);
      expect(kidOf(await tokenOf(first.urls.public, bank))).toBe(kidOf(before));
      clock.advance(600_000);
      const after = await tokenOf(first.urls.public, bank);
      expect(kidOf(after)).not.toBe(kidOf(before));
      expect(await admitted(second, after)).toBe(bank.id);
      expect(await admitted(second, before)).toBe(bank.id);
      clock.advance(2 * tokenLifetimeMs);
      await second.gateway.refreshKeys();
      const left = (await (await fetch(`${second.urls.public}/oauth/jwks`)).json()) as { keys: { kid: string }[] };
      expect(left.keys.map((key) => key.kid)).toEqual([kidOf(after)]);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });

  it('is made by itself when the old one has come of age', async () => {
    const clock = new ManualClock(new Date());
    const aged = await openAuthHouse(db.app, { keyring, clock });
    const keys = async () => ((await (await fetch(`${aged.urls.admin}/oauth/jwks`)).json()) as { keys: object[] }).keys;
    expect(await keys()).toHaveLength(1);
    clock.advance(91 * 86_400_000);
    await aged.gateway.refreshKeys();
    expect(await keys()).toHaveLength(2);
    await aged.stop();
  });
});

describe('at rest', () => {
  it('no secret, key, token or private key is in any table in the clear', async () => {
    const token = await tokenOf(house.urls.public, bank);
    const tables = await db.superuser.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'auth'`,
    );
    expect(tables.length).toBeGreaterThanOrEqual(7);
    const dumps = await Promise.all(
      tables.map(({ name }) => db.superuser.query<{ row: string }>(`SELECT t::text AS row FROM auth.${name} t`)),
    );
    const dump = dumps
      .flat()
      .map(({ row }) => row)
      .join('\n');
    expect(dump).toContain(bank.id);
    const kept = [...dump.matchAll(/\\\\x([0-9a-f]+)/g)].map(([, hex = '']) =>
      Buffer.from(hex, 'hex').toString('latin1'),
    );
    for (const secret of [bank.secret, bank.key.apiKey, bank.secret.slice(4), bank.key.apiKey.slice(12), token]) {
      expect(dump).not.toContain(secret);
      expect(dump).not.toContain(Buffer.from(secret).toString('hex'));
      expect(dump).not.toContain(Buffer.from(secret).toString('base64'));
    }
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.filter((bytes) => bytes.includes('"d"') || bytes.includes('kty'))).toEqual([]);
    expect(dump).not.toMatch(/"d":/);
  });
});
