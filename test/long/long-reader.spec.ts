import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRecord, openTestLog, type TestLog } from '../support/audit.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { writeMeasured } from '../support/measured.js';

const ROUNDS = 5;
/** A side of a round, milliseconds. */
const SIDE_MS = 3_000;
const WRITERS = 128;
/** Records a second that leave the processors time for a reader: who takes a whole one from writers at their limit slows them, snapshot or not. */
const PACE = 1_000;
const VERIFY = join(import.meta.dirname, '..', '..', 'dist', 'src', 'audit', 'index.js');
/** What writers may lose to a long reader. */
const SHARE = 0.1;
/** One snapshot cannot be taken in turns with none, so that what else the machine does shows: measured anew before it is believed. */
const AGAIN = { retry: 2 } as const;

let database: TestDatabase;
let log: TestLog;
const figures: Record<string, object> = {};

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl);
  log.start();
  await rate(SIDE_MS);
});

afterAll(async () => {
  writeMeasured('long-reader', figures);
  await log.stop();
  await database.stop();
});

/** Records a second that many writers get durable, each as fast as it can or, with a pace, so many a second together. */
async function rate(forMs: number, pace?: number): Promise<number> {
  const from = performance.now();
  let count = 0;
  const writer = async (at: number): Promise<void> => {
    for (let n = 0; performance.now() - from < forMs; n += 1) {
      if (pace !== undefined) await sleep(Math.max(0, from + ((n * WRITERS + at) * 1_000) / pace - performance.now()));
      await log.auditLog.append(aRecord());
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, at) => writer(at)));
  return count / ((performance.now() - from) / 1_000);
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

interface Reader {
  close(): Promise<void>;
}

/** With and without a reader in turns, in one run: what counts is the ratio of the two sides of each round. */
async function compare(name: string, open: () => Promise<Reader>, pace?: number): Promise<number> {
  const [without, beside, ratios]: number[][] = [[], [], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = await rate(SIDE_MS, pace);
    const reader = await open();
    const second = await rate(SIDE_MS, pace);
    await reader.close();
    without?.push(Math.round(first));
    beside?.push(Math.round(second));
    ratios?.push(second / first);
  }
  const ratio = median(ratios ?? []);
  figures[name] = { recordsASecond: { without, beside }, medianRatio: Number(ratio.toFixed(3)) };
  return ratio;
}

async function snapshot(): Promise<Reader> {
  const client = new Client({ connectionString: database.superuserUrl });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await client.query('SELECT count(*) FROM audit.head');
  return { close: () => client.end() };
}

/** As an auditor's process, without pause. */
function verifier(): Promise<Reader> {
  const code = `import { verifyLog } from ${JSON.stringify(VERIFY)};
    for (;;) if (!(await verifyLog(${JSON.stringify(database.superuserUrl)})).ok) process.exit(1);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  return Promise.resolve({
    close: async () => {
      child.kill('SIGKILL');
      await ended;
      expect(child.exitCode).toBeNull();
    },
  });
}

describe('those who write', () => {
  // First, while the log is short enough to be verified several times in a round.
  it('lose no more than a tenth to a process that verifies the whole log again and again', async () => {
    expect(await compare('verify', verifier, PACE)).toBeGreaterThan(1 - SHARE);
  });

  it('lose no more than a tenth to a snapshot that stays open', async () => {
    expect(await compare('snapshot', snapshot)).toBeGreaterThan(1 - SHARE);
  });

  it('lose no more than a tenth while a snapshot grows old', AGAIN, async () => {
    const before = await rate(SIDE_MS);
    const reader = await snapshot();
    const sides: number[] = [];
    for (let n = 0; n < 10; n += 1) sides.push(await rate(SIDE_MS));
    await reader.close();
    const after = await rate(SIDE_MS);
    const ratio = median(sides.slice(-5)) / ((before + after) / 2);
    figures['oldSnapshot'] = {
      openMs: 10 * SIDE_MS,
      recordsASecond: { before: Math.round(before), sides: sides.map(Math.round), after: Math.round(after) },
      ratio: Number(ratio.toFixed(3)),
    };
    expect(ratio).toBeGreaterThan(1 - SHARE);
  });
});
