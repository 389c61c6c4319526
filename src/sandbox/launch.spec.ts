import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchSandbox, type LaunchedSandbox, type LaunchOptions } from './launch.js';
import { clientOf, makePki, settingsFor, type Pki } from './testing/fixture.js';

let pki: Pki;
let running: LaunchedSandbox | undefined;
beforeAll(async () => {
  pki = await makePki();
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
});
afterAll(() => pki.remove());

/** Lets Node.js run the sources as they are: their imports name the files that the compiler would make. */
const sources = `data:text/javascript,import { registerHooks } from 'node:module';
registerHooks({ resolve(specifier, context, next) {
  try { return next(specifier, context); }
  catch (error) { if (!specifier.endsWith('.js')) throw error; return next(specifier.slice(0, -3) + '.ts', context); }
} });`.replaceAll('\n', ' ');

const options = (more: Partial<LaunchOptions['settings']> = {}): LaunchOptions => ({
  settings: settingsFor(pki, more),
  settingsFile: join(pki.dir, 'settings.json'),
  stateFile: join(pki.dir, 'state.json'),
  entry: join(import.meta.dirname, 'main.ts'),
  execArgv: ['--import', sources],
});

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const webhookUrlOf = async (sandbox: LaunchedSandbox): Promise<unknown> => {
  const call = clientOf(sandbox.url, pki, settingsFor(pki));
  try {
    return (await call('GET', '/_sandbox/health')).at('webhookUrl');
  } finally {
    await call.close();
  }
};

describe('launchSandbox', () => {
  it('starts a process of its own that tells where it is, and stops it', async () => {
    running = await launchSandbox(options());
    const state: unknown = JSON.parse(readFileSync(join(pki.dir, 'state.json'), 'utf8'));
    expect(state).toMatchObject({ pid: running.pid, url: running.url, port: running.port });
    expect(running.pid).not.toBe(process.pid);
    expect(statSync(join(pki.dir, 'settings.json')).mode & 0o777).toBe(0o600);
    await running.stop();
    expect(existsSync(join(pki.dir, 'state.json'))).toBe(false);
    await expect(webhookUrlOf(running)).rejects.toThrow();
    await running.stop();
  });

  it('adopts the one that runs, and turns its webhooks to the new address', async () => {
    const first = await launchSandbox(options());
    running = await launchSandbox(options({ webhookUrl: 'https://127.0.0.1:1/new' }));
    expect([running.adopted, running.pid, running.url]).toEqual([true, first.pid, first.url]);
    expect(await webhookUrlOf(running)).toBe('https://127.0.0.1:1/new');
  });

  it('outlives whoever launched it, however that ended', async () => {
    const script = `import { launchSandbox } from ${JSON.stringify(join(import.meta.dirname, 'launch.ts'))};
      await launchSandbox(${JSON.stringify(options())}); console.log('up'); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--import', sources, '--input-type=module', '-e', script]);
    await once(parent.stdout, 'data');
    parent.kill('SIGKILL');
    await once(parent, 'close');
    running = await launchSandbox(options());
    expect(running.adopted).toBe(true);
  });

  it('replaces one with other secrets', async () => {
    const first = await launchSandbox(options());
    running = await launchSandbox(options({ webhookSecret: 'another-secret' }));
    expect([running.adopted, running.pid === first.pid]).toEqual([false, false]);
  });

  it('is not misled by a pid that is somebody else’s now', async () => {
    const stranger = { pid: process.pid, port: 9, url: 'https://127.0.0.1:9', startedAt: new Date().toISOString() };
    writeFileSync(join(pki.dir, 'state.json'), JSON.stringify(stranger));
    running = await launchSandbox(options());
    expect(running.adopted).toBe(false);
    expect(isAlive(process.pid)).toBe(true);
  });

  it('says why it could not start', async () => {
    const wrong = options({ tls: { certFile: '/no/such.pem', keyFile: pki.keyFile, caFile: pki.caFile } });
    await expect(launchSandbox(wrong)).rejects.toThrow(/did not start \(exit 1\): sandbox: ENOENT.*no\/such\.pem/);
    await expect(launchSandbox(options({ workflowId: 'x' }))).rejects.toThrow('sandbox settings: workflowId');
  });
});
