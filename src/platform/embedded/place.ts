import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError } from '../config/load.js';
import { codeOf } from '../development/errors.js';
import { writeFileAtomically } from '../development/files.js';
import { readRecord } from './record.js';
import { canEnter, type RunAs, unprivilegedUser } from './run-as.js';

/** Where the cluster of a data folder lies, and as whom it runs. */
export interface Place {
  readonly cluster: string;
  /** Where copies of the binaries go, if copies are needed. */
  readonly copies: string;
  readonly user: RunAs | undefined;
}

const OUTSIDE = '/var/lib/gatehouse';

/** `<data>/postgres`, unless root runs this and PostgreSQL's user cannot enter the data folder (a clone under /root, say). */
export async function findPlace(dataDir: string): Promise<Place> {
  const inside = join(dataDir, 'postgres');
  const user = unprivilegedUser();
  const recorded = (await readRecord(dataDir))?.place;
  if (await isCluster(inside)) return await insidePlace(dataDir, inside, user);
  if (recorded !== undefined && (await isCluster(recorded))) return await recordedPlace(dataDir, recorded, user);
  if (user === undefined || (await canEnter(dataDir, user))) return await insidePlace(dataDir, inside, user);
  return await makeOutside(dataDir, user);
}

async function insidePlace(dataDir: string, cluster: string, user: RunAs | undefined): Promise<Place> {
  const owner = await stat(cluster).catch(() => undefined);
  const copies = user === undefined ? dataDir : OUTSIDE;
  if (owner === undefined) return { cluster, copies, user };
  if (user === undefined) {
    if (owner.uid !== process.geteuid?.()) throw notYours(cluster, `belongs to the user with uid ${owner.uid}`);
    return { cluster, copies, user };
  }
  // A cluster that an ordinary user made stays that user's when root starts it.
  const runAs = owner.uid === 0 ? user : { uid: owner.uid, gid: owner.gid };
  if (!(await canEnter(dataDir, runAs))) {
    throw notYours(cluster, `runs as the user with uid ${runAs.uid}, who can no longer enter the data folder`);
  }
  return { cluster, copies, user: runAs };
}

/** The data folder may have been moved since, which is fine, or copied, and then the cluster is the original's. */
async function recordedPlace(dataDir: string, cluster: string, user: RunAs | undefined): Promise<Place> {
  if (user === undefined) throw notYours(cluster, 'was made by root');
  const marker = markerOf(cluster);
  const madeFor = (await readFile(marker, 'utf8').catch(() => '')).trim();
  if (madeFor !== dataDir) {
    const original = madeFor === '' ? undefined : await readRecord(madeFor);
    if (original?.place === cluster) {
      throw new ConfigError(
        `the data folder ${dataDir} is a copy of ${madeFor}, whose database it would use`,
        'GATEHOUSE_DATA_DIR',
      );
    }
    await writeFileAtomically(marker, `${dataDir}\n`, 0o600);
  }
  return { cluster, copies: OUTSIDE, user };
}

async function makeOutside(dataDir: string, user: RunAs): Promise<Place> {
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const folder = join(OUTSIDE, hash);
  const cluster = join(folder, 'postgres');
  try {
    await mkdir(OUTSIDE, { recursive: true });
    // A umask may have taken away what the user needs to get through.
    await chmod(OUTSIDE, 0o755);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chown(folder, user.uid, user.gid);
    await writeFileAtomically(markerOf(cluster), `${dataDir}\n`, 0o600);
  } catch (error) {
    throw new ConfigError(
      `the data folder ${dataDir} cannot be entered by the user that PostgreSQL runs as, and ${OUTSIDE} cannot be written (${codeOf(error)}); name a folder that others may enter`,
      'GATEHOUSE_DATA_DIR',
    );
  }
  return { cluster, copies: OUTSIDE, user };
}

/** Whether the cluster lies outside its data folder, in a folder made for it alone. */
export function isOutside(place: Place): boolean {
  return place.cluster.startsWith(`${OUTSIDE}/`);
}

function markerOf(cluster: string): string {
  return join(dirname(cluster), 'data-folder');
}

async function isCluster(path: string): Promise<boolean> {
  return await stat(join(path, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

function notYours(cluster: string, why: string): ConfigError {
  return new ConfigError(`the database of this data folder (${cluster}) ${why}`, 'GATEHOUSE_DATA_DIR');
}
