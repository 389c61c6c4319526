import { randomBytes } from 'node:crypto';
import { lchown, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../config/load.js';
import { codeOf } from '../development/errors.js';
import { createFileOnce, syncFolder } from '../development/files.js';
import type { Binaries } from './binaries.js';
import type { Place } from './place.js';
import { runProgram } from './run-as.js';

const INITDB_TIMEOUT_MS = 120_000;

/** The superuser's password in `<data>/postgres-password`, or undefined where there is none. */
export async function readPassword(dataDir: string): Promise<string | undefined> {
  try {
    return (await readFile(join(dataDir, 'postgres-password'), 'utf8')).trim() || undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new ConfigError(
      `postgres-password in the data folder cannot be read (${codeOf(error)})`,
      'GATEHOUSE_DATA_DIR',
    );
  }
}

/** Makes the password once, before the cluster that takes it: a stop in between costs nothing. */
export async function ensurePassword(dataDir: string): Promise<string> {
  await createFileOnce(join(dataDir, 'postgres-password'), `${randomBytes(32).toString('base64url')}\n`, 0o600);
  const password = await readPassword(dataDir);
  if (password === undefined)
    throw new ConfigError('postgres-password in the data folder is empty', 'GATEHOUSE_DATA_DIR');
  return password;
}

/** The major version that made the cluster; undefined where there is no cluster. */
export async function clusterVersion(cluster: string): Promise<string | undefined> {
  try {
    return (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Makes the cluster under another name and renames it when it is whole, so that an initdb cut short leaves nothing that looks
 * like a cluster. Names order by code point (C.UTF-8 of PostgreSQL's own provider): no library of the machine can change an index.
 */
export async function createCluster(
  place: Place,
  binaries: Binaries,
  password: string,
  durable: boolean,
): Promise<void> {
  const parent = dirname(place.cluster);
  const workshop = await mkdtemp(`${place.cluster}.new-`);
  const passwordFile = join(workshop, 'password');
  const made = join(workshop, 'cluster');
  await writeFile(passwordFile, password, { flag: 'wx', mode: 0o600 });
  if (place.user) {
    await lchown(passwordFile, place.user.uid, place.user.gid);
    await lchown(workshop, place.user.uid, place.user.gid);
  }
  try {
    await initdb(made, passwordFile, binaries, place, durable);
    await rename(made, place.cluster);
    await syncFolder(parent);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function initdb(
  made: string,
  passwordFile: string,
  binaries: Binaries,
  place: Place,
  durable: boolean,
): Promise<void> {
  const options = [
    ['-D', made, '-U', 'postgres', '--pwfile', passwordFile, '--auth=scram-sha-256', '--encoding=UTF8'],
    ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--data-checksums', '--no-instructions'],
    durable ? [] : ['--no-sync'],
  ].flat();
  const reason = await runProgram(binaries.initdb, options, place.user, INITDB_TIMEOUT_MS);
  if (reason === undefined) return;
  throw new ConfigError(`PostgreSQL could not make its database in ${place.cluster}: ${reason}`, 'GATEHOUSE_DATA_DIR');
}

/** What a start left that was killed in the middle; its initdb may still be writing, then the next start removes it. */
export async function removeUnfinished(cluster: string): Promise<void> {
  const parent = dirname(cluster);
  const prefix = `${basename(cluster)}.new-`;
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
