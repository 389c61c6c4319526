import { statfs } from 'node:fs/promises';
import type { Clock } from '../../platform/index.js';
import type { Connection } from '../connection.js';

/** How the log fares, as the database tells. */
export interface LogState {
  /** Age of the oldest record without a number; 0 when none waits. */
  oldestMs: number;
  size: number;
  /** Size of the last checkpoint; 0 when there is none. */
  signed: number;
  /** By how much the database's clock is ahead of ours, between these two: what lies between is the time of the question. */
  aheadMs: { least: number; most: number };
}

const STATE_SQL = `SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now, size,
    (SELECT extract(epoch FROM clock_timestamp() - recorded_at) * 1000 FROM audit.intake ORDER BY n LIMIT 1) AS oldest,
    (SELECT max(checkpoint.size) FROM audit.checkpoint) AS signed
  FROM audit.head`;

/** @throws the driver's error */
export async function logState(connection: Connection, clock: Clock): Promise<LogState | undefined> {
  const [sentMs, startedNs] = [clock.epochMs(), clock.monotonic()];
  const [row] = await connection.rows<{ now: string; size: string; oldest: string | null; signed: string | null }>({
    name: 'state',
    text: STATE_SQL,
  });
  const tookMs = Number(clock.monotonic() - startedNs) / 1_000_000;
  if (row === undefined) return undefined;
  const ahead = Number(row.now) - sentMs;
  return {
    oldestMs: Number(row.oldest ?? 0),
    size: Number(row.size),
    signed: Number(row.signed ?? 0),
    // Our own clock tells whole milliseconds.
    aheadMs: { least: ahead - tookMs - 1, most: ahead },
  };
}

/** Bytes that an ordinary user may still write to the disk of this folder. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
