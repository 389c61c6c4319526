import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, chown, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { identify, processesIn } from '../development/processes.js';
import type { SpecChild } from '../development/spec-child.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './postgres.js';
import { canEnter, unprivilegedUser } from './run-as.js';
import { killLeft, openFolder, query, removeFolder, startInChild } from './spec-cluster.js';

const AS_ROOT = process.geteuid?.() === 0;
const LONG = { timeout: 60_000 };
const addressSchema = z.object({ superuserUrl: z.string(), pid: z.int(), port: z.int() });

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

async function start(options: { durable?: boolean; dataDir?: string } = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, durable: false, stopWithParent: true, ...options });
  started.push(postgres);
  return postgres;
}

async function addressFrom(child: SpecChild): Promise<z.infer<typeof addressSchema>> {
  return addressSchema.parse(JSON.parse(await child.line()));
}

async function placeOf(folder: string): Promise<string> {
  const record: unknown = JSON.parse(await readFile(join(folder, 'postgres.json'), 'utf8'));
  return z.object({ place: z.string() }).parse(record).place;
}

describe('the process that started it', () => {
  it('leaves its postmaster to the next start when it is killed', LONG, async () => {
    const child = startInChild(dataDir);
    const left = await addressFrom(child);
    await query(left.superuserUrl, 'create table kept as select 42 as value');
    await child.kill('SIGKILL');
    expect(identify(left.pid)).toBeDefined();

    const next = await start();
    expect(next).toMatchObject({ ...left, adopted: true });
    expect(await query(next.superuserUrl, 'select value from kept')).toEqual([{ value: 42 }]);
    await next.stop();
    expect(identify(left.pid)).toBeUndefined();
  });

  it('leaves one that is stopped and started anew where it is not as durable as asked for', LONG, async () => {
    const child = startInChild(dataDir);
    const left = await addressFrom(child);
    await child.kill('SIGKILL');
    const next = await start({ durable: true });
    expect(next.adopted).toBe(false);
    expect(identify(left.pid)).toBeUndefined();
  });

  it('leaves a cluster that recovers when the postmaster is killed too', LONG, async () => {
    const child = startInChild(dataDir, { durable: true });
    const left = await addressFrom(child);
    await query(left.superuserUrl, 'create table kept as select 42 as value');
    const busy = query(left.superuserUrl, 'select pg_sleep(60)').catch(() => undefined);
    await child.kill('SIGKILL');
    process.kill(left.pid, 'SIGKILL');
    const next = await start({ durable: true });
    expect(next.adopted).toBe(false);
    expect(await query(next.superuserUrl, 'select value from kept')).toEqual([{ value: 42 }]);
    await busy;
  });

  it('stops it at an ordinary exit, without being asked', LONG, async () => {
    const child = startInChild(dataDir, { afterwards: 'process.exit(3);' });
    const { pid } = await addressFrom(child);
    expect(await child.ended()).toBe(3);
    await expect.poll(() => identify(pid), { timeout: 10_000 }).toBeUndefined();
  });

  it('stops it even when killed, where that was asked for, and leaves no process at all', LONG, async () => {
    const child = startInChild(dataDir, { stopWithParent: true });
    const { pid } = await addressFrom(child);
    const guardians = (): string[] =>
      readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandOf(name).includes(`guardian\0${pid}\0`));
    expect(guardians()).toHaveLength(1);
    await child.kill('SIGKILL');
    await expect.poll(() => identify(pid), { timeout: 10_000 }).toBeUndefined();
    await expect.poll(guardians).toEqual([]);
    expect(processesIn(join(dataDir, 'postgres'))).toEqual([]);
  });

  it('may be killed while it makes the cluster', LONG, async () => {
    const child = startInChild(dataDir);
    const unfinished = (): string[] => listing(dataDir).filter((name) => name.startsWith('postgres.new-'));
    await expect
      .poll(() => unfinished().flatMap((name) => listing(join(dataDir, name, 'cluster'))).length, {
        interval: 5,
        timeout: 20_000,
      })
      .toBeGreaterThan(3);
    await child.kill('SIGKILL');
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);

    const next = await start();
    expect(await query(next.superuserUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    await next.stop();
    await start();
    expect(unfinished()).toEqual([]);
  });
});

describe.skipIf(!AS_ROOT)('root, with a data folder that PostgreSQL cannot enter', () => {
  beforeEach(async () => {
    await mkdir(dataDir, { mode: 0o700 });
  });

  it('has the cluster elsewhere, for its user alone, and finds it again', LONG, async () => {
    const first = await start();
    const place = await placeOf(dataDir);
    expect(place).toMatch(/^\/var\/lib\/gatehouse\/[0-9a-f]{16}\/postgres$/);
    expect((await stat(join(place, '..'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(place, '..'))).uid).toBe(unprivilegedUser()?.uid);
    expect((await stat('/var/lib/gatehouse')).mode & 0o777).toBe(0o755);
    await query(first.superuserUrl, 'create table kept as select 42 as value');
    await first.stop();

    // It stays there although the folder is open now.
    await chmod(dataDir, 0o755);
    const second = await start();
    expect(await query(second.superuserUrl, 'select value from kept')).toEqual([{ value: 42 }]);
    await second.stop({ remove: true });
    expect(existsSync(join(place, '..'))).toBe(false);
  });

  it('finds it when the data folder was moved, and does not share it with a copy', LONG, async () => {
    await (await start()).stop();
    const moved = join(folder, 'moved');
    await cp(dataDir, moved, { recursive: true });
    await expect(start({ dataDir: moved })).rejects.toThrow(
      `GATEHOUSE_DATA_DIR: the data folder ${moved} is a copy of ${dataDir}`,
    );
    await rm(moved, { recursive: true });
    await rename(dataDir, moved);
    const place = await placeOf(moved);
    await start({ dataDir: moved });
    expect(await placeOf(moved)).toBe(place);
  });

  it('begins anew when the data folder was deleted, even with its postmaster still at work', LONG, async () => {
    const child = startInChild(dataDir);
    const left = await addressFrom(child);
    await query(left.superuserUrl, 'create table gone ()');
    await child.kill('SIGKILL');
    await rm(dataDir, { recursive: true });
    await mkdir(dataDir, { mode: 0o700 });
    const next = await start();
    expect(identify(left.pid)).toBeUndefined();
    expect(await query(next.superuserUrl, `select to_regclass('gone') as found`)).toEqual([{ found: null }]);
  });
});

const SOURCES = fileURLToPath(new URL('.', import.meta.url));
const ORDINARY = { uid: 65_534, gid: 65_534 };
const sourcesCanBeEntered = AS_ROOT && (await canEnter(SOURCES, ORDINARY));

describe.skipIf(!sourcesCanBeEntered)('an ordinary user', () => {
  beforeEach(async () => {
    await mkdir(dataDir, { mode: 0o700 });
    await chown(dataDir, ORDINARY.uid, ORDINARY.gid);
  });

  it('has the whole of it in the data folder, and root starts it as that user', LONG, async () => {
    const child = startInChild(dataDir, { user: ORDINARY, afterwards: 'await postgres.stop(); process.exit(0);' });
    const left = await addressFrom(child);
    expect(await child.ended()).toBe(0);
    expect(identify(left.pid)).toBeUndefined();
    expect(await placeOf(dataDir)).toBe(join(dataDir, 'postgres'));
    const byRoot = await start();
    expect((await stat(`/proc/${byRoot.pid}`)).uid).toBe(ORDINARY.uid);
  });

  it('is told whose the cluster is when another made it', LONG, async () => {
    await (await start()).stop();
    await chown(join(dataDir, 'postgres'), 12_345, 12_345);
    await rm(join(dataDir, 'postgres.lock'), { recursive: true });
    const child = startInChild(dataDir, { user: ORDINARY });
    await expect(child.line()).rejects.toThrow(/GATEHOUSE_DATA_DIR: .* belongs to the user with uid 12345/);
    await chown(join(dataDir, 'postgres'), ORDINARY.uid, ORDINARY.gid);
  });
});

function listing(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
