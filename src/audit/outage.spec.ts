import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { aRecord, openTestLog, type TestLog, withClient } from '../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js';
import { verifyLog } from './verify/verify-log.js';

let database: TestDatabase;
let log: TestLog;
let admin: string;
let name: string;

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl);
  log.start();
  const url = new URL(database.superuserUrl);
  name = url.pathname.slice(1);
  url.pathname = '/postgres';
  admin = url.href;
});

afterAll(async () => {
  await log.stop();
  await database.stop();
});

const away = () =>
  withClient(admin, async (client) => {
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'gatehouse-%'`,
      [name],
    );
  });
const back = () => withClient(admin, (client) => client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`));

it('refuses while Postgres is away, keeps the refusals, and brings them in by itself when it is back', async () => {
  const before = aRecord();
  await log.auditLog.append(before);
  await away();
  const lost = Array.from({ length: 3 }, () => aRecord());
  for (const outcome of await Promise.allSettled(lost.map((record) => log.auditLog.append(record))))
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'audit-unavailable', status: 503 } });
  expect(log.auditLog.down).toBe(true);
  const at = new Date(Date.UTC(2026, 2, 10));
  const call = { at, method: 'GET', route: '/v1/verifications', caller: undefined };
  for (const record of lost) {
    const parts = { ...call, id: record.id } as unknown as Parameters<typeof log.callWriter.refused>[0];
    log.callWriter.refused(parts, { status: 503, headers: {}, body: undefined, bytesOut: 0 });
  }
  await vi.waitFor(async () => expect(await readdir(log.dir)).toHaveLength(1));
  await back();
  await vi.waitFor(() => expect(log.auditLog.down).toBe(false), { timeout: 5_000 });
  const after = aRecord();
  await log.auditLog.append(after);
  await vi.waitFor(async () => expect(await readdir(log.dir)).toEqual([]), { timeout: 5_000 });
  const numbered = () =>
    withClient(database.superuserUrl, async (client) => {
      const { rows } = await client.query<{
        id: string;
        kind: string;
        detail: { refusals: { call: string }[] } | null;
      }>(`SELECT id, kind, convert_from(bytes, 'UTF8')::jsonb -> 'detail' AS detail FROM audit.log ORDER BY seq`);
      return rows;
    });
  await vi.waitFor(async () => expect(await numbered()).toHaveLength(3), { timeout: 5_000 });
  const [first, second, third] = await numbered();
  expect([first?.id, second?.id]).toEqual([before.id, after.id]);
  expect(third?.detail?.refusals.map((refusal) => refusal.call)).toEqual(lost.map((record) => record.id));
  expect(await verifyLog(database.superuserUrl)).toMatchObject({ ok: true, size: 3 });
});
