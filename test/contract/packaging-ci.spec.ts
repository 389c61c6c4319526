import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const COUNT = join(import.meta.dirname, '..', '..', 'scripts', 'count-tests.mjs');

interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  testResults: { status: string; assertionResults: object[] }[];
}

const report = (counts: Partial<Report>): Report => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
  ...counts,
});

describe('the closing line of a run of all tests', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-count-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const count = (...reports: Report[]): [line: string, status: number | null] => {
    const files = reports.map((content, n) => {
      const file = join(folder, `${n}.json`);
      writeFileSync(file, JSON.stringify(content));
      return file;
    });
    const run = spawnSync(process.execPath, [COUNT, ...files], { encoding: 'utf8' });
    return [run.stdout.trim(), run.status];
  };

  it('adds up the reports', () => {
    const short = report({ numPassedTests: 7, numPendingTests: 1 });
    expect(count(short, report({ numPassedTests: 2, numTodoTests: 1 }))).toEqual(['9 passed, 0 failed, 2 skipped', 0]);
  });

  it('fails with a failed test', () => {
    expect(count(report({ numPassedTests: 7, numFailedTests: 1 }))).toEqual(['7 passed, 1 failed, 0 skipped', 1]);
  });

  it('fails with a file that could not be loaded', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }];
    expect(count(report({ numPassedTests: 7, testResults }))).toEqual(['7 passed, 1 failed, 0 skipped', 1]);
  });

  it('fails when no test was run', () => {
    expect(count(report({}))).toEqual(['0 passed, 0 failed, 0 skipped', 1]);
  });
});
