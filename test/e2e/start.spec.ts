import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'main.js');

function failedStart(env: Record<string, string>): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) => child.once('exit', (code) => resolve({ code, said })));
}

describe('a start that cannot work says why in one message and exits non-zero', () => {
  const vendor = {
    DIDIT_BASE_URL: 'https://vendor.invalid',
    DIDIT_API_KEY: 'hunter2-key',
    DIDIT_WEBHOOK_SECRET: 'hunter2-secret',
  };

  it.each<[string, Record<string, string>]>([
    ['GATEHOUSE_PUBLIC_PORT', { GATEHOUSE_PUBLIC_PORT: 'hunter2' }],
    ['DIDIT_BASE_URL', { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x' }],
    ['GATEHOUSE_MASTER_KEY_FILE', { DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x', ...vendor }],
    ['OIDC_AUDIENCE', { OIDC_ISSUER: 'https://issuer.invalid' }],
    ['GATEHOUSE_CONFIG', { GATEHOUSE_CONFIG: '/nowhere/gatehouse.yaml' }],
  ])('naming %s', async (setting, env) => {
    const { code, said } = await failedStart(env);
    expect(code).toBe(1);
    expect(said).toContain(setting);
    expect(said).not.toContain('hunter2');
    expect(said.trim().split('\n')).toHaveLength(1);
  });

  it('naming the master key file when it is no key, and DATABASE_URL when nothing answers there', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'gatehouse-start-'));
    try {
      const [master, log] = [join(dir, 'master.key'), join(dir, 'log.key')];
      writeFileSync(master, 'hunter2', { mode: 0o600 });
      writeFileSync(log, 'hunter2', { mode: 0o600 });
      const env = {
        DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x',
        ...vendor,
        GATEHOUSE_DATA_DIR: join(dir, 'data'),
        GATEHOUSE_MASTER_KEY_FILE: master,
        GATEHOUSE_LOG_KEY_FILE: log,
        GATEHOUSE_PUBLIC_PORT: '0',
        GATEHOUSE_ADMIN_PORT: '0',
      };
      const badKey = await failedStart(env);
      expect(badKey.said).toContain('GATEHOUSE_MASTER_KEY_FILE');
      expect(badKey.said).not.toContain('hunter2');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
