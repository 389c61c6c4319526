import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir } from './data-dir-lock.js';
import { identify } from './processes.js';
import { startSpecChild } from './spec-child.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gatehouse-lock-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const holder = (then: string): string => `
  const { lockDataDir } = await import(source('development/data-dir-lock.ts'));
  await lockDataDir(${JSON.stringify(dir)});
  console.log('held');
  ${then}`;

describe('the lock of the data folder', () => {
  it('refuses a second holder with a message that names the setting and the first', async () => {
    const lock = await lockDataDir(dir);
    await expect(lockDataDir(dir)).rejects.toThrow(
      new RegExp(`^GATEHOUSE_DATA_DIR: .*${dir} is in use by process ${process.pid};`),
    );
    await lock.release();
    await (await lockDataDir(dir)).release();
  });

  it('keeps locks of different names apart', async () => {
    const one = await lockDataDir(dir, 'one');
    const other = await lockDataDir(dir, 'other');
    await one.release();
    await expect(lockDataDir(dir, 'other')).rejects.toThrow('in use');
    await other.release();
  });

  it('makes a data folder that is missing', async () => {
    const lock = await lockDataDir(join(dir, 'a', 'b'));
    expect(await readdir(join(dir, 'a', 'b'))).toEqual(['gatehouse.lock']);
    await lock.release();
  });

  it('refuses a data folder that is a file', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(lockDataDir(join(dir, 'file'))).rejects.toThrow(/^GATEHOUSE_DATA_DIR: .* cannot be written \(E/);
  });

  it('gives it to exactly one of many that come at once, again and again', async () => {
    for (let round = 0; round < 5; round++) {
      const comers = await Promise.allSettled(Array.from({ length: 8 }, async () => await lockDataDir(dir)));
      const winners = comers.filter((comer) => comer.status === 'fulfilled');
      expect(winners).toHaveLength(1);
      for (const winner of winners) await winner.value.release();
    }
    expect(await readdir(join(dir, 'gatehouse.lock'))).toEqual([]);
  });

  it('is held against other processes, and taken over from one that was killed', async () => {
    const child = startSpecChild(holder('setInterval(() => {}, 1000);'));
    expect(await child.line()).toBe('held');
    await expect(lockDataDir(dir)).rejects.toThrow(`in use by process ${child.pid}`);
    await child.kill('SIGKILL');
    const lock = await lockDataDir(dir);
    await lock.release();
    expect(await readdir(join(dir, 'gatehouse.lock'))).toEqual([]);
  });

  it('is given free by an ordinary exit', async () => {
    const child = startSpecChild(holder('process.exit(0);'));
    expect(await child.line()).toBe('held');
    await child.ended();
    expect(await readdir(join(dir, 'gatehouse.lock'))).toEqual([]);
  });

  it('is not held by a process that was given the pid of a dead holder', async () => {
    const self = identify(process.pid);
    await (await lockDataDir(dir)).release();
    for (const ending of ['claim', 'held']) {
      await writeFile(join(dir, 'gatehouse.lock', `${self?.pid}-${Number(self?.started) - 1}-00ff.${ending}`), '');
    }
    await (await lockDataDir(dir)).release();
    expect(await readdir(join(dir, 'gatehouse.lock'))).toEqual([]);
  });
});
