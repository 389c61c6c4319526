import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRecord, appConnection, openTestLog, sequenceAll, withClient } from '../../test/support/audit.js';
import { startTestCluster, type TestDatabase } from '../../test/support/database.js';
import { verifyLog } from './verify/verify-log.js';

const ROLES = ['gatehouse_app', 'gatehouse_auditor', 'gatehouse_archivist', 'gatehouse_owner', 'postgres'] as const;
const LOG = 'audit.log';
const PARTITION = 'audit.log_000000000000';

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestCluster();
  const log = await openTestLog(database.superuserUrl);
  const connection = appConnection(database.superuserUrl);
  for (let n = 0; n < 3; n += 1) await log.auditLog.append(aRecord(), Buffer.alloc(16));
  await sequenceAll(connection);
  await connection.close();
  await log.stop();
  // After the stop, which numbers what is left: this one waits.
  await database.database.transaction((tx) => log.auditLog.appendIn(tx, aRecord()));
});

afterAll(() => database.stop());

/** The SQLSTATE that a role gets for a statement; undefined when it is allowed. */
async function refusal(role: string, sql: string): Promise<string | undefined> {
  return withClient(database.superuserUrl, async (client) => {
    await client.query('BEGIN');
    if (role !== 'postgres') await client.query(`SET LOCAL ROLE ${role}`);
    const code = await client.query(sql).then(
      () => undefined,
      (error: unknown) => (error as { code: string }).code,
    );
    await client.query('ROLLBACK');
    return code;
  });
}

const DENIED = '42501';

describe.each(ROLES)('as %s', (role) => {
  it.each([
    `UPDATE ${LOG} SET bytes = 'x'`,
    `UPDATE ${LOG} SET at = now() WHERE seq = 1`,
    `DELETE FROM ${LOG}`,
    `DELETE FROM ${LOG} WHERE seq = 2`,
    `TRUNCATE ${LOG}`,
    `UPDATE ${PARTITION} SET leaf_hash = 'x'`,
    `DELETE FROM ${PARTITION}`,
    `TRUNCATE ${PARTITION}`,
    `TRUNCATE ${LOG}, audit.intake, audit.head, audit.tile, audit.place`,
    `UPDATE audit.intake SET bytes = 'x'`,
    `DELETE FROM audit.intake`,
    `TRUNCATE audit.intake`,
    `UPDATE audit.place SET seq = 7`,
    `DELETE FROM audit.place`,
    `TRUNCATE audit.place`,
    `UPDATE audit.head SET size = size - 1`,
    `UPDATE audit.head SET root = sha256('x')`,
    `UPDATE audit.head SET origin = 'other/log'`,
    `DELETE FROM audit.head`,
    `TRUNCATE audit.head`,
    `UPDATE audit.tile SET hashes = substr(hashes, 1, 32)`,
    `UPDATE audit.tile SET hashes = sha256('x') || substr(hashes, 33)`,
    `UPDATE audit.tile SET idx = 9`,
    `DELETE FROM audit.tile`,
    `TRUNCATE audit.tile`,
    `UPDATE audit.digest_keys SET key = '0123456789abcdef'`,
  ])('refuses %s', async (sql) => {
    expect(await refusal(role, sql)).toBe(DENIED);
  });
});

describe('rights', () => {
  it.each(['gatehouse_app', 'gatehouse_auditor', 'gatehouse_archivist'])(
    'give %s no insert of its own',
    async (role) => {
      for (const table of ['log', 'intake', 'head', 'tile', 'place', 'digest_keys'])
        expect(await refusal(role, `INSERT INTO audit.${table} DEFAULT VALUES`)).toBe(DENIED);
    },
  );

  it.each(['gatehouse_app', 'gatehouse_auditor', 'gatehouse_archivist'])('let %s read the log', async (role) => {
    for (const table of ['log', 'intake', 'head', 'tile', 'place'])
      expect(await refusal(role, `SELECT * FROM audit.${table}`)).toBeUndefined();
  });

  it.each(['gatehouse_app', 'gatehouse_auditor', 'gatehouse_archivist'])('let %s change no structure', async (role) => {
    for (const sql of [
      'ALTER TABLE audit.log DISABLE TRIGGER ALL',
      'DROP TABLE audit.log',
      'CREATE TABLE audit.mine ()',
      'CREATE TEMPORARY TABLE mine ()',
      'ALTER FUNCTION audit.append(uuid[], bytea[], bytea[]) RESET search_path',
      'SELECT audit.add_partition(0, 1)',
      `SELECT audit.grow_tiles(0, 0, sha256('x'))`,
      'SELECT * FROM audit.head FOR UPDATE',
      'LOCK audit.intake IN SHARE MODE',
      'SET session_replication_role = replica',
    ])
      expect(await refusal(role, sql), sql).toBe(DENIED);
  });

  it('let only the gateway append and number', async () => {
    for (const role of ['gatehouse_auditor', 'gatehouse_archivist']) {
      expect(await refusal(role, 'SELECT audit.sequence(1)')).toBe(DENIED);
      expect(await refusal(role, `SELECT audit.append('{}', '{}')`)).toBe(DENIED);
      expect(await refusal(role, `SELECT audit.begin('x/log')`)).toBe(DENIED);
    }
    expect(await refusal('gatehouse_app', 'SELECT audit.sequence(1)')).toBeUndefined();
  });

  it('let digest keys be erased by the gateway, and read by it alone', async () => {
    expect(await refusal('gatehouse_app', 'DELETE FROM audit.digest_keys')).toBeUndefined();
    expect(await refusal('gatehouse_auditor', 'SELECT * FROM audit.digest_keys')).toBe(DENIED);
  });
});

it('still holds after all that', async () => {
  expect(await verifyLog(database.superuserUrl)).toMatchObject({ ok: true });
});
