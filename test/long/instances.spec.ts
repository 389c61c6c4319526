import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyLog } from '../../src/audit/index.js';
import { appConnection, sequenceAll } from '../support/audit.js';
import { startTestCluster, type TestCluster } from '../support/database.js';
import { account, Instance, random, seedOf } from '../support/instances.js';
import { writeMeasured } from '../support/measured.js';
import { until } from '../support/system.js';

const INSTANCES = 4;
const BLOWS = 40;
/** Every so often it is Postgres that is killed. */
const POSTGRES_EVERY = 8;
/** What writers may wait because of what another suffers; all of them write when it comes. */
const BOUND_MS = 2_000;

let database: TestCluster;
let working: Instance[] = [];
const dead: Instance[] = [];

beforeAll(async () => {
  // A commit that was answered must outlive the postmaster.
  database = await startTestCluster([], { durable: true });
  working = Array.from({ length: INSTANCES }, (_, n) => start(n));
  await Promise.all(working.map((instance) => instance.ready()));
});

afterAll(async () => {
  for (const instance of working) await instance.end('SIGKILL');
  await database.stop();
});

function start(n: number): Instance {
  return new Instance(database.superuserUrl, `instance-${n}`);
}

/** Until each has written on: nobody is held up for good by what happened to the others. */
async function allWrite(instances: readonly Instance[]): Promise<number> {
  const from = performance.now();
  const before = instances.map((instance) => instance.acknowledged.length);
  await until(
    () => Promise.resolve(instances.every((instance, n) => instance.acknowledged.length > (before[n] ?? 0))),
    30_000,
  );
  return performance.now() - from;
}

it('four instances give one log while they and their Postgres are killed and stopped at random', async () => {
  const next = random(seedOf('instances'));
  const stalls: number[] = [];
  const blows = { killed: 0, stopped: 0, postgres: 0 };
  for (let blow = 1; blow <= BLOWS; blow += 1) {
    await allWrite(working);
    await sleep(next() * 300);
    const at = Math.floor(next() * working.length);
    const victim = working[at];
    if (!victim) throw new Error('there is one');
    const others = working.filter((instance) => instance !== victim);
    if (blow % POSTGRES_EVERY === 0) {
      process.kill(database.pid(), 'SIGKILL');
      blows.postgres += 1;
      await allWrite(working);
    } else if (next() < 0.5) {
      victim.signal('SIGSTOP');
      stalls.push(await allWrite(others));
      await sleep(next() * 1_500);
      victim.signal('SIGCONT');
      blows.stopped += 1;
    } else {
      await victim.end('SIGKILL');
      stalls.push(await allWrite(others));
      dead.push(victim);
      working[at] = start(blow);
      await working[at].ready();
      blows.killed += 1;
    }
  }
  await Promise.all(working.map((instance) => instance.end('SIGTERM')));
  const connection = appConnection(database.superuserUrl);
  await sequenceAll(connection);
  await connection.close();
  const acknowledged = [...working, ...dead].flatMap((instance) => instance.acknowledged);
  const { size, lost, doubled } = await account(database.superuserUrl, acknowledged);
  const verdict = await verifyLog(database.superuserUrl);
  const longestStallMs = Math.round(Math.max(...stalls));
  writeMeasured('instances', {
    instances: INSTANCES,
    ...blows,
    acknowledged: acknowledged.length,
    records: size,
    lost: lost.length,
    doubled: doubled.length,
    longestStallMs,
    verified: verdict.ok,
  });
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  expect(verdict).toMatchObject({ ok: true, size });
  expect(longestStallMs).toBeLessThan(BOUND_MS);
});
