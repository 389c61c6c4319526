import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  appConnection,
  aRecord,
  openTestLog,
  sequenceAll,
  type TestLog,
  withClient,
} from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { uuidv7 } from '../../platform/index.js';
import { bodyDigest, BodyDigests } from '../body-digest.js';
import type { RecordInput } from '../record.js';
import { verifyLog } from '../verify/verify-log.js';
import { eraseDigestKeys } from './digest-keys.js';

let test: TestDatabase;
let log: TestLog;
beforeAll(async () => {
  test = await startTestDatabase();
  log = await openTestLog(test.superuserUrl);
});
afterAll(async () => {
  await log.stop();
  await test.stop();
});

const BODY = '{"reference":"Zoë Álvarez"}';

async function append(over: Partial<RecordInput>): Promise<{ id: string; key: Buffer; digest: string }> {
  const digests = new BodyDigests();
  const digest = digests.of('request', BODY) ?? '';
  const record = aRecord({ subject: undefined, verification: undefined, ...over });
  const key = digests.key ?? Buffer.alloc(0);
  await log.auditLog.append({ ...record, http: { ...record.http!, requestDigest: digest } }, key);
  return { id: record.id, key, digest };
}

const keyOf = async (id: string): Promise<Buffer | undefined> => {
  const rows = await test.database.query<{ key: Buffer }>('SELECT key FROM audit.digest_keys WHERE record_id = $1', [
    id,
  ]);
  return rows[0]?.key;
};
const erase = (about: string[], before?: Date) => test.database.transaction((tx) => eraseDigestKeys(tx, about, before));

describe('keys of body digests', () => {
  it('go with whom their record is about: the subject, or the verification, or the session', async () => {
    const [subject, verification, session] = ['p-1', uuidv7(), uuidv7()];
    const records = [
      await append({ subject, verification: uuidv7() }),
      await append({ verification }),
      await append({ detail: { sessionId: session } }),
    ];
    const others = [
      await append({ subject: 'p-2' }),
      await append({}),
      await append({ detail: { sessionId: uuidv7() } }),
    ];
    expect(bodyDigest((await keyOf(records[0]!.id))!, 'request', BODY)).toBe(records[0]!.digest);
    expect(await erase([subject, verification, session])).toBe(3);
    for (const { id } of records) expect(await keyOf(id)).toBeUndefined();
    for (const { id, key } of others) expect(await keyOf(id)).toEqual(key);
    expect(await erase([subject, verification, session])).toBe(0);
    await withClient(test.superuserUrl, async (client) => {
      const { rows } = await client.query<{ n: number }>(
        'SELECT count(*)::integer AS n FROM audit.digest_about WHERE about = $1',
        [subject],
      );
      expect(rows[0]?.n).toBe(0);
    });
  });

  it('go wherever the record lies, and the log verifies as before', async () => {
    const [waiting, numbered] = [await append({ subject: 'p-3' }), await append({ subject: 'p-3' })];
    const connection = appConnection(test.superuserUrl);
    await sequenceAll(connection);
    await connection.close();
    const third = await append({ subject: 'p-3' });
    const before = await verifyLog(test.superuserUrl);
    expect(await erase(['p-3'])).toBe(3);
    for (const { id } of [waiting, numbered, third]) expect(await keyOf(id)).toBeUndefined();
    expect(await verifyLog(test.superuserUrl)).toEqual({ ...before, seconds: expect.any(Number) as number });
    expect(before.ok).toBe(true);
  });

  it('of calls that arrived later stay where only earlier ones are to go', async () => {
    const early = await append({ id: '01900000-0000-7000-8000-000000000001', subject: 'p-4' });
    const late = await append({ id: '01900000-0001-7000-8000-000000000001', subject: 'p-4' });
    expect(await erase(['p-4'], new Date(0x019000000001))).toBe(1);
    expect([await keyOf(early.id), await keyOf(late.id)]).toEqual([undefined, late.key]);
  });

  it('are a hundred thousand for one subject and go in one transaction of seconds', async () => {
    const n = 100_000;
    await withClient(test.superuserUrl, async (client) => {
      await client.query('SET session_replication_role = replica');
      await client.query(
        `WITH made AS (INSERT INTO audit.digest_keys SELECT gen_random_uuid(), '0123456789abcdef'::bytea FROM generate_series(1, $1) RETURNING record_id)
         INSERT INTO audit.digest_about SELECT 'p-many', record_id FROM made`,
        [n],
      );
    });
    const started = performance.now();
    expect(await erase(['p-many'])).toBe(n);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('are noted for nobody by the role of the gateway itself', async () => {
    await expect(
      test.database.query(`INSERT INTO audit.digest_about VALUES ('p', $1)`, [uuidv7()]),
    ).rejects.toMatchObject({ code: '42501' });
    await expect(test.database.query(`UPDATE audit.digest_about SET about = 'p'`)).rejects.toMatchObject({
      code: '42501',
    });
  });
});
