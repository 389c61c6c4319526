import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  aRecord,
  appConnection,
  openTestLog,
  sequenceAll,
  type TestLog,
  withClient,
} from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { type Database, Outbox, SystemClock, uuidv7 } from '../../platform/index.js';
import type { Connection } from '../connection.js';
import type { RecordInput } from '../record.js';
import { Completeness } from './completeness.js';

let test: TestDatabase;
let log: TestLog;
let connection: Connection;

beforeAll(async () => {
  test = await startTestDatabase();
  log = await openTestLog(test.superuserUrl);
  connection = appConnection(test.superuserUrl);
});
afterAll(async () => {
  await connection.close();
  await log.stop();
  await test.stop();
});

const looker = (database: Database = test.database, patienceMs = 0): Completeness =>
  new Completeness({
    database,
    auditLog: log.auditLog,
    outbox: new Outbox(database),
    clock: new SystemClock(),
    patienceMs,
  });

const intent = (kind: 'call.intent' | 'vendor.intent' = 'call.intent'): RecordInput => ({
  ...aRecord({ kind, call: uuidv7(), vendor: { name: 'didit', operation: 'session.create' } }),
  http: undefined,
  decision: undefined,
});

async function write(...records: RecordInput[]): Promise<void> {
  for (const record of records) await log.auditLog.append(record);
  await sequenceAll(connection);
}

async function closings(): Promise<RecordInput[]> {
  const rows = await test.database.query<{ bytes: Buffer }>(
    `SELECT bytes FROM (SELECT id, kind, bytes FROM audit.intake UNION ALL SELECT id, kind, bytes FROM audit.log) r
      WHERE kind = 'call.outcome-unknown' ORDER BY id`,
  );
  return rows.map(({ bytes }) => JSON.parse(bytes.toString()) as RecordInput);
}

const closedIntents = async () => (await closings()).map(({ detail }) => detail?.['intent']);

const next = async (): Promise<number> => {
  const [row] = await test.database.query<{ next: string }>('SELECT next FROM audit.completeness');
  return Number(row?.next);
};

let before: unknown[];
beforeEach(async () => {
  await looker().round();
  before = await closedIntents();
});
const newlyClosed = async () => (await closedIntents()).filter((id) => !before.includes(id));

it('closes an intent without completion, with what the intent told, and tells a signal', async () => {
  const [open, other, done, doneVendor] = [intent(), intent('vendor.intent'), intent(), intent('vendor.intent')];
  await write(done, open, other, doneVendor, aRecord({ id: done.call! }));
  // Durable is enough: a completion need not have its number.
  await log.auditLog.append(aRecord({ id: doneVendor.call! }));
  expect(await looker().round()).toBe(2);
  expect(new Set(await newlyClosed())).toEqual(new Set([open.id, other.id]));
  const closing = (await closings()).find(({ detail }) => detail?.['intent'] === open.id);
  expect(closing).toMatchObject({
    call: open.call,
    trace: open.trace,
    client: open.client,
    verification: open.verification,
    subject: open.subject,
    detail: { operation: 'session.create', intendedAt: open.at },
  });
  const signals = await new Outbox(test.database).since('audit.outcome-unknown', new Date(0), 100);
  expect(signals.find(({ recordId }) => recordId === closing?.id)).toMatchObject({ subject: 'session.create' });
});

it('waits for as long as a call may take, and looks again from there', async () => {
  const young = intent();
  await write(young);
  const at = await next();
  expect(await looker(test.database, 60_000).round()).toBe(0);
  expect(await next()).toBe(at);
  await write(aRecord({ id: young.call! }));
  expect(await looker().round()).toBe(0);
  expect(await newlyClosed()).toEqual([]);
  expect(await next()).toBeGreaterThan(at);
});

it('closes each once when two instances look at once, through more than one step', async () => {
  const open = Array.from({ length: 700 }, () => intent());
  await Promise.all(open.map((record) => log.auditLog.append(record)));
  await sequenceAll(connection);
  const another = await test.another();
  const counts = await Promise.all([looker().round(), looker(another).round(), looker().round()]);
  const rest = await looker().round();
  expect(counts.reduce((sum, count) => sum + count, rest)).toBe(700);
  expect(new Set(await newlyClosed())).toEqual(new Set(open.map(({ id }) => id)));
  expect(await newlyClosed()).toHaveLength(700);
});

it('leaves cursor and records together when it is cut off, and begins again', async () => {
  const open = intent();
  await write(open);
  const at = await next();
  const dying = new Completeness({
    database: test.database,
    auditLog: log.auditLog,
    outbox: { tell: () => Promise.reject(new Error('cut off')) },
    clock: new SystemClock(),
    patienceMs: 0,
  });
  await expect(dying.round()).rejects.toThrow('cut off');
  expect([await next(), await newlyClosed()]).toEqual([at, []]);
  expect(await looker().round()).toBe(1);
});

it('closes nothing twice even where the cursor was lost', async () => {
  await write(intent());
  expect(await looker().round()).toBe(1);
  const all = await closedIntents();
  await connectionAsOwner(`ALTER TABLE audit.completeness DISABLE TRIGGER forward_only`);
  await connectionAsOwner('UPDATE audit.completeness SET next = 0');
  await connectionAsOwner(`ALTER TABLE audit.completeness ENABLE TRIGGER forward_only`);
  expect(await looker().round()).toBe(0);
  expect(await closedIntents()).toEqual(all);
});

it('lets its cursor go forward alone', async () => {
  await write(intent());
  await looker().round();
  await expect(test.database.query('UPDATE audit.completeness SET next = 0')).rejects.toThrow('only goes forward');
  await expect(test.database.query('DELETE FROM audit.completeness')).rejects.toThrow('permission denied');
});

it('finds intents by their own index', async () => {
  const plan = await test.database.transaction(async (tx) => {
    await tx.query('SET LOCAL enable_seqscan = off');
    return tx.query<{ 'QUERY PLAN': string }[]>(
      `EXPLAIN SELECT seq FROM audit.log WHERE (kind = 'call.intent' OR kind = 'vendor.intent') AND seq >= 0 ORDER BY seq LIMIT 5`,
    );
  });
  const text = plan.map((row) => row['QUERY PLAN']).join('\n');
  expect(text).toMatch(/log_\d+_seq_idx/);
  expect(text).not.toMatch(/pkey/);
});

async function connectionAsOwner(sql: string): Promise<void> {
  await withClient(test.superuserUrl, (client) => client.query(sql));
}
