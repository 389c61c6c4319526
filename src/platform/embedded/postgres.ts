import { rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { lockDataDir } from '../development/data-dir-lock.js';
import type { LogFields } from '../telemetry/log.js';
import { bringUp, startAgain } from './bring-up.js';
import { readPassword } from './cluster.js';
import { KeepUp } from './keep-up.js';
import { type Keeper, makeKeeper } from './keeper.js';
import { isOutside, type Place } from './place.js';
import { findPostmaster, type Running, stopPostmaster } from './postmaster.js';
import { readRecord, writeRecord } from './record.js';
import { keepServerLogBounded } from './server-log.js';
import { addressOf, ask, type PostgresAddress } from './session.js';

export interface EmbeddedPostgresOptions {
  /** Made where it is missing. */
  readonly dataDir: string;
  /** False leaves out every flush to the disk, for tests: a crash of the machine then loses the cluster. Default true. */
  readonly durable?: boolean;
  /** Stops the postmaster also when this process dies by SIGKILL, in place of leaving it for the next start: for tests. */
  readonly stopWithParent?: boolean;
  readonly log?: { info(message: string, fields?: LogFields): void };
}

export interface EmbeddedPostgres extends PostgresAddress {
  /** Whether the postmaster was found running, left by a process that was killed. */
  readonly adopted: boolean;
  /** Stops it and gives the data folder free; `remove` also deletes the cluster, wherever it lies. Further calls wait for the first. */
  stop(options?: { readonly remove?: boolean }): Promise<void>;
}

/**
 * Starts the embedded PostgreSQL of a data folder, or takes over the one that a killed process left. The folder is this
 * process's alone until `stop()`; an ordinary exit stops the postmaster, a SIGKILL leaves it for the next start. A postmaster that ends
 * by itself is started again at the same address.
 * @throws ConfigError naming GATEHOUSE_DATA_DIR (in use, no rights) or DATABASE_URL (no PostgreSQL for this machine)
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const startedAt = performance.now();
  const lock = await lockDataDir(dataDir, 'postgres');
  const keeper = makeKeeper(options.stopWithParent ?? false);
  try {
    const durable = options.durable ?? true;
    const { running, adopted, password, place } = await bringUp(dataDir, durable, keeper);
    const note = ({ process: { pid }, port }: Running): Promise<void> =>
      writeRecord(dataDir, { place: place.cluster, pid, port });
    const keptUp = new KeepUp({
      running,
      start: async ({ port }) => {
        const again = await startAgain(place, port, durable, keeper);
        // Where it cannot be written the old one stays: what it says of place and port still holds.
        await note(again).catch(() => undefined);
        return again;
      },
      log: options.log,
    });
    const stop = once(stopper(keptUp, place, lock, keeper));
    try {
      await note(running);
    } catch (error) {
      await stop();
      throw error;
    }
    options.log?.info(adopted ? 'embedded PostgreSQL adopted' : 'embedded PostgreSQL started', {
      pid: running.process.pid,
      durationMs: Math.round(performance.now() - startedAt),
    });
    return {
      ...addressOf(running, password),
      get pid() {
        return keptUp.running.process.pid;
      },
      adopted,
      stop,
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The cluster of this data folder if it runs and takes our password, whoever started it; for the command line beside a gateway. */
export async function findEmbeddedPostgres(dataDir: string): Promise<PostgresAddress | undefined> {
  const folder = resolve(dataDir);
  const record = await readRecord(folder);
  const password = await readPassword(folder);
  if (!record || password === undefined) return undefined;
  const running = await findPostmaster(record.place);
  if (!running || !(await ask(running, password, record.place))) return undefined;
  return addressOf(running, password);
}

function stopper(
  keptUp: KeepUp,
  place: Place,
  lock: { release(): Promise<void> },
  keeper: Keeper,
): (options?: { readonly remove?: boolean }) => Promise<void> {
  const serverLog = keepServerLogBounded(place.cluster);
  return async (options) => {
    serverLog.stop();
    await keptUp.stop();
    await stopPostmaster(keptUp.running.process, place.cluster);
    keeper.dismiss();
    if (options?.remove) await removeCluster(place);
    await lock.release();
  };
}

async function removeCluster(place: Place): Promise<void> {
  await rm(isOutside(place) ? dirname(place.cluster) : place.cluster, { recursive: true, force: true });
}

function once<A extends unknown[]>(act: (...args: A) => Promise<void>): (...args: A) => Promise<void> {
  let done: Promise<void> | undefined;
  return async (...args) => await (done ??= act(...args));
}
