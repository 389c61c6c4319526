import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyLog } from '../../src/audit/index.js';
import { appConnection, sequenceAll, withClient } from '../support/audit.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { account, Instance, random, seedOf } from '../support/instances.js';
import { until } from '../support/system.js';

const next = random(seedOf('instances'));
const BOUND_MS = 2_000;

describe.each([2, 4])('%i instances on one database', (count) => {
  let database: TestDatabase;
  let instances: Instance[] = [];
  const gone: Instance[] = [];

  beforeAll(async () => {
    database = await startTestDatabase();
    instances = Array.from({ length: count }, (_, n) => new Instance(database.superuserUrl, `instance-${n}`));
    await Promise.all(instances.map((instance) => instance.ready()));
  });

  afterAll(async () => {
    for (const instance of [...instances, ...gone]) await instance.end('SIGKILL');
    await database.stop();
  });

  const wrote = (instance: Instance, more: number): Promise<true> => {
    const enough = instance.acknowledged.length + more;
    return until(() => Promise.resolve(instance.acknowledged.length >= enough));
  };

  it('give one log without gaps while one is killed and another comes', async () => {
    await Promise.all(instances.map((instance) => wrote(instance, 50 + Math.floor(next() * 100))));
    const [victim] = instances.splice(Math.floor(next() * count), 1);
    if (!victim) throw new Error('there is one');
    await victim.end('SIGKILL');
    gone.push(victim);
    const newcomer = new Instance(database.superuserUrl, 'newcomer');
    instances.push(newcomer);
    await newcomer.ready();
    await Promise.all(instances.map((instance) => wrote(instance, 50)));
  });

  it('go on within two seconds while one stands still at any instant', async () => {
    for (let round = 0; round < 4; round += 1) {
      const still = instances[Math.floor(next() * instances.length)];
      const others = instances.filter((instance) => instance !== still);
      for (const instance of others) instance.resetSlowest();
      still?.signal('SIGSTOP');
      const size = await sizeOf(database.superuserUrl);
      const from = performance.now();
      await until(async () => (await sizeOf(database.superuserUrl)) > size);
      expect(performance.now() - from).toBeLessThan(BOUND_MS);
      await Promise.all(others.map((instance) => wrote(instance, 20)));
      for (const instance of others) expect(instance.slowestMs).toBeLessThan(BOUND_MS);
      still?.signal('SIGCONT');
      if (still) await wrote(still, 1);
    }
  });

  it('end with every acknowledged record once', async () => {
    await Promise.all(instances.map((instance) => instance.end('SIGTERM')));
    // Those that end together leave the rest to each other.
    const connection = appConnection(database.superuserUrl);
    await sequenceAll(connection);
    await connection.close();
    const all = [...instances, ...gone];
    const { size, lost, doubled } = await account(
      database.superuserUrl,
      all.flatMap((instance) => instance.acknowledged),
    );
    expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
    expect(await verifyLog(database.superuserUrl)).toMatchObject({ ok: true, size, waiting: 0 });
  });
});

function sizeOf(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ size: string }>('SELECT size FROM audit.head');
    return Number(rows[0]?.size);
  });
}
