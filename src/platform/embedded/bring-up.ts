import { realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../config/load.js';
import { type Binaries, findBinariesPackage, usableBinaries } from './binaries.js';
import { clusterVersion, createCluster, ensurePassword, readPassword, removeUnfinished } from './cluster.js';
import type { Keeper } from './keeper.js';
import { findPlace, isOutside, type Place } from './place.js';
import {
  clearDeadPostmaster,
  findPostmaster,
  freePort,
  PortTakenError,
  type Running,
  startPostmaster,
  stopPostmaster,
} from './postmaster.js';
import { readRecord } from './record.js';
import { ask, isFit } from './session.js';

const PORT_ATTEMPTS = 5;

export interface Up {
  readonly running: Running;
  readonly adopted: boolean;
  readonly password: string;
  readonly place: Place;
}

/** Takes over a postmaster that was left, or stops it, and then makes what is missing and starts anew. The caller holds the lock. */
export async function bringUp(dataDir: string, durable: boolean, keeper: Keeper): Promise<Up> {
  const source = findBinariesPackage();
  const found = await findPlace(dataDir);
  const place = { ...found, cluster: await realPlace(found.cluster) };
  const left = await findPostmaster(place.cluster);
  const known = await readPassword(dataDir);
  if (left && known !== undefined && (await isFit(left, known, place.cluster, durable, source.version))) {
    keeper.watch(left.process, place.cluster);
    return { running: left, adopted: true, password: known, place };
  }
  if (left) await stopPostmaster(left.process, place.cluster);

  const binaries = await usableBinaries(source, place.user, place.copies);
  const password = await prepareCluster(dataDir, place, binaries, source.version, known, durable);
  const wished = (await readRecord(dataDir))?.port;
  const running = await startOnFreePort(binaries, place, wished, durable, keeper);
  if (await ask(running, password, place.cluster)) return { running, adopted: false, password, place };
  await stopPostmaster(running.process, place.cluster);
  keeper.dismiss();
  throw new ConfigError(
    'the embedded PostgreSQL does not take the password in postgres-password: it belongs to another cluster',
    'GATEHOUSE_DATA_DIR',
  );
}

/** Starts a cluster whose postmaster has died under us, on the port that everyone knows it by. */
export async function startAgain(place: Place, port: number, durable: boolean, keeper: Keeper): Promise<Running> {
  await clearDeadPostmaster(place.cluster);
  const binaries = await usableBinaries(findBinariesPackage(), place.user, place.copies);
  return await startPostmaster(binaries, place.cluster, place.user, port, durable, keeper);
}

async function prepareCluster(
  dataDir: string,
  place: Place,
  binaries: Binaries,
  version: string,
  known: string | undefined,
  durable: boolean,
): Promise<string> {
  const made = await clusterVersion(place.cluster);
  await removeUnfinished(place.cluster);
  if (made !== undefined) await clearDeadPostmaster(place.cluster);
  const outlived = made !== undefined && known === undefined && (await readRecord(dataDir)) === undefined;
  if (outlived && !isOutside(place)) throw passwordMissing(place);
  // Its data folder was deleted, and with it the keys to what this cluster holds.
  if (outlived) await rm(place.cluster, { recursive: true });
  if (made === undefined || outlived) {
    const password = await ensurePassword(dataDir);
    await createCluster(place, binaries, password, durable);
    return password;
  }
  if (known === undefined) throw passwordMissing(place);
  const major = version.split('.')[0];
  if (made !== major) {
    throw new ConfigError(
      `the database of this data folder was made by PostgreSQL ${made}, and the one installed is ${major}`,
      'GATEHOUSE_DATA_DIR',
    );
  }
  return known;
}

async function startOnFreePort(
  binaries: Binaries,
  place: Place,
  wished: number | undefined,
  durable: boolean,
  keeper: Keeper,
): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? wished : undefined);
    try {
      return await startPostmaster(binaries, place.cluster, place.user, port, durable, keeper);
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function passwordMissing(place: Place): ConfigError {
  return new ConfigError(
    `postgres-password is missing from the data folder, whose database (${place.cluster}) cannot be opened without it`,
    'GATEHOUSE_DATA_DIR',
  );
}

/** PostgreSQL reports, and /proc shows, its folder with every link resolved; the cluster itself may not exist yet. */
async function realPlace(cluster: string): Promise<string> {
  const parent = await realpath(dirname(cluster));
  return await realpath(cluster).catch(() => join(parent, basename(cluster)));
}
