import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { codeOf } from '../development/errors.js';
import {
  identify,
  isAlive,
  type ProcessIdentity,
  processesIn,
  signal,
  workingFolderOf,
} from '../development/processes.js';
import type { Binaries } from './binaries.js';
import type { Keeper } from './keeper.js';
import { POSTGRES_ENV, type RunAs } from './run-as.js';
import { lastOfServerLog, openServerLog } from './server-log.js';

export const HOST = '127.0.0.1';

const POLL_MS = 10;
/** Crash recovery replays at most the WAL since the last checkpoint; this is far beyond what 512 MB of it need. */
const START_TIMEOUT_MS = 120_000;
const FAST_STOP_MS = 20_000;
const IMMEDIATE_STOP_MS = 5_000;
const ORPHANS_MS = 3_000;

/** A postmaster found at work on the cluster. */
export interface Running {
  readonly process: ProcessIdentity;
  readonly port: number;
}

/** The port was taken between the choice and the start. */
export class PortTakenError extends Error {}

/**
 * No statement and no message of a failed one goes to the log, since both quote data (`log_min_messages=log` leaves out
 * WARNING and ERROR, whose readers are the clients; `terse` leaves out DETAIL and CONTEXT).
 */
function settings(port: number, durable: boolean): string[] {
  const values: Record<string, string> = {
    listen_addresses: HOST,
    port: String(port),
    unix_socket_directories: '',
    max_connections: '100',
    shared_buffers: '128MB',
    huge_pages: 'off',
    max_wal_size: '512MB',
    wal_level: 'minimal',
    max_wal_senders: '0',
    io_method: 'sync',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_line_prefix: '%m [%p] ',
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_statement: 'none',
    log_checkpoints: 'off',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Starts the postmaster in a session of its own, so that neither a terminal's Ctrl-C nor this process's death reaches it. */
export async function startPostmaster(
  binaries: Binaries,
  cluster: string,
  user: RunAs | undefined,
  port: number,
  durable: boolean,
  keeper: Keeper,
): Promise<Running> {
  const log = await openServerLog(cluster, user);
  const child = spawn(binaries.postgres, ['-D', cluster, ...settings(port, durable)], {
    ...user,
    cwd: '/',
    env: POSTGRES_ENV,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const end: { reason?: string } = {};
  child.on('error', (error) => (end.reason = codeOf(error) ?? 'it cannot be run'));
  child.on('exit', () => (end.reason ??= 'it ended'));
  child.unref();
  const self = child.pid === undefined ? undefined : identify(child.pid);
  if (self) keeper.watch(self, cluster);
  await log.close();

  const deadline = performance.now() + START_TIMEOUT_MS;
  while (end.reason === undefined && performance.now() < deadline) {
    const lines = await readPidFile(cluster);
    if (self && lines && Number(lines[0]) === self.pid && lines[7]?.trim() === 'ready') return { process: self, port };
    await wait(POLL_MS);
  }
  if (end.reason === undefined) child.kill('SIGKILL');
  keeper.dismiss();
  const tail = await lastOfServerLog(cluster, log.since);
  if (tail.includes('could not bind') || tail.includes('could not create any TCP/IP sockets'))
    throw new PortTakenError(tail);
  throw new Error(`the embedded PostgreSQL did not start: ${tail || (end.reason ?? 'no answer in time')}`);
}

/** The postmaster of this cluster, if one is at work: the one its pid file names, unless that pid is by now another's. */
export async function findPostmaster(cluster: string): Promise<Running | undefined> {
  const lines = await readPidFile(cluster);
  const pid = Number(lines?.[0]);
  if (!lines || !Number.isInteger(pid) || pid <= 0) return undefined;
  const process = identify(pid);
  if (!process || workingFolderOf(pid) !== cluster || !isPostgres(pid)) return undefined;
  return { process, port: Number(lines[3]) };
}

/**
 * Clears what a dead postmaster left. Its backends end by themselves, as soon as they next look; a new postmaster must not
 * start beside them. Then its pid file goes: where that pid was given to another process, PostgreSQL would refuse to start.
 */
export async function clearDeadPostmaster(cluster: string): Promise<void> {
  if (!(await isGone(() => processesIn(cluster).length === 0, ORPHANS_MS))) {
    for (const pid of processesIn(cluster)) signal(pid, 'SIGKILL');
    await isGone(() => processesIn(cluster).length === 0, ORPHANS_MS);
  }
  if (processesIn(cluster).length > 0) throw new Error(`processes of an earlier PostgreSQL still work in ${cluster}`);
  await rm(join(cluster, 'postmaster.pid'), { force: true });
}

/** Fast shutdown (sessions are cut off, all is written), then immediate, then by force. */
export async function stopPostmaster(process: ProcessIdentity, cluster: string): Promise<void> {
  const gone = (): boolean => !isAlive(process);
  if (gone()) return;
  signal(process.pid, 'SIGINT');
  if (await isGone(gone, FAST_STOP_MS)) return;
  signal(process.pid, 'SIGQUIT');
  if (await isGone(gone, IMMEDIATE_STOP_MS)) return;
  for (const pid of [process.pid, ...processesIn(cluster)]) signal(pid, 'SIGKILL');
  await isGone(gone, IMMEDIATE_STOP_MS);
}

/** The wished port if it is free, else another that is. */
export async function freePort(wished: number | undefined): Promise<number> {
  if (wished !== undefined && (await listenOnce(wished)) === wished) return wished;
  const port = await listenOnce(0);
  if (port === undefined) throw new Error('no free port on 127.0.0.1');
  return port;
}

async function listenOnce(port: number): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ host: HOST, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined));
    });
  });
}

async function isGone(gone: () => boolean, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!gone()) {
    if (performance.now() > deadline) return false;
    await wait(POLL_MS);
  }
  return true;
}

/** Lines: pid, data folder, start, port, socket folder, address, shared memory, status. */
async function readPidFile(cluster: string): Promise<string[] | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => undefined);
  return text?.split('\n');
}

function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres';
  } catch {
    return false;
  }
}
