import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boundServerLog, lastOfServerLog, openServerLog } from './server-log.js';

let cluster: string;
beforeEach(async () => {
  cluster = await mkdtemp(join(tmpdir(), 'gatehouse-log-'));
});
afterEach(async () => {
  await rm(cluster, { recursive: true, force: true });
});

const read = async (name: string): Promise<string> => await readFile(join(cluster, name), 'utf8');

describe('the log of the server', () => {
  it('is cut in place, under a writer, and its end kept', async () => {
    const log = await openServerLog(cluster, undefined);
    writeSync(log.fd, 'old line\nlast line\n');
    await boundServerLog(cluster, 10);
    writeSync(log.fd, 'new line\n');
    await log.close();
    expect(await read('server.log.1')).toBe('last line\n');
    expect(await read('server.log')).toBe('new line\n');
  });

  it('is left alone within the limit, and where there is none', async () => {
    await boundServerLog(cluster, 10);
    await writeFile(join(cluster, 'server.log'), '0123456789');
    await boundServerLog(cluster, 10);
    expect(await read('server.log')).toBe('0123456789');
  });

  it('gives the last lines of this start only', async () => {
    await writeFile(join(cluster, 'server.log'), 'could not bind\n');
    const log = await openServerLog(cluster, undefined);
    writeSync(log.fd, 'one\ntwo\nthree\n');
    await log.close();
    expect(await lastOfServerLog(cluster, log.since, 2)).toBe('two | three');
    expect(await lastOfServerLog(cluster, log.since)).not.toContain('bind');
  });

  it('is never another file that a link leads to', async () => {
    const victim = join(cluster, 'victim');
    await writeFile(victim, 'x'.repeat(100));
    await symlink(victim, join(cluster, 'server.log'));
    await expect(openServerLog(cluster, undefined)).rejects.toMatchObject({ code: 'ELOOP' });
    await boundServerLog(cluster, 10);
    expect(await lastOfServerLog(cluster, 0)).toBe('');
    expect((await stat(victim)).size).toBe(100);
  });
});
