import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
/** Touches nothing that other suites do. */
const LONG_AGO = { scope: 'period', from: '1970-01-01T00:00:00Z', to: '1970-01-02T00:00:00Z' };

const system = sharedSystem();

interface Hold {
  id: string;
  releasedAt: string | null;
}

describe('legal holds over the internal listener', () => {
  it('are placed and released by security, read by auditors, and stand in the log', async () => {
    const placed = await system.admin<Hold>('/audit/holds', {
      body: { ...LONG_AGO, reason: 'litigation' },
      scope: 'security',
    });
    expect([placed.status, placed.body]).toMatchObject([
      201,
      { scope: 'period', reason: 'litigation', releasedAt: null },
    ]);
    const { id } = placed.body;
    const listed = await system.admin<{ items: Hold[] }>('/audit/holds', { scope: 'auditor' });
    expect(listed.body.items).toContainEqual(placed.body);
    const release = (body: object, scope: string, which = id) =>
      system.admin<Hold & { code?: string }>(`/audit/holds/${which}/release`, { body, scope });
    expect((await release({ reason: 'settled' }, 'auditor')).body.code).toBe('forbidden-scope');
    expect((await release({}, 'security')).body).toMatchObject({
      code: 'invalid-request',
      errors: [{ pointer: '/reason' }],
    });
    expect(await release({ reason: 'settled' }, 'security')).toMatchObject({
      status: 200,
      body: { id, releaseReason: 'settled' },
    });
    expect((await release({ reason: 'settled' }, 'security')).body.code).toBe('conflict');
    expect((await release({ reason: 'settled' }, 'security', crypto.randomUUID())).body.code).toBe('not-found');
    for (const kind of ['legal-hold.placed', 'legal-hold.released']) {
      const { body } = await system.admin<{ items: { record: { detail: { hold: string } } }[] }>(
        `/audit/records?kind=${kind}&limit=200`,
      );
      expect(body.items.filter(({ record }) => record.detail.hold === id)).toHaveLength(1);
    }
  });

  it('are not placed by others, nor without a reason', async () => {
    for (const scope of ['auditor', 'operator']) {
      const refused = await system.admin('/audit/holds', { body: { ...LONG_AGO, reason: 'x' }, scope });
      expect([scope, refused.status]).toEqual([scope, 403]);
    }
    const refused = await system.admin('/audit/holds', { body: LONG_AGO, scope: 'security' });
    expect(refused.body).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '/reason' }] });
  });
});

describe('gatehouse archive', () => {
  const gatehouse = (...args: string[]) => {
    const run = spawnSync(process.execPath, [CLI, 'archive', ...args], {
      env: { PATH: process.env['PATH'] ?? '', GATEHOUSE_DATA_DIR: system.dataDir },
      encoding: 'utf8',
    });
    return { status: run.status, out: run.stdout.trim(), err: run.stderr.trim() };
  };

  it('tells why records stay', () => {
    const why = { status: 0, out: 'records 0 to 1048575 stay: no checkpoint covers them all yet', err: '' };
    expect(gatehouse('--dry-run')).toEqual(why);
    expect(gatehouse()).toEqual(why);
  });

  it('says in one sentence why it cannot', () => {
    const none = 'gatehouse: archive: the archive is not good: the database knows of none from record 0 on';
    expect(gatehouse('restore', '--dir', '/nowhere', '--first', '0')).toEqual({ status: 1, out: '', err: none });
    expect(gatehouse('release', '--first', '0')).toEqual({ status: 1, out: '', err: none });
  });
});
