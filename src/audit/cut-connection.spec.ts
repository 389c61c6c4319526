import { afterAll, beforeAll, expect, it } from 'vitest';
import { aRecord, openTestLog, type TestLog } from '../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js';
import { account } from '../../test/support/instances.js';
import { CuttingProxy, type Cut } from '../../test/support/proxy.js';
import { APP_ROLE, Database } from '../platform/index.js';
import { verifyLog } from './verify/verify-log.js';

/** How long a cut may keep anyone waiting, milliseconds. */
const BOUND_MS = 2_000;

let database: TestDatabase;
let proxy: CuttingProxy;
let cut: TestLog;
let other: TestLog;
const appended: string[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  proxy = await CuttingProxy.open(database.superuserUrl);
  cut = await openTestLog(proxy.url, 'cut');
  other = await openTestLog(database.superuserUrl, 'other');
  cut.start();
  other.start();
});

afterAll(async () => {
  await cut.stop();
  await other.stop();
  await proxy.close();
  await database.stop();
});

/** Milliseconds until the record is durable. */
async function append(log: TestLog): Promise<number> {
  const record = aRecord();
  const from = performance.now();
  await log.auditLog.append(record);
  appended.push(record.id);
  return performance.now() - from;
}

/** Records of both while a cut falls. @returns the longest that one of them took. */
async function around(kind: Cut, mark: string): Promise<number> {
  const before = proxy.cuts;
  proxy.cutNext(kind, mark);
  const waits: Promise<number>[] = [];
  for (let n = 0; proxy.cuts === before || n < 5; n += 1) {
    waits.push(append(cut), append(other));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return Math.max(...(await Promise.all(waits)));
}

/** How often the record stands in the intake and in the log. */
async function timesOf(id: string): Promise<number> {
  const rows = await database.database.query(
    'SELECT FROM audit.intake WHERE id = $1 UNION ALL SELECT FROM audit.log WHERE id = $1',
    [id],
  );
  return rows.length;
}

it.each<[Cut, string]>([
  ['before', 'its records reach Postgres'],
  ['after', 'its commit is confirmed'],
  ['silent', 'its commit is confirmed, without a word'],
])('a connection that is cut (%s) loses and doubles nothing, and keeps nobody waiting', async (kind) => {
  // The prepared statement's name goes with each Bind; the text of the first Parse holds it too.
  expect(await around(kind, 'append')).toBeLessThan(BOUND_MS);
});

it.each<Cut>(['before', 'after', 'silent'])('a cut (%s) of a run of the sequencer harms nothing', async (kind) => {
  expect(await around(kind, 'sequence')).toBeLessThan(BOUND_MS);
});

it.each<[Cut, number]>([
  ['before', 0],
  ['after', 1],
])(
  'a change cut off (%s) at its COMMIT stands with its record or not at all, and once when it is done again',
  async (kind, there) => {
    const pool = await Database.open({
      url: proxy.url,
      role: APP_ROLE,
      entities: [],
      poolSize: 2,
      statementTimeoutMs: 10_000,
      applicationName: 'gatehouse-spec',
    });
    const record = aRecord({ kind: 'admin.act' });
    const change = () => pool.transaction((tx) => cut.auditLog.appendIn(tx, record));
    proxy.cutNext(kind, 'COMMIT');
    await expect(change()).rejects.toThrow();
    expect(await timesOf(record.id)).toBe(there);
    await change();
    appended.push(record.id);
    expect(await timesOf(record.id)).toBe(1);
    await pool.close();
  },
);

it('ends with every record once', async () => {
  await cut.stop();
  await other.stop();
  expect(await account(database.superuserUrl, appended)).toEqual({ size: appended.length, lost: [], doubled: [] });
  expect(await verifyLog(database.superuserUrl)).toMatchObject({ ok: true, size: appended.length, waiting: 0 });
});
