import fc from 'fast-check';
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
import { uuidv7 } from '../../platform/index.js';
import type { Connection } from '../connection.js';
import { rebuildUsage } from './rebuild-usage.js';
import { UsageStore } from './usage-store.js';

let database: TestDatabase;
let log: TestLog;
let connection: Connection;

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl);
  connection = appConnection(database.superuserUrl);
});

afterAll(async () => {
  await connection.close();
  await log.stop();
  await database.stop();
});

const record = fc
  .record({
    kind: fc.constantFrom('call', 'vendor.call', 'webhook.received', 'auth.failed.counted', 'admin.act' as const),
    hour: fc.integer({ min: 0, max: 3 }),
    client: fc.constantFrom('a', 'b', undefined),
    durationUs: fc.option(fc.integer({ min: 0, max: 2 ** 45 }), { nil: undefined }),
    status: fc.constantFrom(200, 404, 503, 0),
    problem: fc.constantFrom('vendor-error', undefined),
    outcome: fc.constantFrom('allow', 'deny' as const),
  })
  .map(({ kind, hour, client, durationUs, status, problem, outcome }) => {
    const base = aRecord({ kind, client, at: new Date(Date.UTC(2026, 2, 10, hour, 30)).toISOString() });
    return {
      ...base,
      http: { method: 'GET', route: '/x', status, durationUs },
      decision: { id: uuidv7(), outcome, rule: 'r', reason: 'x' },
      vendor: { name: 'didit', operation: 'op', status, rung: 'fresh', durationUs },
      detail: { count: 3, vendor: 'didit', verdict: 'trusted', ...(problem === undefined ? {} : { problem }) },
    };
  });

/** Written in plain TypeScript, apart from the SQL that it checks. */
function expected(records: readonly { kind: string; client?: string | undefined; detail: object }[]) {
  const counts: Record<string, number> = {};
  const more = (part: string, count = 1) => (counts[part] = (counts[part] ?? 0) + count);
  for (const { kind, detail } of records) {
    if (kind === 'call') {
      more('call');
      more('vendor');
    } else if (kind === 'vendor.call' && 'problem' in detail) more('failure');
    else if (kind === 'vendor.call') more('vendor');
    else if (kind === 'webhook.received') more('webhook');
    else if (kind === 'auth.failed.counted') more('counted', 3);
  }
  return counts;
}

const figures = () =>
  withClient(database.superuserUrl, async (client) => {
    const { rows } = await client.query<{ part: string; count: string }>(`
      SELECT hour, part, client, operation, outcome, status, bucket, partition, count, total_us, vendor_us FROM audit.usage
       ORDER BY hour, part, client, operation, outcome, status, bucket, partition`);
    return rows;
  });

describe('for any records, however they are cut into batches', () => {
  it('what was counted as they came is what a rebuild counts', async () => {
    const all: Parameters<typeof expected>[0][number][] = [];
    const store = new UsageStore(connection);
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 25 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        async (records, sizes) => {
          await Promise.all(records.map((one) => log.auditLog.append(one)));
          all.push(...records);
          const size = await sequenceAll(connection);
          for (const most of sizes) if ((await store.roll(most))?.next === size) break;
          const incremental = await figures();
          const sums: Record<string, number> = {};
          for (const { part, count } of incremental) sums[part] = (sums[part] ?? 0) + Number(count);
          expect(sums).toEqual(expected(all));
          expect(await rebuildUsage(database.superuserUrl, undefined, 13)).toMatchObject({ differing: 0 });
          expect(await figures()).toEqual(incremental);
        },
      ),
      { numRuns: 12 },
    );
  });
});
