import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyAnchor } from '../../src/audit/index.js';
import { withClient } from '../support/audit.js';
import { startSystem, type System, until, WIDE_LIMITS } from '../support/system.js';
import { startTsa, type Tsa } from '../support/tsa.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');

interface Anchor {
  size: number;
  authority: string;
  genTime: string;
  token: string;
}

describe('a gateway with a time-stamping authority', () => {
  let dir: string;
  let tsa: Tsa;
  let system: System;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gatehouse-tsa-'));
    tsa = await startTsa();
    writeFileSync(join(dir, 'roots.pem'), tsa.roots);
    const anchors = `{ url: '${tsa.url}', caFile: '${join(dir, 'roots.pem')}', every: 500ms, policy: 1.2.3.4.1 }`;
    system = await startSystem({ yaml: `${WIDE_LIMITS}\naudit: { anchors: ${anchors} }\n` });
  });
  afterAll(async () => {
    await system.stop();
    await tsa.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('has its checkpoints stamped, lists the stamps and records them', async () => {
    const list = await until(async () => {
      const { body } = await system.admin<{ items: Anchor[] }>('/audit/anchors');
      return body.items.length >= 2 && body.items;
    });
    const [last, before] = list;
    expect(last!.size).toBeGreaterThan(before!.size);
    const [{ note } = { note: '' }] = await withClient(system.credentials.databaseUrl, async (client) => {
      const found = await client.query<{ note: string }>('SELECT note FROM audit.checkpoint WHERE size = $1', [
        last!.size,
      ]);
      return found.rows;
    });
    const good = await verifyAnchor(note, Buffer.from(last!.token, 'base64'), tsa.roots);
    expect(good).toEqual({ genTime: new Date(last!.genTime), authority: last!.authority });
    const { body } = await system.admin<{ items: { record: { detail: object } }[] }>(
      '/audit/records?kind=log.anchored',
    );
    expect(body.items.map(({ record }) => record.detail)).toContainEqual(
      expect.objectContaining({ size: last!.size, authority: last!.authority, genTime: last!.genTime }),
    );
    expect((await system.admin(`/audit/anchors?below=${last!.size}&limit=1`)).body).toEqual({ items: [before] });
    expect((await system.admin('/audit/anchors', { scope: 'operator' })).status).toBe(403);
    expect((await system.admin('/audit/anchors?below=0')).status).toBe(400);
  });

  it('has them checked by verify, against the roots that are believed', async () => {
    const other = await startTsa();
    await other.stop();
    writeFileSync(join(dir, 'other.pem'), other.roots);
    const verify = (roots: string) => {
      const run = spawnSync(process.execPath, [CLI, 'verify', '--json', '--anchors', join(dir, roots)], {
        env: { PATH: process.env['PATH'] ?? '', GATEHOUSE_DATA_DIR: system.dataDir },
        encoding: 'utf8',
      });
      return JSON.parse(run.stdout) as { ok: boolean; anchors: number; reason: string | null };
    };
    const good = verify('roots.pem');
    expect(good).toMatchObject({ ok: true, reason: null });
    expect(good.anchors).toBeGreaterThanOrEqual(2);
    expect(verify('other.pem')).toMatchObject({ ok: false, reason: expect.stringMatching(/trusted root/) as string });
  });
});
