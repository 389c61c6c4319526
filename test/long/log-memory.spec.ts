import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appConnection, aRecord, openTestLog, sequenceAll } from '../support/audit.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';
import { writeMeasured } from '../support/measured.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
const RECORDS = 300_000;
const AT_ONCE = 2_000;
/** What V8 may hold: a fraction of the log, whose text alone is twice that and more. */
const HEAP_MB = 112;

let database: TestDatabase;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatehouse-memory-'));
  database = await startTestDatabase();
  const log = await openTestLog(database.superuserUrl, 'spec', true);
  const connection = appConnection(database.superuserUrl);
  for (let done = 0; done < RECORDS; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => log.auditLog.append(aRecord())));
    await sequenceAll(connection);
  }
  await connection.close();
  await log.stop();
}, 300_000);
afterAll(async () => {
  await database.stop();
  rmSync(dir, { recursive: true, force: true });
});

function withSmallHeap(args: string[]): { status: number | null; out: string; err: string; seconds: number } {
  const from = performance.now();
  const run = spawnSync(process.execPath, [`--max-old-space-size=${HEAP_MB}`, CLI, ...args], {
    env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: database.superuserUrl, GATEHOUSE_DATA_DIR: dir },
    encoding: 'utf8',
  });
  return {
    status: run.status,
    err: run.stderr.slice(-2_000),
    out: run.stdout.trim(),
    seconds: Math.round(performance.now() - from) / 1_000,
  };
}

describe('a log far larger than the memory allowed', () => {
  it('is verified and exported', () => {
    const verified = withSmallHeap(['verify']);
    const file = join(dir, 'log.jsonl');
    const exported = withSmallHeap(['export', '--format', 'jsonl', '--out', file]);
    expect(exported).toMatchObject({ status: 0, err: expect.stringMatching(/100 %/) as string });
    const bytes = statSync(file).size;
    const figures = {
      records: RECORDS,
      heapMb: HEAP_MB,
      verifySeconds: verified.seconds,
      exportSeconds: exported.seconds,
      bytes,
    };
    writeMeasured('log-memory', figures);
    expect(verified).toMatchObject({ status: 0, out: expect.stringMatching(/^verified 30000\d records/) as string });
    expect(exported.status).toBe(0);
    expect(bytes).toBeGreaterThan(2 * HEAP_MB * 1024 * 1024);
  });
});
