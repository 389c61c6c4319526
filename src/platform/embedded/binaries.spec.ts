import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BinariesPackage, findBinariesPackage, restoreLinks, usableBinaries } from './binaries.js';
import { runProgram, unprivilegedUser } from './run-as.js';

const AS_ROOT = process.geteuid?.() === 0;
const SECONDS = 1000;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gatehouse-binaries-'));
  await chmod(dir, 0o755);
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** The package as `npm ci --ignore-scripts` leaves it: without a single link. */
async function unlinkedPackage(at: string): Promise<BinariesPackage> {
  const { native, version } = findBinariesPackage();
  // Nor the bulk of it that the specs here do not need.
  const isWanted = async (path: string): Promise<boolean> =>
    !(await lstat(path)).isSymbolicLink() && !path.endsWith('.a') && !path.includes('/share/postgresql/');
  await mkdir(at, { recursive: true });
  await cp(native, join(at, 'native'), { recursive: true, filter: isWanted });
  return { native: join(at, 'native'), version };
}

async function links(native: string): Promise<string[]> {
  const entries = await readdir(join(native, 'lib'), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isSymbolicLink())
    .map((entry) => entry.name)
    .sort();
}

describe('finding the PostgreSQL of this machine', () => {
  it('finds what npm installed', async () => {
    const { native, version } = findBinariesPackage();
    expect(version).toMatch(/^18\./);
    expect((await stat(join(native, 'bin', 'postgres'))).isFile()).toBe(true);
  });

  it('names DATABASE_URL where there is none', () => {
    expect(() => findBinariesPackage('plan9', 'mips')).toThrow(
      /^DATABASE_URL: must be given on this machine: .*plan9 on mips/,
    );
  });
});

describe('the links between its libraries', () => {
  it('are made where install scripts did not run, and nothing else', { timeout: 60 * SECONDS }, async () => {
    const source = await unlinkedPackage(join(dir, 'package'));
    const postgres = join(source.native, 'bin', 'postgres');
    expect(await runProgram(postgres, ['--version'], undefined, 20 * SECONDS)).toContain('shared libraries');
    const binaries = await usableBinaries(source, unprivilegedUser(), join(dir, 'copies'));
    expect(binaries.native).toBe(source.native);
    expect(await runProgram(binaries.postgres, ['--version'], undefined, 20 * SECONDS)).toBeUndefined();
    expect(await readdir(dir)).toEqual(['package']);
  });

  it('are whole after many made them at once', { timeout: 60 * SECONDS }, async () => {
    const { native } = await unlinkedPackage(join(dir, 'package'));
    await Promise.all(Array.from({ length: 8 }, async () => await restoreLinks(native)));
    const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8');
    const wanted = [...list.matchAll(/"target":"native\/lib\/([^"]+)"/g)].map(([, name]) => name ?? '');
    expect(await links(native)).toEqual(wanted.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(wanted).toContain('libicui18n.so.60');
  });
});

describe.skipIf(!AS_ROOT)('binaries in a folder which the user of PostgreSQL cannot enter', () => {
  let source: BinariesPackage;
  beforeEach(async () => {
    source = await unlinkedPackage(join(dir, 'private', 'package'));
    await chmod(join(dir, 'private'), 0o700);
  });

  it('are copied, once, without what is not needed', { timeout: 60 * SECONDS }, async () => {
    const user = unprivilegedUser();
    const copies = join(dir, 'copies');
    await mkdir(copies);
    const binaries = await usableBinaries(source, user, copies);
    expect(binaries.native).toBe(join(copies, `bin-${source.version}-${process.arch}`));
    expect(await runProgram(binaries.initdb, ['--version'], user, 20 * SECONDS)).toBeUndefined();
    const made = (await stat(binaries.native)).ino;
    expect((await usableBinaries(source, user, copies)).native).toBe(binaries.native);
    expect((await stat(binaries.native)).ino).toBe(made);
    expect(await readdir(copies)).toHaveLength(1);
  });

  it('are copied by several starts at once', { timeout: 60 * SECONDS }, async () => {
    const user = unprivilegedUser();
    const copies = join(dir, 'copies');
    await mkdir(copies);
    const all = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const { postgres } = await usableBinaries(source, user, copies);
        return await runProgram(postgres, ['--version'], user, 20 * SECONDS);
      }),
    );
    expect(all).toEqual([undefined, undefined, undefined]);
    expect(await readdir(copies)).toHaveLength(1);
  });

  it('are copied anew where a copy does not run', { timeout: 60 * SECONDS }, async () => {
    const user = unprivilegedUser();
    const broken = join(dir, 'copies', `bin-${source.version}-${process.arch}`);
    await mkdir(join(broken, 'bin'), { recursive: true });
    await writeFile(join(broken, 'bin', 'postgres'), 'half a copy', { mode: 0o755 });
    const { postgres } = await usableBinaries(source, user, join(dir, 'copies'));
    expect(await runProgram(postgres, ['--version'], user, 20 * SECONDS)).toBeUndefined();
    expect(await readdir(join(dir, 'copies'))).toHaveLength(1);
  });
});
