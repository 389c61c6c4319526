import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunAs } from './run-as.js';

const LIMIT_BYTES = 4 * 1024 * 1024;
const CHECK_EVERY_MS = 60_000;

// The cluster's folder is PostgreSQL's user's: root follows no link that might be laid there.
const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_WRONLY } = constants;

export interface ServerLog {
  readonly fd: number;
  /** Its length before this start. */
  readonly since: number;
  close(): Promise<void>;
}

/** Where the postmaster's standard error goes. */
function serverLogOf(cluster: string): string {
  return join(cluster, 'server.log');
}

/** Opens the log to append; to be closed by the caller. */
export async function openServerLog(cluster: string, user: RunAs | undefined): Promise<ServerLog> {
  await boundServerLog(cluster);
  const file = await open(serverLogOf(cluster), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  if (user) await file.chown(user.uid, user.gid);
  return { fd: file.fd, since: (await file.stat()).size, close: async () => await file.close() };
}

/** Keeps the log to two pieces of 4 MiB and what comes in a minute, until `stop()`; does not keep the process up. */
export function keepServerLogBounded(cluster: string): { stop(): void } {
  const timer = setInterval(() => {
    // A full disk must not stop the database; the next turn tries again.
    boundServerLog(cluster).catch(() => undefined);
  }, CHECK_EVERY_MS).unref();
  return { stop: () => clearInterval(timer) };
}

/** Keeps the end as `server.log.1` and cuts the log in place: the postmaster holds it open, and appends where it now ends. */
export async function boundServerLog(cluster: string, limit = LIMIT_BYTES): Promise<void> {
  const path = serverLogOf(cluster);
  const file = await open(path, O_RDWR | O_NOFOLLOW).catch(() => undefined);
  if (file === undefined) return;
  try {
    const { size } = await file.stat();
    if (size <= limit) return;
    const tail = await readFrom(file, size - limit, limit);
    await rm(`${path}.1`, { force: true });
    const old = await open(`${path}.1`, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      await old.writeFile(tail);
    } finally {
      await old.close();
    }
    await file.truncate();
  } finally {
    await file.close();
  }
}

/** The last lines that came after `since`, for the message of a start that failed. */
export async function lastOfServerLog(cluster: string, since: number, lines = 5): Promise<string> {
  const file = await open(serverLogOf(cluster), O_RDONLY | O_NOFOLLOW).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const text = (await readFrom(file, Math.max(since, size - 4096), 4096)).toString('utf8');
    return text.trim().split('\n').slice(-lines).join(' | ');
  } finally {
    await file.close();
  }
}

async function readFrom(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
