import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../testing/auth-house.js';

let db: TestDatabase;

beforeAll(async () => {
  db = await openTestDatabase();
});
afterAll(() => db?.stop());

describe('the tables of this module', () => {
  it('are what the entities say', async () => {
    const drift = await db.app.source.driver.createSchemaBuilder().log();
    expect(drift.upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('let the gateway change no digest, prefix, scope or end of a credential', async () => {
    const forbidden = [
      `UPDATE auth.api_keys SET hash = decode(repeat('00', 32), 'hex')`,
      `UPDATE auth.api_keys SET scopes = '{pii:read}'`,
      `UPDATE auth.api_keys SET expires_at = 'infinity'`,
      `UPDATE auth.client_secrets SET hash = decode(repeat('00', 32), 'hex')`,
      'UPDATE auth.issuer_keys SET sealed = sealed',
      'DELETE FROM auth.api_keys',
      'DELETE FROM auth.clients',
      'TRUNCATE auth.clients CASCADE',
    ];
    for (const statement of forbidden) {
      await expect(db.app.query(statement), statement).rejects.toThrow('permission denied');
    }
  });

  it('show the auditor no digest and no sealed key', async () => {
    const asAuditor = (sql: string) =>
      db.superuser.transaction(async (tx) => {
        await tx.query('SET LOCAL ROLE gatehouse_auditor');
        return tx.query<unknown[]>(sql);
      });
    await asAuditor('SELECT id, prefix, scopes FROM auth.api_keys');
    await asAuditor('SELECT * FROM auth.clients');
    for (const secret of [
      'SELECT hash FROM auth.api_keys',
      'SELECT hash FROM auth.client_secrets',
      'SELECT hash FROM auth.administrator_secrets',
      'SELECT sealed FROM auth.issuer_keys',
      'SELECT payload FROM auth.oidc_payloads',
    ]) {
      await expect(asAuditor(secret), secret).rejects.toThrow('permission denied');
    }
  });
});
