import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, findEmbeddedPostgres, startEmbeddedPostgres } from './postgres.js';
import { killLeft, openFolder, query, removeFolder, startInChild } from './spec-cluster.js';

const AS_ROOT = process.geteuid?.() === 0;

let folder: string;
let dataDir: string;
let started: EmbeddedPostgres[];

beforeEach(async () => {
  folder = await openFolder();
  dataDir = join(folder, 'data');
  started = [];
});

afterEach(async () => {
  for (const postgres of started) await postgres.stop({ remove: true });
  await killLeft(dataDir);
  await removeFolder(folder);
});

async function start(options: { durable?: boolean } = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, durable: false, stopWithParent: true, ...options });
  started.push(postgres);
  return postgres;
}

const read = async (...path: string[]): Promise<string> => await readFile(join(dataDir, ...path), 'utf8');

describe('a fresh embedded PostgreSQL', () => {
  it('listens on the loopback interface only, knows one password, and checks its pages', async () => {
    const postgres = await start({ durable: true });
    const [facts] = await query(
      postgres.superuserUrl,
      `select current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
        current_setting('data_checksums') as checksums, current_setting('fsync') as fsync, current_user as role,
        current_setting('server_encoding') as encoding, (select datlocprovider::text || datlocale from pg_database where datname = 'postgres') as locale,
        (select string_agg(distinct auth_method, ',') from pg_hba_file_rules) as auth`,
    );
    expect(facts).toEqual({
      addresses: '127.0.0.1',
      sockets: '',
      checksums: 'on',
      fsync: 'on',
      role: 'postgres',
      encoding: 'UTF8',
      locale: 'bC.UTF-8',
      auth: 'scram-sha-256',
    });
    const password = (await read('postgres-password')).trim();
    expect(postgres.superuserUrl).toBe(`postgresql://postgres:${password}@127.0.0.1:${postgres.port}/postgres`);
    const wrong = postgres.superuserUrl.replace(password, 'wrong');
    await expect(query(wrong, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('leaves nothing readable to others, and runs as no root', async () => {
    const postgres = await start();
    const cluster = await stat(join(dataDir, 'postgres'));
    expect(cluster.mode & 0o777).toBe(0o700);
    expect(cluster.uid === 0).toBe(false);
    expect((await stat(`/proc/${postgres.pid}`)).uid).toBe(cluster.uid);
    expect((await stat(join(dataDir, 'postgres-password'))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await read('postgres.json'))).toEqual({
      place: join(dataDir, 'postgres'),
      pid: postgres.pid,
      port: postgres.port,
    });
  });

  it('writes no statement and no data of a failed one to its log', async () => {
    const { superuserUrl } = await start();
    await query(superuserUrl, `create table person (name text primary key)`);
    await query(superuserUrl, `insert into person values ('Erika Mustermann')`);
    await expect(query(superuserUrl, `insert into person values ('Erika Mustermann')`)).rejects.toMatchObject({
      code: '23505',
    });
    await expect(query(superuserUrl, `select 'Erika Mustermann'::int`)).rejects.toMatchObject({ code: '22P02' });
    const log = await read('postgres', 'server.log');
    expect(log).toContain('ready to accept connections');
    expect(log).not.toMatch(/Mustermann|person/);
  });
});

describe('stopping and starting again', () => {
  it('keeps the data, the password and the port', async () => {
    const first = await start();
    await query(first.superuserUrl, 'create table kept as select 42 as value');
    await Promise.all([first.stop(), first.stop()]);
    expect(existsSync(`/proc/${first.pid}`)).toBe(false);

    const second = await start();
    expect(second.adopted).toBe(false);
    expect(second.superuserUrl).toBe(first.superuserUrl);
    expect(await query(second.superuserUrl, 'select value from kept')).toEqual([{ value: 42 }]);
  });

  it('cuts off sessions that are open', async () => {
    const postgres = await start();
    const sleeping = expect(query(postgres.superuserUrl, 'select pg_sleep(60)')).rejects.toThrow();
    await expect
      .poll(
        async () =>
          await query(
            postgres.superuserUrl,
            `select 1 from pg_stat_activity where query like '%sleep(60)' and state = 'active'`,
          ),
      )
      .not.toEqual([]);
    await postgres.stop();
    await sleeping;
  });

  it('takes another port where its own was given away', async () => {
    const first = await start();
    await first.stop();
    const squatter = createServer();
    await new Promise<void>((ready) => squatter.listen(first.port, '127.0.0.1', ready));
    try {
      const second = await start();
      expect(second.port).not.toBe(first.port);
      expect(await query(second.superuserUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    } finally {
      squatter.close();
    }
  });

  it('starts although the pid in a stale pid file is by now that of another process', async () => {
    const first = await start();
    await first.stop();
    const stale = [process.pid, join(dataDir, 'postgres'), 1, first.port, '', '127.0.0.1', ' 1 1', 'ready   ', ''];
    await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), stale.join('\n'), { mode: 0o600 });
    const second = await start();
    expect(second.adopted).toBe(false);
  });

  it('refuses a cluster whose password was lost', async () => {
    await (await start()).stop();
    await rm(join(dataDir, 'postgres-password'));
    await expect(start()).rejects.toThrow(/^GATEHOUSE_DATA_DIR: postgres-password is missing/);
  });

  it('refuses a cluster of another version, and one that has another password', async () => {
    await (await start()).stop();
    const password = await read('postgres-password');
    await writeFile(join(dataDir, 'postgres-password'), 'another');
    await expect(start()).rejects.toThrow(/^GATEHOUSE_DATA_DIR: .*does not take the password/);
    await writeFile(join(dataDir, 'postgres-password'), password);
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toThrow(/^GATEHOUSE_DATA_DIR: .*made by PostgreSQL 17, and the one installed is 18/);
  });
});

describe('one data folder', () => {
  it('serves one start of two at once', async () => {
    const child = startInChild(dataDir, { stopWithParent: true });
    const here = await Promise.allSettled([start(), start(), child.line()]);
    const winners = here.filter((outcome) => outcome.status === 'fulfilled');
    const losers = here.filter((outcome) => outcome.status === 'rejected');
    expect(winners).toHaveLength(1);
    for (const loser of losers)
      expect(String(loser.reason)).toMatch(/GATEHOUSE_DATA_DIR: the data folder .* is in use by/);
    await child.kill('SIGKILL');
  });

  it('tells another process where its cluster is, while it runs', async () => {
    expect(await findEmbeddedPostgres(dataDir)).toBeUndefined();
    const postgres = await start();
    const { superuserUrl, host, port, pid } = postgres;
    expect(await findEmbeddedPostgres(dataDir)).toEqual({ superuserUrl, host, port, pid });
    await postgres.stop();
    expect(await findEmbeddedPostgres(dataDir)).toBeUndefined();
  });

  it.skipIf(AS_ROOT)('is refused where it cannot be written', async () => {
    const closed = mkdtempSync(join(tmpdir(), 'gatehouse-closed-'));
    chmodSync(closed, 0o555);
    dataDir = join(closed, 'data');
    await expect(start()).rejects.toThrow(/^GATEHOUSE_DATA_DIR: .*cannot be written/);
    rmSync(closed, { recursive: true });
  });
});
