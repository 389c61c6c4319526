import { randomBytes } from 'node:crypto';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import passport from 'passport';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditLog } from '../audit/index.js';
import { Clock, CONFIG, Database, Keyring, loadConfig, Log, ORIGINS, SystemClock } from '../platform/index.js';
import { AuthModule } from './auth.module.js';
import { Authenticator } from './authenticator.js';
import { IssuerGateway } from './issuer/issuers.js';
import { openTestDatabase, type TestDatabase } from './testing/auth-house.js';
import { makeClient } from './testing/callers.js';

@Module({})
class Surroundings {}

let db: TestDatabase;
const keyring = new Keyring(randomBytes(32));

beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db?.stop());

async function open(env: NodeJS.ProcessEnv): Promise<INestApplicationContext> {
  const providers = [
    { provide: CONFIG, useValue: loadConfig(env) },
    { provide: ORIGINS, useValue: { publicUrl: 'https://public.example', adminUrl: 'https://admin.example' } },
    { provide: Database, useValue: db.app },
    { provide: Keyring, useValue: keyring },
    { provide: Clock, useValue: new SystemClock() },
    { provide: Log, useValue: new Log('silent') },
    { provide: AuditLog, useValue: {} },
  ];
  const exports = providers.map(({ provide }) => provide);
  const root = { module: Surroundings, global: true, imports: [AuthModule], providers, exports };
  return NestFactory.createApplicationContext(root, { logger: false, abortOnError: false });
}

describe('the module', () => {
  it('lets callers in and issues for both listeners', async () => {
    const app = await open({});
    const gateway = app.get(IssuerGateway, { strict: false });
    expect(['public', 'admin'].map((name) => gateway.handles(name as 'public', '/oauth/token'))).toEqual([true, true]);
    const client = await makeClient(db.app);
    const caller = await app
      .get(Authenticator, { strict: false })
      .authenticateClient({ address: '127.0.0.1' }, { 'x-api-key': client.key.apiKey }, 'drop-in');
    expect(caller.id).toBe(client.id);
    await app.close();
  });

  it('registers its strategies with passport', async () => {
    const app = await open({});
    const known = passport as unknown as { _strategy: (name: string) => unknown };
    expect(known._strategy('client-token')).toBeDefined();
    expect(known._strategy('admin-token')).toBeDefined();
    await app.close();
  });

  it('issues nothing where an external issuer stands in place of its own', async () => {
    const app = await open({ OIDC_ISSUER: 'https://issuer.example', OIDC_AUDIENCE: 'https://public.example' });
    const gateway = app.get(IssuerGateway, { strict: false });
    expect(gateway.handles('public', '/oauth/token')).toBe(false);
    expect(gateway.handles('admin', '/oauth/token')).toBe(true);
    await app.close();
  });

  it('names the setting of an issuer without TLS', async () => {
    await expect(open({ ADMIN_OIDC_ISSUER: 'http://issuer.example' })).rejects.toThrow('ADMIN_OIDC_ISSUER');
  });
});
