import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { aRecord, openTestLog, withClient } from '../support/audit.js';
import { startTestDatabase, type TestDatabase } from '../support/database.js';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');

let database: TestDatabase;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatehouse-export-'));
  database = await startTestDatabase();
  const log = await openTestLog(database.superuserUrl);
  await log.auditLog.append(aRecord());
  await log.stop();
});
afterAll(async () => {
  await database.stop();
  rmSync(dir, { recursive: true, force: true });
});

it('that is interrupted leaves no part of a file behind', async () => {
  const out = join(dir, 'log.jsonl');
  await withClient(database.superuserUrl, async (client) => {
    await client.query('BEGIN');
    // The export waits for its first records for as long as this is held.
    await client.query('LOCK TABLE audit.log IN ACCESS EXCLUSIVE MODE');
    const child = spawn(process.execPath, [MAIN, 'export', '--format', 'jsonl', '--out', out], {
      env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: database.superuserUrl },
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    await vi.waitFor(() => expect(existsSync(`${out}.part`)).toBe(true), { timeout: 20_000, interval: 20 });
    child.kill('SIGINT');
    await vi.waitFor(() => expect(readdirSync(dir)).toEqual([]), { timeout: 20_000, interval: 20 });
    await client.query('ROLLBACK');
    expect(await ended).toEqual([130, null]);
  });
  expect(readdirSync(dir)).toEqual([]);
});
