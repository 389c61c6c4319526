import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aRecord,
  appConnection,
  openTestLog,
  sequenceAll,
  type TestLog,
  withClient,
} from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { Keyring, uuidv7 } from '../../platform/index.js';
import type { Connection } from '../connection.js';
import { recordBytes, type RecordInput } from '../record.js';
import { Timeline } from './timeline.js';
import { TimelineAdminController, timelineQuery } from './timeline.admin.controller.js';

let database: TestDatabase;
let log: TestLog;
let connection: Connection;
let controller: TimelineAdminController;

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl);
  connection = appConnection(database.superuserUrl);
  controller = new TimelineAdminController(new Timeline(database.database), new Keyring(Buffer.alloc(32, 7)));
});

afterAll(async () => {
  await connection.close();
  await log.stop();
  await database.stop();
});

const kept = (records: RecordInput[]) => Promise.all(records.map((record) => log.auditLog.append(record)));
const at = (second: number): string => new Date(Date.UTC(2026, 2, 10, 9, 0, second)).toISOString();
const page = (id: string, query: Record<string, string> = {}) => controller.timeline(id, timelineQuery.parse(query));

async function walk(id: string, between: () => Promise<unknown> = () => Promise.resolve()) {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const one: Awaited<ReturnType<typeof page>> = await page(id, {
      limit: '2',
      ...(cursor === null ? {} : { cursor }),
    });
    ids.push(...one.items.map(({ recordId }) => recordId));
    cursor = one.nextCursor;
    await between();
  } while (cursor !== null);
  return ids;
}

/** A create and a webhook that moves it on, as the house writes them. */
function story(verification: string) {
  const create = aRecord({ at: at(0), verification });
  const webhook = aRecord({ at: at(10), verification: undefined, vendor: undefined });
  const records = {
    create,
    intent: aRecord({ at: at(1), kind: 'vendor.intent', call: create.id, verification, http: undefined }),
    asked: aRecord({ at: at(2), kind: 'vendor.call', call: create.id, verification: undefined, http: undefined }),
    webhook,
    received: aRecord({
      at: at(11),
      kind: 'webhook.received',
      call: webhook.id,
      verification: undefined,
      detail: { type: 'status.updated', verdict: 'trusted', session: 'not to be shown' },
    }),
    moved: aRecord({
      at: at(12),
      kind: 'verification.transition',
      call: webhook.id,
      verification,
      detail: { from: 'pending', to: 'approved', event: 'vendor.approved', look: '17' },
    }),
    // The same webhook moved another one on too.
    other: aRecord({ at: at(12), kind: 'verification.transition', call: webhook.id, verification: uuidv7() }),
    stranger: aRecord({ at: at(5), verification: uuidv7() }),
  };
  const { other: _other, stranger: _stranger, ...mine } = records;
  return { all: Object.values(records), mine, ids: Object.values(mine).map(({ id }) => id) };
}

describe('the timeline of a verification', () => {
  it.each(['in the intake', 'in the log'])(
    'holds its records and those of its calls, oldest first, %s',
    async (where) => {
      const verification = uuidv7();
      const { all, mine, ids } = story(verification);
      await kept(all);
      if (where === 'in the log') await sequenceAll(connection);
      const { items, nextCursor } = await page(verification);
      expect(items.map(({ recordId }) => recordId)).toEqual(ids);
      expect(nextCursor).toBeNull();
      expect(items.every(({ seq }) => (seq === null) === (where === 'in the intake'))).toBe(true);
      expect(items[4]).toEqual({
        seq: items[4]?.seq,
        recordId: mine.received.id,
        at: at(11),
        kind: 'webhook.received',
        call: mine.webhook.id,
        client: mine.received.client,
        http: { method: 'GET', route: '/v1/verifications/:id', status: 200, durationUs: 4_200 },
        decision: { outcome: 'allow', rule: 'corridor', reason: 'every check passed' },
        vendor: { name: 'didit', operation: 'session.decision', status: 200, durationUs: 2_100 },
        detail: { type: 'status.updated', verdict: 'trusted' },
      });
      expect(items[5]?.detail).toEqual({ from: 'pending', to: 'approved', event: 'vendor.approved' });
      expect(await walk(verification)).toEqual(ids);
    },
  );

  it('shows every record once, page by page, while records are written and numbered', async () => {
    const verification = uuidv7();
    const { all, ids } = story(verification);
    await kept(all);
    let later = 20;
    const seen = await walk(verification, async () => {
      if (later < 24) await kept([aRecord({ at: at((later += 1)), verification })]);
      await sequenceAll(connection);
    });
    expect(seen.slice(0, ids.length)).toEqual(ids);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(ids.length + 4);
  });

  it('takes back only its own cursors', async () => {
    const verification = uuidv7();
    const other = uuidv7();
    await kept([...story(verification).all, ...story(other).all]);
    const { nextCursor } = await page(verification, { limit: '2' });
    const cursor = nextCursor ?? '';
    expect((await page(verification, { cursor })).items).toHaveLength(4);
    await expect(page(other, { cursor })).rejects.toMatchObject({ code: 'invalid-cursor' });
    await expect(page(verification, { cursor: `${cursor}A` })).rejects.toMatchObject({ code: 'invalid-cursor' });
  });

  it('is not found where the log tells of no such verification', async () => {
    await expect(page(uuidv7())).rejects.toMatchObject({ code: 'not-found' });
    await expect(page(`x' OR 1`)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('of thousands of calls in a large log comes before the time of a statement is up', async () => {
    const verification = uuidv7();
    const size = await sequenceAll(connection);
    const bytes = recordBytes(aRecord(), { origin: 'gatehouse.local/log', instance: 'spec' });
    await withClient(database.superuserUrl, async (client) => {
      await client.query(
        `INSERT INTO audit.log (seq, id, recorded_at, bytes, leaf_hash, at, kind, verification)
         SELECT $1::int + n, gen_random_uuid(), now(), $2, '\\x00', now() + n * interval '1 ms', 'call', CASE WHEN n % 5 = 0 THEN $3 END
           FROM generate_series(0, 29999) n`,
        [size, bytes, verification],
      );
      await client.query('INSERT INTO audit.place (id, seq) SELECT id, seq FROM audit.log WHERE seq >= $1', [size]);
      await client.query('UPDATE audit.head SET size = size + 30000, root = sha256(root)');
    });
    expect((await page(verification, { limit: '200' })).items).toHaveLength(200);
  });

  it('takes no limit past the bound and nothing that it does not know', () => {
    for (const query of [{ limit: '0' }, { limit: '201' }, { name: 'Ana' }])
      expect(timelineQuery.safeParse(query).success).toBe(false);
  });
});
