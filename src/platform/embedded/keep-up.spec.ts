import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EmbeddedPostgres, findEmbeddedPostgres, startEmbeddedPostgres } from './postgres.js';
import { killLeft, openFolder, query, removeFolder } from './spec-cluster.js';

let folder: string;
let dataDir: string;
let postgres: EmbeddedPostgres;

beforeEach(async () => {
  folder = await openFolder();
  dataDir = join(folder, 'data');
  postgres = await startEmbeddedPostgres({ dataDir, stopWithParent: true });
});

afterEach(async () => {
  await postgres.stop({ remove: true });
  await killLeft(dataDir);
  await removeFolder(folder);
});

const answers = () =>
  vi.waitFor(async () => expect(await query(postgres.superuserUrl, 'select 1 as one')).toEqual([{ one: 1 }]), {
    timeout: 20_000,
    interval: 50,
  });

describe('an embedded PostgreSQL that ends by itself', () => {
  it('is started again where it was, with what was committed, and stays away once it was stopped', async () => {
    await query(postgres.superuserUrl, 'create table kept as select 7 as n');
    const { superuserUrl } = postgres;
    for (let round = 0; round < 2; round += 1) {
      const { pid } = postgres;
      process.kill(pid, 'SIGKILL');
      await vi.waitFor(() => expect(postgres.pid).not.toBe(pid), { timeout: 20_000, interval: 50 });
      await answers();
      expect(await query(superuserUrl, 'select n from kept')).toEqual([{ n: 7 }]);
      expect(await findEmbeddedPostgres(dataDir)).toMatchObject({ superuserUrl, pid: postgres.pid });
    }
    process.kill(postgres.pid, 'SIGKILL');
    await postgres.stop();
    expect(await findEmbeddedPostgres(dataDir)).toBeUndefined();
  });

  it('is left to its own recovery when one of its processes is killed', async () => {
    const { pid } = postgres;
    const [writer] = await query(
      postgres.superuserUrl,
      `select pid from pg_stat_activity where backend_type = 'walwriter'`,
    );
    process.kill(Number(writer?.['pid']), 'SIGKILL');
    await answers();
    expect(postgres.pid).toBe(pid);
  });
});
