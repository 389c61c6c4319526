import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRecord, appConnection, openTestLog, type TestLog } from '../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js';
import { Keyring, uuidv7 } from '../platform/index.js';
import { AuditAdminController, recordsQuery } from './audit.admin.controller.js';
import type { Connection } from './connection.js';
import { RecordSearch } from './search.js';
import { sequenceOnce } from './sequencer.js';

let database: TestDatabase;
let log: TestLog;
let connection: Connection;
let controller: AuditAdminController;

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl);
  connection = appConnection(database.superuserUrl);
  controller = new AuditAdminController(new RecordSearch(database.database), new Keyring(Buffer.alloc(32, 7)));
});

afterAll(async () => {
  await connection.close();
  await log.stop();
  await database.stop();
});

const CLIENT = uuidv7();
/** Few instants, so that many records share one and their order is that of their ids. */
const at = (n: number): string => new Date(Date.UTC(2026, 2, 10, 9, 0, n % 7)).toISOString();

/** Records that the writers may write: some for each page, and fewer than a page shows, so that a walk comes to its end. */
let allowance = 0;

async function walk(): Promise<{ ids: string[]; waiting: number }> {
  const ids: string[] = [];
  let waiting = 0;
  let cursor: string | null = null;
  do {
    const query = { client: CLIENT, limit: '9', ...(cursor === null ? {} : { cursor }) };
    const page: Awaited<ReturnType<AuditAdminController['list']>> = await controller.list(recordsQuery.parse(query));
    ids.push(...page.items.map(({ record }) => record.id));
    waiting += page.items.filter(({ seq }) => seq === null).length;
    cursor = page.nextCursor;
    allowance += 3;
  } while (cursor !== null);
  return { ids, waiting };
}

describe('the list of records while writers write and the sequencer moves', () => {
  it('shows what stood at its beginning once, in order, and nothing twice', async () => {
    const stood: string[] = [];
    const append = async (n: number): Promise<string> => {
      const record = aRecord({ client: CLIENT, at: at(n) });
      await log.auditLog.append(record);
      return record.id;
    };
    for (let n = 0; n < 60; n += 1) stood.push(await append(n));
    const stop = new AbortController();
    let written = 0;
    let moved = 0;
    // Both sides of a record's way are busy the whole time: it comes into the intake, and leaves it for the log three at a time.
    const writers = [0, 1, 2].map(async (first) => {
      for (let n = first; !stop.signal.aborted; n += 3) {
        if ((allowance -= 1) < 0) {
          allowance += 1;
          await turn();
          continue;
        }
        stood.push(await append(n));
        written += 1;
      }
    });
    const mover = (async () => {
      while (!stop.signal.aborted) moved += (await sequenceOnce(connection, 3)).moved ?? 0;
    })();
    let waiting = 0;
    try {
      for (let round = 0; round < 12; round += 1) {
        const before = stood.slice();
        const seen = await walk();
        waiting += seen.waiting;
        expect(new Set(seen.ids).size).toBe(seen.ids.length);
        const shown = new Set(seen.ids);
        expect(before.filter((id) => !shown.has(id))).toEqual([]);
      }
    } finally {
      stop.abort();
      await Promise.all([...writers, mover]);
    }
    // Otherwise nothing was put to the test.
    expect(Math.min(written, moved, waiting)).toBeGreaterThan(20);
  });
});
