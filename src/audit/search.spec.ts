import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRecord, appConnection, openTestLog, sequenceAll, type TestLog } from '../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js';
import { Keyring, uuidv7 } from '../platform/index.js';
import { AuditAdminController, DecisionsAdminController, recordsQuery } from './audit.admin.controller.js';
import type { Connection } from './connection.js';
import type { RecordInput } from './record.js';
import { recordKey, RecordSearch } from './search.js';

let database: TestDatabase;
let log: TestLog;
let connection: Connection;
let controller: AuditAdminController;
let decisions: DecisionsAdminController;
const keyring = new Keyring(Buffer.alloc(32, 7));

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl);
  connection = appConnection(database.superuserUrl);
  const search = new RecordSearch(database.database);
  controller = new AuditAdminController(search, keyring);
  decisions = new DecisionsAdminController(search);
});

afterAll(async () => {
  await connection.close();
  await log.stop();
  await database.stop();
});

const list = (query: Record<string, string>) => controller.list(recordsQuery.parse(query));

/** Every id that the list shows, page after page, with what happens between pages. */
async function walk(query: Record<string, string>, between: () => Promise<unknown> = () => Promise.resolve()) {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof list>> = await list(cursor === null ? query : { ...query, cursor });
    ids.push(...page.items.map((item) => item.record.id));
    cursor = page.nextCursor;
    await between();
  } while (cursor !== null);
  return ids;
}

const at = (second: number): string => new Date(Date.UTC(2026, 2, 10, 9, 0, second)).toISOString();

async function appended(client: string, count: number, over: (n: number) => Partial<RecordInput> = () => ({})) {
  const records = Array.from({ length: count }, (_, n) => aRecord({ client, at: at(n), ...over(n) }));
  await Promise.all(records.map((record) => log.auditLog.append(record)));
  return records;
}

describe('the list of records', () => {
  it('is newest first, with and without numbers', async () => {
    const client = uuidv7();
    const numbered = await appended(client, 4);
    const size = await sequenceAll(connection);
    const waiting = await appended(client, 3, (n) => ({ at: at(10 + n) }));
    const page = await list({ client });
    expect(page.items.map((item) => item.record.id)).toEqual(
      [...numbered, ...waiting].map((record) => record.id).reverse(),
    );
    expect(page.items.slice(0, 3).map((item) => item.seq)).toEqual([null, null, null]);
    expect(page.items.slice(3).every(({ seq }) => seq !== null && seq < size)).toBe(true);
    expect(page.items[0]).toEqual({
      seq: null,
      recordedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      record: { ...waiting[2], v: 1, origin: 'gatehouse.local/log', instance: 'spec' },
    });
    expect(page.nextCursor).toBeNull();
  });

  it('shows every record once, page by page, while others are written and numbered', async () => {
    const client = uuidv7();
    // Several of one instant: their order is that of their ids.
    const records = await appended(client, 37, (n) => ({ at: at(n >> 2) }));
    await sequenceAll(connection);
    records.push(...(await appended(client, 10, (n) => ({ at: at(20 + n) }))));
    let extra = 0;
    const seen = await walk({ client, limit: '5' }, async () => {
      await appended(client, 2, () => ({ at: at(60 + (extra += 1)) }));
      await sequenceAll(connection);
    });
    expect(seen).toHaveLength(new Set(seen).size);
    const mine = new Set(records.map((record) => record.id));
    expect(seen.filter((id) => mine.has(id))).toHaveLength(records.length);
  });

  it('is narrowed by each filter, and by all together', async () => {
    const client = uuidv7();
    const verification = uuidv7();
    const deny = { id: uuidv7(), outcome: 'deny', rule: 'scope.missing', reason: 'x' } as const;
    await appended(client, 6, (n) => ({
      verification: n < 3 ? verification : uuidv7(),
      subject: `subject-${n}`,
      ...(n % 2 === 0 ? { decision: { ...deny, id: uuidv7() } } : {}),
      ...(n === 5 ? { kind: 'admin.act' as const } : {}),
    }));
    await sequenceAll(connection);
    const count = async (query: Record<string, string>): Promise<number> => (await walk({ client, ...query })).length;
    expect(await count({})).toBe(6);
    expect(await count({ verification })).toBe(3);
    expect(await count({ subject: 'subject-4' })).toBe(1);
    expect(await count({ kind: 'admin.act' })).toBe(1);
    expect(await count({ kind: 'call' })).toBe(5);
    expect(await count({ outcome: 'deny' })).toBe(3);
    expect(await count({ rule: 'scope.missing', verification })).toBe(2);
    expect(await count({ from: at(2), to: at(5) })).toBe(3);
    expect(await count({ from: '2026-03-10T10:00:02.000+01:00', to: at(5) })).toBe(3);
    expect(await count({ client: uuidv7() })).toBe(0);
  });

  it('takes back only its own cursors', async () => {
    const client = uuidv7();
    await appended(client, 4);
    const { nextCursor } = await list({ client, limit: '2' });
    const cursor = nextCursor ?? '';
    expect((await list({ client, cursor })).items).toHaveLength(2);
    const invalid = { code: 'invalid-cursor', errors: [{ pointer: '/cursor' }] };
    await expect(list({ client: uuidv7(), cursor })).rejects.toMatchObject(invalid);
    await expect(list({ client, kind: 'call', cursor })).rejects.toMatchObject(invalid);
    for (const other of ['x', `${cursor}A`, cursor.slice(1), cursor.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))])
      await expect(list({ client, cursor: other })).rejects.toMatchObject(invalid);
  });

  it.each([
    ['an instant that is none', { from: 'yesterday' }],
    ['instants the wrong way round', { from: '2026-03-10T08:00:00Z', to: '2026-03-09T08:00:00Z' }],
    ['a year that is none', { from: '0000-01-01T00:00:00Z' }],
    ['a day that is none', { to: '2026-02-30T00:00:00Z' }],
    ['a limit of none', { limit: '0' }],
    ['a limit past the bound', { limit: '201' }],
    ['a text with a NUL', { client: 'a\u0000b' }],
    ['an empty text', { kind: '' }],
    ['a name that it does not know', { name: 'Ana' }],
  ])('does not take %s', (_what, query) => {
    expect(recordsQuery.safeParse(query).success).toBe(false);
  });
});

describe('one record', () => {
  it('is found by id and by number, before and after it has one', async () => {
    const [record] = await appended(uuidv7(), 1);
    const id = record?.id ?? '';
    expect(await controller.one(id)).toMatchObject({ seq: null, record: { id } });
    const size = await sequenceAll(connection);
    expect(await controller.one(id)).toMatchObject({ seq: size - 1, record: { id } });
    expect(await controller.one(String(size - 1))).toEqual(await controller.one(id));
  });

  it('is found by the id of its decision, before and after it has a number', async () => {
    const [record] = await appended(uuidv7(), 1);
    const decision = record?.decision?.id ?? '';
    expect(await decisions.one(decision)).toMatchObject({ seq: null, record: { id: record?.id } });
    await sequenceAll(connection);
    expect(await decisions.one(decision)).toMatchObject({ record: { id: record?.id, decision: { id: decision } } });
  });

  it('is not found when there is none', async () => {
    await expect(controller.one(uuidv7())).rejects.toMatchObject({ code: 'not-found' });
    await expect(controller.one('999999999')).rejects.toMatchObject({ code: 'not-found' });
    await expect(decisions.one('x')).rejects.toMatchObject({ code: 'not-found' });
    await expect(decisions.one(uuidv7())).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is asked for by its number or its id, and by nothing else', () => {
    for (const key of ['0', '42', uuidv7()]) expect(recordKey.safeParse(key).success).toBe(true);
    for (const key of ['-1', '01', '1.5', `${uuidv7()}x`, '9'.repeat(16), ''])
      expect(recordKey.safeParse(key).success).toBe(false);
  });
});

describe('searching', () => {
  it('reads no partition from end to end for what has an index', async () => {
    for (const where of [
      `client = 'x'`,
      `verification = 'x'`,
      `subject = 'x'`,
      `kind = 'admin.act'`,
      `decision = 'x'`,
      `at >= '2026-03-10' AND at < '2026-03-11'`,
    ]) {
      const plan = await database.database.transaction(async (tx) => {
        await tx.query('SET LOCAL enable_seqscan = off');
        return tx.query<{ 'QUERY PLAN': string }[]>(
          `EXPLAIN SELECT seq FROM audit.log WHERE ${where} ORDER BY at DESC, id DESC LIMIT 50`,
        );
      });
      expect(plan.map((line) => line['QUERY PLAN']).join('\n'), where).toMatch(/Index.* Scan/);
    }
  });
});
