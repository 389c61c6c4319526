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
import { loadConfig, Log, ManualClock, ProblemError, uuidv7, validationPipe } from '../../platform/index.js';
import type { Connection } from '../connection.js';
import type { RecordInput } from '../record.js';
import { costOf } from './cost.js';
import { latencyOf, longestOf } from './latency.js';
import { rebuildUsage } from './rebuild-usage.js';
import { UsageAdminController, usageQuery } from './usage.admin.controller.js';
import { UsageRoller } from './usage-roller.js';
import { UsageStore } from './usage-store.js';

let database: TestDatabase;
let log: TestLog;
let connection: Connection;
let store: UsageStore;
let controller: UsageAdminController;

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl);
  connection = appConnection(database.superuserUrl);
  store = new UsageStore(connection);
  const config = structuredClone(loadConfig({}));
  config.vendors.didit.prices = { currency: 'EUR', operations: { 'session.decision': '0.000125' } };
  controller = new UsageAdminController(store, new ManualClock('2026-03-10T12:34:00.000Z'), config);
});

afterAll(async () => {
  await connection.close();
  await log.stop();
  await database.stop();
});

const roll = (): Promise<void> => new UsageRoller(store, new Log('silent')).round();

async function kept(...records: RecordInput[]): Promise<void> {
  await Promise.all(records.map((record) => log.auditLog.append(record)));
  await sequenceAll(connection);
}

/** Every spec has a day of its own. */
const usage = async (day: string, by: string) =>
  controller.usage(usageQuery.parse({ by, from: `${day}T00:00:00Z`, to: `${day}T23:00:00+00:00` }));

function call(at: string, client: string, durationUs: number, vendorUs?: number): RecordInput {
  const record = aRecord({ at, client });
  return {
    ...record,
    http: { ...record.http, method: 'GET', route: '/v1/verifications/:id', status: 200, durationUs },
    vendor:
      vendorUs === undefined
        ? undefined
        : { name: 'didit', operation: 'session.decision', status: 200, rung: 'fresh', durationUs: vendorUs },
  };
}

describe('usage', () => {
  it('tells of calls, refusals, latency, where the time went and what the vendor costs, by client', async () => {
    const at = '2026-02-01T08:30:00.000Z';
    const refused = { id: uuidv7(), outcome: 'deny', rule: 'scope.missing', reason: 'x' } as const;
    await kept(
      ...[1_000, 2_000, 3_000, 4_000].map((us) => call(at, 'bank', us, us - 500)),
      { ...call(at, 'bank', 5), decision: refused },
      call(at, 'shop', 7),
    );
    await roll();
    const { items, total, counted } = await usage('2026-02-01', 'client');
    expect(items.map(({ client }) => client)).toEqual(['bank', 'shop']);
    expect(items[0]).toEqual({
      client: 'bank',
      calls: 5,
      refusals: 1,
      latency: { p50Us: 2_047, p90Us: 4_095, p99Us: 4_095, maxUs: 4_095 },
      time: { totalUs: 10_005, vendorUs: 8_000, ownUs: 2_005 },
      vendor: {
        calls: 4,
        failures: 0,
        latency: { p50Us: 1_535, p90Us: 3_583, p99Us: 3_583, maxUs: 3_583 },
        totalUs: 8_000,
        cost: { amount: '0.0005', currency: 'EUR', unpriced: 0 },
      },
      webhooks: 0,
    });
    expect(total).toMatchObject({ calls: 6, refusals: 1, time: { totalUs: 10_012 } });
    expect(counted.size).toBe((await store.counted()).size);
  });

  it('tells where the time goes, by route and by vendor operation, the longest first', async () => {
    const at = '2026-02-02T08:30:00.000Z';
    const health = aRecord({ at, vendor: undefined });
    await kept(call(at, 'bank', 9_000, 8_000), {
      ...health,
      http: { method: 'POST', route: '/v1/verifications', status: 201, durationUs: 400 },
    });
    await roll();
    const { items } = await usage('2026-02-02', 'operation');
    expect(items.map(({ operation, side }) => [operation, side])).toEqual([
      ['GET /v1/verifications/:id', 'gateway'],
      ['session.decision', 'vendor'],
      ['POST /v1/verifications', 'gateway'],
    ]);
    expect(items[0]).toMatchObject({ calls: 1, time: { totalUs: 9_000, vendorUs: 8_000, ownUs: 1_000 } });
    expect(items[1]).toMatchObject({ calls: 0, vendor: { calls: 1, totalUs: 8_000 } });
  });

  it('counts a vendor call once, though its failure has a record of its own, and what a cache answered never', async () => {
    const at = '2026-02-03T08:30:00.000Z';
    const failed = { name: 'didit', operation: 'session.decision', status: 503, rung: 'fresh', durationUs: 10 };
    const owner = { ...call(at, 'bank', 50), vendor: failed };
    const detail = { problem: 'vendor-error' };
    await kept(
      owner,
      aRecord({ at, kind: 'vendor.call', call: owner.id, client: 'bank', vendor: failed, detail }),
      aRecord({ at, kind: 'vendor.call', call: owner.id, client: 'bank', vendor: { ...failed, status: 200 } }),
      aRecord({ at, kind: 'vendor.call', client: 'bank', vendor: failed, detail: { ...detail, job: 'follow' } }),
      { ...call(at, 'bank', 50), vendor: { ...failed, status: 200, rung: 'cached' } },
    );
    await roll();
    const [bank] = (await usage('2026-02-03', 'client')).items;
    expect(bank).toMatchObject({ client: 'bank', calls: 2, vendor: { calls: 3, failures: 2 } });
    expect(bank?.vendor.cost).toEqual({ amount: '0.000125', currency: 'EUR', unpriced: 0 });
  });

  it('counts refusals that stand in one counted record, and webhooks', async () => {
    const at = '2026-02-04T08:30:00.000Z';
    const decision = { id: uuidv7(), outcome: 'deny', rule: 'auth.counted', reason: 'x' } as const;
    const bare = { at, client: undefined, http: undefined, vendor: undefined };
    await kept(
      aRecord({ ...bare, kind: 'auth.failed.counted', decision, detail: { address: '192.0.2.1', count: 41 } }),
      aRecord({ ...bare, kind: 'webhook.received', detail: { vendor: 'didit', verdict: 'trusted' } }),
      aRecord({ ...bare, kind: 'gateway.started' }),
    );
    await roll();
    expect((await usage('2026-02-04', 'outcome')).items).toMatchObject([
      { outcome: 'deny', status: 0, side: 'gateway', calls: 41, refusals: 41, latency: null },
      { outcome: 'trusted', side: 'vendor', webhooks: 1 },
    ]);
  });

  it('is by the hour in the order of time, and takes whole hours', async () => {
    await kept(call('2026-02-05T09:59:59.999Z', 'bank', 1), call('2026-02-05T08:00:00.000Z', 'bank', 1));
    await roll();
    const asked = usageQuery.parse({ by: 'hour', from: '2026-02-05T09:30:00+01:00', to: '2026-02-05T09:01:00Z' });
    const { from, to, items } = await controller.usage(asked);
    expect([from, to]).toEqual(['2026-02-05T08:00:00.000Z', '2026-02-05T10:00:00.000Z']);
    expect(items.map(({ hour, calls }) => [hour, calls])).toEqual([
      ['2026-02-05T08:00:00.000Z', 1],
      ['2026-02-05T09:00:00.000Z', 1],
    ]);
    const lastDay = await controller.usage(usageQuery.parse({ by: 'hour' }));
    expect([lastDay.from, lastDay.to]).toEqual(['2026-03-09T12:00:00.000Z', '2026-03-10T13:00:00.000Z']);
  });

  it.each([
    [{ by: 'person' }, '/by'],
    [{}, '/by'],
    [{ by: 'client', from: 'yesterday' }, '/from'],
    [{ by: 'client', from: '2026-02-05T09:00:00Z', to: '2026-02-05T09:00:00Z' }, '/to'],
    [{ by: 'client', from: '2026-02-05T09:00:00Z', to: '2027-03-05T09:00:00Z' }, '/to'],
    [{ by: 'hour', from: '2026-02-05T09:00:00Z', to: '2026-03-09T09:00:00Z' }, '/to'],
    [{ by: 'hour', name: 'Ana' }, '/name'],
  ])('refuses %j', async (query, pointer) => {
    const refused: unknown = await validationPipe()
      .transform(query, { type: 'query', schema: usageQuery })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ProblemError);
    expect(refused).toMatchObject({ code: 'invalid-request', errors: [{ pointer }] });
  });

  it('tells no cost while no price is set, and how many answers have none', () => {
    const answered = new Map([
      ['a', 3],
      ['b', 2],
    ]);
    expect(costOf(answered, { currency: 'EUR', operations: {} })).toBeNull();
    const operations = { a: '9007199254740.993001'.slice(4) };
    expect(costOf(answered, { currency: 'USD', operations })).toEqual({
      amount: '597764222.979003',
      currency: 'USD',
      unpriced: 2,
    });
    expect(costOf(new Map([['a', 2]]), { currency: 'EUR', operations: { a: '1.05' } })?.amount).toBe('2.10');
  });
});

describe('the scale of durations', () => {
  it('is the same in the database, and an eighth wide at most', async () => {
    const powers = Array.from({ length: 41 }, (_, power) => 2 ** power);
    const values = [...new Set([0, ...powers.flatMap((v) => [v - 1, v, v + 1, Math.round(v * 1.37)]), 2 ** 50])];
    const { rows } = await withClient(database.superuserUrl, (client) =>
      client.query<{ us: string; bucket: number }>(
        'SELECT us, audit.latency_bucket(us) AS bucket FROM unnest($1::bigint[]) AS us',
        [values],
      ),
    );
    expect(rows).toHaveLength(values.length);
    for (const { us, bucket } of rows) {
      const v = Math.min(Number(us), 2 ** 40 - 1);
      expect(longestOf(bucket)).toBeGreaterThanOrEqual(v);
      expect(longestOf(bucket - 1), us).toBeLessThan(v === 0 ? 1 : v);
      expect(longestOf(bucket)).toBeLessThanOrEqual(v * 1.125);
    }
  });

  it('gives percentiles by nearest rank', () => {
    expect(latencyOf(new Map([[-1, 5]]))).toBeNull();
    const histogram = new Map([
      [3, 50],
      [1, 49],
      [7, 1],
    ]);
    expect(latencyOf(histogram)).toEqual({ p50Us: 3, p90Us: 3, p99Us: 3, maxUs: 7 });
  });
});

describe('a rebuild', () => {
  const figures = () =>
    withClient(database.superuserUrl, async (client) => {
      const { rows } = await client.query<object>(`
        SELECT hour, part, client, operation, outcome, status, bucket, partition, count, total_us, vendor_us FROM audit.usage
         ORDER BY hour, part, client, operation, outcome, status, bucket, partition`);
      return rows;
    });

  it('gives the same figures, while records are written and counted', async () => {
    await roll();
    const stop = new AbortController();
    const writer = (async () => {
      for (let n = 0; !stop.signal.aborted; n += 1) {
        await kept(call(`2026-02-06T08:${String(n % 60).padStart(2, '0')}:00.000Z`, 'bank', n));
        await roll();
      }
    })();
    const rebuilt = await rebuildUsage(database.superuserUrl, undefined, 7).finally(() => stop.abort());
    await writer;
    expect(rebuilt).toMatchObject({ first: 0, differing: 0 });
    await roll();
    const incremental = await figures();
    const again = await rebuildUsage(database.superuserUrl);
    expect(again).toEqual({ first: 0, past: (await store.counted()).size, differing: 0 });
    expect(await figures()).toEqual(incremental);
  });

  it('finds each record counted once, though instances count at the same time', async () => {
    const another = appConnection(database.superuserUrl);
    try {
      const stores = [store, new UsageStore(another)];
      for (let n = 0; n < 10; n += 1) {
        await kept(...[0, 1, 2, 3, 4].map((us) => call('2026-02-07T08:00:00.000Z', 'bank', us)));
        await Promise.all(stores.map((one) => one.roll(2)));
      }
      await Promise.all(stores.map((one) => new UsageRoller(one, new Log('silent')).round()));
    } finally {
      await another.close();
    }
    expect((await usage('2026-02-07', 'client')).total.calls).toBe(50);
    expect(await rebuildUsage(database.superuserUrl)).toMatchObject({ differing: 0 });
  });

  it('says how many figures were others, and mends them', async () => {
    const right = await figures();
    await withClient(database.superuserUrl, (client) =>
      client.query(`UPDATE audit.usage SET count = count + 1 WHERE part = 'webhook'`),
    );
    expect(await rebuildUsage(database.superuserUrl)).toMatchObject({ differing: 1 });
    expect(await figures()).toEqual(right);
  });

  it('keeps what was counted of partitions that have left the log', async () => {
    const before = await figures();
    const own = (await store.counted()).size;
    await withClient(database.superuserUrl, async (client) => {
      // The records so far stand in a partition that goes; those of now stand in the next one.
      await client.query('ALTER TABLE audit.log DETACH PARTITION audit.log_000000000000');
      await client.query('UPDATE audit.usage_build SET next_seq = 1048576');
    });
    try {
      expect(await rebuildUsage(database.superuserUrl)).toMatchObject({ first: 1_048_576, differing: 0 });
      expect(await figures()).toEqual(before);
    } finally {
      await withClient(database.superuserUrl, async (client) => {
        await client.query(
          'ALTER TABLE audit.log ATTACH PARTITION audit.log_000000000000 FOR VALUES FROM (0) TO (1048576)',
        );
        await client.query('UPDATE audit.usage_build SET next_seq = $1', [own]);
      });
    }
  });
});
