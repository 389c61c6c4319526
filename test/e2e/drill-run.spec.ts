import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { reportSchema } from '../../src/drills/index.js';
import { sharedSystem } from '../support/shared.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
const SHIPPED = join(import.meta.dirname, '..', '..', 'src', 'drills', 'scenarios', 'vendor-down.yaml');

describe('gatehouse drill', () => {
  const system = sharedSystem();
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-drill-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const gatehouse = (...args: string[]) => {
    const { adminClientId, adminClientSecret, caFile } = system.credentials;
    return spawnSync(process.execPath, [CLI, 'drill', ...args], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'] ?? '',
        GATEHOUSE_CA_FILE: caFile,
        GATEHOUSE_ADMIN_CLIENT_ID: adminClientId,
        GATEHOUSE_ADMIN_CLIENT_SECRET: adminClientSecret,
      },
    });
  };
  const scenario = (name: string, change: (text: string) => string): string => {
    const file = join(dir, name);
    writeFileSync(file, change(readFileSync(SHIPPED, 'utf8')));
    return file;
  };

  it('points at what is wrong in a file', () => {
    const checked = gatehouse(
      'check',
      scenario('wrong.yaml', (text) => text.replace('kind: reset', 'kind: flood')),
    );
    expect([checked.status, checked.stderr]).toEqual([1, expect.stringContaining('/faults/0/fault/kind')]);
  });

  it('plays a short outage of the vendor on a system of its own, and files the report where another signs it', async () => {
    const file = scenario('short.yaml', (text) =>
      text
        .replace(/ {2}- at: vendor\n {4}fault: \{ kind: refused[^]*?for: 2s\n/, '')
        .replace('from: 2s', 'from: 1s')
        .replace('for: 4s', 'for: 1500ms')
        .replace('for: 12s', 'for: 4s')
        .replace(/ {2}(fellBackWithin|breakerOpensWithin|codes):.*\n/g, ''),
    );
    const run = gatehouse('run', file, '--out', dir, '--json', '--file-at', system.credentials.adminUrl);
    const report = reportSchema.parse(JSON.parse(run.stdout));
    expect(report.measured, run.stderr).toMatchObject({ lost: 0, doubled: 0 });
    expect(report.measured.timeToDetectMs).toBeLessThan(3_000);
    expect(report.load?.answered).toBe(32);
    // How fast this machine is just now is no matter here: the long checks hold every scenario to its times.
    expect(report.expectations.filter(({ met, expected }) => !met && !expected.endsWith(' ms'))).toEqual([]);
    expect(run.status).toBe(report.passed ? 0 : 1);
    const text = readFileSync(join(dir, 'vendor-down.json'), 'utf8');
    const digest = createHash('sha256').update(text).digest('hex');
    const page = readFileSync(join(dir, 'vendor-down.html'), 'utf8');
    expect(page).toContain(digest);
    expect(page).toContain('<svg');
    expect(page).not.toContain('<script');
    const filed = await system.admin<{ items: { name: string; reportDigest: string; state: string }[] }>('/drills', {
      scope: 'auditor',
    });
    expect(filed.body.items).toContainEqual(
      expect.objectContaining({ name: 'vendor-down', reportDigest: digest, state: 'ended' }),
    );
  }, 120_000);
});
