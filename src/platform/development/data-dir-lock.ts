import { randomBytes, randomInt } from 'node:crypto';
import { constants, rmSync } from 'node:fs';
import { access, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ConfigError } from '../config/load.js';
import { codeOf } from './errors.js';
import { prepareDataDir } from './files.js';
import { identify, isAlive, type ProcessIdentity } from './processes.js';

export interface DataDirLock {
  /** Gives the folder free; further calls do nothing. */
  release(): Promise<void>;
}

interface Claim extends ProcessIdentity {
  readonly file: string;
}

const ATTEMPTS = 100;
const CLAIM = /^(\d+)-(\w+)-[0-9a-f]+\.claim$/;

/**
 * Takes the data folder for this process: the embedded default serves one instance. Given free at `release()`, at the process's
 * exit, and by the next comer where the holder died without either. Processes in other pid namespaces (another container on the
 * same volume) are not seen.
 *
 * Each comer puts down a claim file of its own name and then looks for others: whoever looks last sees the earlier claim, so
 * that two can never both go on, and a dead process's claim is removed by a name that no living one has. A single lock file
 * would have to be broken by unlinking it, and that can hit the fresh lock of a third.
 * @param name which lock of the folder
 * @throws ConfigError naming GATEHOUSE_DATA_DIR and the holder's pid
 */
export async function lockDataDir(dataDir: string, name = 'gatehouse'): Promise<DataDirLock> {
  const folder = join(resolve(dataDir), `${name}.lock`);
  try {
    await prepareDataDir(dataDir);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new ConfigError(
      `the data folder ${resolve(dataDir)} cannot be written (${codeOf(error)})`,
      'GATEHOUSE_DATA_DIR',
    );
  }
  const self = identify(process.pid) ?? { pid: process.pid, started: 'unknown' };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const claim = join(folder, `${self.pid}-${self.started}-${randomBytes(6).toString('hex')}.claim`);
    await writeFile(claim, '', { flag: 'wx', mode: 0o600 });
    const others = await livingClaims(folder, claim);
    if (others.length === 0) return await hold(claim);
    await rm(claim, { force: true });
    const holder = others.find((other) => other.held);
    if (holder) throw inUse(dataDir, holder.pid);
    await wait(randomInt(5, 40));
  }
  throw inUse(dataDir, undefined);
}

async function hold(claim: string): Promise<DataDirLock> {
  const held = claim.replace(/claim$/, 'held');
  // Beside the claim and not in its place: a listing made while a file is renamed may show neither name.
  await writeFile(held, '', { mode: 0o600 });
  const onExit = (): void => {
    rmSync(held, { force: true });
    rmSync(claim, { force: true });
  };
  process.once('exit', onExit);
  return {
    async release() {
      process.off('exit', onExit);
      await rm(held, { force: true });
      await rm(claim, { force: true });
    },
  };
}

async function livingClaims(folder: string, own: string): Promise<(Claim & { held: boolean })[]> {
  const names = await readdir(folder);
  const living: (Claim & { held: boolean })[] = [];
  for (const name of names) {
    const [, pid, started] = CLAIM.exec(name) ?? [];
    const file = join(folder, name);
    if (pid === undefined || started === undefined || file === own) continue;
    const heldName = name.replace(/claim$/, 'held');
    if (isAlive({ pid: Number(pid), started })) {
      living.push({ pid: Number(pid), started, file, held: names.includes(heldName) });
      continue;
    }
    await rm(join(folder, heldName), { force: true });
    await rm(file, { force: true });
  }
  return living;
}

function inUse(dataDir: string, pid: number | undefined): ConfigError {
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return new ConfigError(
    `the data folder ${resolve(dataDir)} is in use by ${holder}; the embedded default serves one instance. Stop that one, or give this one a folder of its own`,
    'GATEHOUSE_DATA_DIR',
  );
}
