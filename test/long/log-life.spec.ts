import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyReceipt } from '../../src/audit/index.js';
import { startSystem, type System, until, WIDE_LIMITS } from '../support/system.js';

const DIST = join(import.meta.dirname, '..', '..', 'dist', 'src');
const RENAMED = 'gatehouse.local/log-after-restore';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

/** A call of a client, with the receipt that it may keep. */
async function receipt(reference: string): Promise<string> {
  const created = await system.v1<{ id: string }>('/v1/verifications', {
    body: { workflow: 'onboarding', subject: { reference, relationship: 'customer' } },
  });
  expect(created.status).toBe(201);
  return until(async () => {
    const { body } = await system.v1<{ items: { proof: string }[] }>(`/v1/verifications/${created.body.id}/receipts`);
    return body.items[0]?.proof;
  });
}

async function keys(): Promise<string[]> {
  const headers = { authorization: `Bearer ${system.credentials.opsToken}` };
  return (await system.call(`${system.credentials.adminUrl}/log/keys`, { headers })).text.split('\n').filter(Boolean);
}

function gatehouse(args: string[], env: Record<string, string> = {}): { code: number; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(DIST, 'cli', 'main.js'), ...args], {
    env: { PATH: process.env['PATH'] ?? '', GATEHOUSE_DATA_DIR: system.dataDir, ...env },
    encoding: 'utf8',
  });
  return { code: status ?? -1, out: stdout.trim(), err: stderr.trim() };
}

async function restart(env: Record<string, string> = {}, yaml = WIDE_LIMITS): Promise<void> {
  await system.stop(false);
  system = await startSystem({ dataDir: system.dataDir, env, yaml });
}

describe('the key of the log', () => {
  it('is rotated with an overlap, and whoever knows either key can check', async () => {
    const { dataDir } = system;
    const [oldReceipt, [oldKey = '']] = [await receipt('before'), await keys()];
    const next = join(dataDir, 'next.key');
    writeFileSync(next, generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }), {
      mode: 0o600,
    });
    await restart({ GATEHOUSE_LOG_KEY_FILE: next, GATEHOUSE_PREVIOUS_LOG_KEY_FILE: join(dataDir, 'log.key') });
    const [during, both] = [await receipt('during'), await keys()];
    const newKey = both.find((key) => key !== oldKey) ?? '';
    expect(both).toHaveLength(2);
    for (const key of both) expect(verifyReceipt(during, [key]).key).toBe(key);
    await restart({ GATEHOUSE_LOG_KEY_FILE: next });
    const after = await receipt('after');
    expect(verifyReceipt(after, [newKey]).key).toBe(newKey);
    expect(() => verifyReceipt(after, [oldKey])).toThrow(TypeError);
    expect(verifyReceipt(oldReceipt, [oldKey]).key).toBe(oldKey);
    // The new key alone is believed; the records of the log tell the old one.
    const verdict = gatehouse(['verify', '--json', '--key', newKey]);
    expect(JSON.parse(verdict.out)).toMatchObject({ ok: true });
    expect(gatehouse(['verify', '--key', oldKey]).code).toBe(1);
  });
});

describe('a restore to an earlier point', () => {
  it('is noticed at the start; under a new name the log goes on, and old receipts stay good', async () => {
    const { dataDir } = system;
    const cluster = join(dataDir, 'postgres');
    const backup = join(dataDir, 'backup');
    const [vkeys, kept] = [await keys(), await receipt('kept')];
    await system.stop(false);
    expect(existsSync(cluster)).toBe(true);
    copy(cluster, backup);
    system = await startSystem({ dataDir });
    const lost = await receipt('lost');
    await system.stop(false);
    rmSync(cluster, { recursive: true });
    copy(backup, cluster);

    const refused = await failedStart(dataDir);
    expect(refused).toContain('audit.origin');
    expect(refused).toContain('shorter than it was when it was signed');
    expect(gatehouse(['verify']).code).toBe(1);

    expect(gatehouse(['new-origin', 'Not A Name', '--reason', 'restore']).code).toBe(1);
    const begun = gatehouse(['new-origin', RENAMED, '--reason', 'restored from a backup']);
    expect(begun).toMatchObject({ code: 0, err: '' });
    system = await startSystem({ dataDir, yaml: `${WIDE_LIMITS}\naudit: { origin: ${RENAMED} }\n` });
    const fresh = await receipt('fresh');
    const proven = verifyReceipt(fresh, await keys());
    expect(proven.origin).toBe(RENAMED);
    for (const old of [kept, lost]) expect(verifyReceipt(old, vkeys).origin).toBe('gatehouse.local/log');
    const { body } = await system.admin<{ items: { record: { detail: object } }[] }>('/audit/records?kind=log.origin');
    expect(body.items.map(({ record }) => record.detail)).toEqual([
      expect.objectContaining({ previous: 'gatehouse.local/log', reason: 'restored from a backup' }),
    ]);
    const config = join(dataDir, 'gatehouse.yaml');
    expect(gatehouse(['verify'], { GATEHOUSE_CONFIG: config })).toMatchObject({ code: 0 });
  });
});

/** With its owners and modes, which PostgreSQL insists on. */
function copy(from: string, to: string): void {
  expect(spawnSync('cp', ['-a', from, to]).status).toBe(0);
}

function failedStart(dataDir: string): Promise<string> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    GATEHOUSE_DATA_DIR: dataDir,
    GATEHOUSE_PUBLIC_PORT: '0',
    GATEHOUSE_ADMIN_PORT: '0',
    GATEHOUSE_SANDBOX_PORT: '0',
  };
  const child = spawn(process.execPath, [join(DIST, 'main.js')], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => (code === 1 ? resolve(said) : reject(new Error(`ended with ${code}`))));
  });
}
