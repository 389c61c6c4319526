import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTestLog, type TestLog } from '../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js';
import { until } from '../../test/support/system.js';
import { APP_ROLE, type Call, Database, loadConfig, Log, SystemClock, uuidv7 } from '../platform/index.js';
import { Detours } from '../vendors/index.js';
import { DrillRecords } from './drill-records.js';
import { DrillStore } from './drill-store.js';
import { Drills } from './drills.js';
import { Arming } from './engine/arming.js';
import { DrillEngine } from './engine/drill-engine.js';
import type { Traffic, TrafficWatcher } from './engine/traffic.js';
import { drillsEntities } from './index.js';
import { TcpProxy } from './proxy/tcp-proxy.js';
import { planSchema } from './schemas.js';

const ANA = '0190a7b2-1111-7000-8000-00000000000a';
const BEA = '0190a7b2-1111-7000-8000-00000000000b';
const CLIENT = '0190a7b2-2222-4000-8000-000000000001';
const OTHER = '0190a7b2-2222-4000-8000-000000000002';

const clock = new SystemClock();
const config = {
  ...loadConfig({}),
  vendors: { didit: { ...loadConfig({}).vendors.didit, baseUrl: 'https://127.0.0.1:1' } },
};
const log = new Log('silent');

let test: TestDatabase;
let audit: TestLog;
let drills: Drills;
const engines: Instance[] = [];

interface Instance {
  engine: DrillEngine;
  /** Whether a call of this client would be struck. */
  strikes(client?: string): boolean;
  watchers: Set<TrafficWatcher>;
}

function drillsOn(database: Database): { store: DrillStore; drills: Drills } {
  const store = new DrillStore(database);
  return { store, drills: new Drills(store, new DrillRecords(audit.auditLog, clock), clock, config) };
}

/** What an instance of the gateway has, on a pool of its own. */
function instanceOn(database: Database): Instance {
  const detours = new Detours();
  const watchers = new Set<TrafficWatcher>();
  const traffic = {
    watch: (watcher: TrafficWatcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  } as unknown as Traffic;
  const on = drillsOn(database);
  const engine = new DrillEngine(on.store, on.drills, new Arming(detours, traffic, clock, log, config), clock, log);
  engine.onApplicationBootstrap();
  const instance = {
    engine,
    strikes: (client = CLIENT) => detours.find({ client, operation: 'session.create' }) !== undefined,
    watchers,
  };
  engines.push(instance);
  return instance;
}

function by(person: string): Call {
  return {
    id: uuidv7(),
    traceId: '0af7651916cd43dd8448eb211c80319c',
    caller: { kind: 'administrator', id: person, name: 'someone', roles: new Set(['operator']), tokenId: 'tok' },
  } as unknown as Call;
}

const plan = (members: object = {}) =>
  planSchema.parse({
    faults: [{ fault: { kind: 'refused' } }],
    scope: { clients: [CLIENT] },
    durationMs: 60_000,
    ...members,
  });

async function started(members: object = {}): Promise<string> {
  const { id } = await drills.propose(by(ANA), { name: 'a-drill', purpose: 'To see.', plan: plan(members) });
  await drills.approve(by(BEA), id);
  await drills.start(by(ANA), id);
  return id;
}

const soon = (condition: () => boolean): Promise<boolean> => until(() => Promise.resolve(condition()), 8_000);
const over = (id: string) =>
  until(async () => {
    const drill = await drills.get(id);
    return drill.overAt !== null && drill;
  });

beforeAll(async () => {
  test = await startTestDatabase(drillsEntities);
  audit = await openTestLog(test.superuserUrl);
  ({ drills } = drillsOn(test.database));
});
afterEach(async () => {
  await drills.stopAll(by(ANA));
  await Promise.all(engines.splice(0).map(({ engine }) => engine.beforeApplicationShutdown()));
});
afterAll(async () => {
  await audit?.stop();
  await test?.stop();
});

it('has entities that say what the migration made', async () => {
  const { upQueries } = await test.database.source.driver.createSchemaBuilder().log();
  expect(upQueries.map(({ query }) => query)).toEqual([]);
});

describe('a drill on two instances', () => {
  it('strikes the calls of its scope on both, and stops on both within a second of the switch', async () => {
    const [one, two] = [instanceOn(test.database), instanceOn(await test.another())];
    const id = await started();
    await soon(() => one.strikes() && two.strikes());
    expect([one.strikes(OTHER), two.strikes(OTHER), one.strikes('')]).toEqual([false, false, false]);
    const from = performance.now();
    expect(await drills.stopAll(by(BEA))).toEqual({ stopped: [id] });
    await soon(() => !one.strikes() && !two.strikes());
    expect(performance.now() - from).toBeLessThan(1_500);
    await soon(() => one.engine.atWork + two.engine.atWork === 0);
  });

  it('never strikes more calls than it may, over both', async () => {
    const [one, two] = [instanceOn(test.database), instanceOn(await test.another())];
    const id = await started({ mostCalls: 7 });
    let struck = 0;
    await until(async () => {
      for (const instance of [one, two]) if (instance.strikes()) struck += 1;
      return (await drills.get(id)).overAt !== null;
    });
    expect(struck).toBeLessThanOrEqual(7);
    expect(struck).toBeGreaterThan(0);
    expect(await drills.get(id)).toMatchObject({ state: 'aborted', why: 'limit: 7 calls' });
    // The other instance tells what it struck when it has seen the end.
    await until(async () => (await drills.get(id)).counts.struck === struck);
  });
});

describe('a drill stops by itself', () => {
  it('when calls outside its scope suffer', async () => {
    const one = instanceOn(test.database);
    const id = await started();
    await soon(() => one.watchers.size === 1);
    for (let n = 0; n < 20; n += 1)
      for (const watcher of one.watchers)
        watcher.onAnswer({ client: OTHER, operation: 'session.create', status: 503, durationMs: 5 });
    expect(await over(id)).toMatchObject({
      state: 'aborted',
      why: 'guard outside-error-ratio: 1 is above 0.5',
      counts: { outside: 20, outsideFailed: 20 },
    });
    expect(one.strikes()).toBe(false);
  });

  it('not when those of its scope do', async () => {
    const one = instanceOn(test.database);
    const id = await started({ durationMs: 2_500 });
    await soon(() => one.watchers.size === 1);
    for (let n = 0; n < 20; n += 1)
      for (const watcher of one.watchers)
        watcher.onAnswer({ client: CLIENT, operation: 'session.create', status: 503, durationMs: 5 });
    expect(await over(id)).toMatchObject({ state: 'ended', why: 'time', counts: { failed: 20, outside: 0 } });
  });

  it('on an instance that cannot reach the database, within its lease', async () => {
    const cluster = { host: '127.0.0.1', port: Number(new URL(test.superuserUrl).port) };
    const proxy = await TcpProxy.open({ targets: () => [cluster] });
    const url = new URL(test.superuserUrl);
    url.port = String(proxy.port);
    const database = await Database.open({
      url: url.href,
      role: APP_ROLE,
      entities: drillsEntities,
      poolSize: 2,
      statementTimeoutMs: 10_000,
      applicationName: 'gatehouse-spec',
    });
    const cut = instanceOn(database);
    await started();
    await soon(() => cut.strikes());
    await proxy.use([{ kind: 'stall', stream: 'both' }]);
    const from = performance.now();
    await soon(() => !cut.strikes());
    expect(performance.now() - from).toBeLessThan(1_500);
    await proxy.use([]);
    await soon(() => cut.engine.atWork === 0);
    await cut.engine.beforeApplicationShutdown();
    await database.close();
    await proxy.close();
  });

  it('for an instance that starts in the middle of it: it takes no part', async () => {
    const one = instanceOn(test.database);
    await started();
    await soon(() => one.strikes());
    const late = instanceOn(await test.another());
    const another = await started().catch((error: unknown) => error);
    expect(another).toMatchObject({ code: 'conflict' });
    expect(late.strikes()).toBe(false);
  });
});

describe('people and drills', () => {
  it('are two for an approval and two for a signature, and every act has its record', async () => {
    const { id } = await drills.propose(by(ANA), { name: 'a-drill', purpose: 'Zoë wants it.', plan: plan() });
    await expect(drills.approve(by(ANA), id)).rejects.toMatchObject({ code: 'approval-required' });
    await drills.approve(by(BEA), id);
    await expect(drills.approve(by(BEA), id)).rejects.toMatchObject({ code: 'conflict' });
    await drills.start(by(ANA), id);
    await expect(drills.report(id)).rejects.toMatchObject({ code: 'not-found' });
    await drills.stop(by(BEA), id);
    const { digest, report } = await drills.report(id);
    expect(report).toMatchObject({ place: 'running', scenario: { name: 'a-drill' } });
    const signature = { digest, verdict: 'accepted' as const };
    await expect(drills.sign(by(ANA), id, signature)).rejects.toMatchObject({ code: 'approval-required' });
    await drills.sign(by(BEA), id, signature);
    await expect(drills.sign(by(BEA), id, signature)).rejects.toMatchObject({ code: 'conflict' });
    await expect(drills.fileReport(by(ANA), id, report)).rejects.toMatchObject({ code: 'conflict' });
    const rows = await test.database.query<{ bytes: Buffer }>(
      'SELECT bytes FROM (SELECT id, bytes FROM audit.intake UNION SELECT id, bytes FROM audit.log) r ORDER BY id',
    );
    const records = rows
      .map(({ bytes }) => JSON.parse(bytes.toString()) as { kind: string; actor: string; detail: { drill: string } })
      .filter(({ detail }) => detail.drill === id);
    expect(records.map(({ kind, actor }) => [kind, actor])).toEqual([
      ['drill.proposed', ANA],
      ['drill.approved', BEA],
      ['drill.started', ANA],
      ['drill.over', BEA],
      ['drill.reported', BEA],
      ['drill.signed', BEA],
    ]);
    expect(JSON.stringify(records)).not.toContain('Zoë');
  });
});
