import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Agent, request } from 'undici';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/index.js';
import { sharedSystem } from '../support/shared.js';
import { readyLine } from '../support/system.js';

const DIST = join(import.meta.dirname, '..', '..', 'dist', 'src');
const shared = sharedSystem();

interface Bootstrap {
  tokenUrl: string;
  apiKey: string;
  clientId: string;
  clientSecret: string;
  adminClientId: string;
  adminClientSecret: string;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** As the compose file starts them: bootstrap first, then two gateways that share the database, the keys and the address before them. */
describe('two instances on one database', () => {
  let dir: string;
  let postgres: EmbeddedPostgres;
  let children: ChildProcess[] = [];
  let origins: string[] = [];
  let secrets: Bootstrap;
  let env: Record<string, string>;
  const agent = new Agent({ connect: { rejectUnauthorized: false } });

  const cli = (...args: string[]) =>
    spawnSync(process.execPath, [join(DIST, 'cli', 'main.js'), ...args], { env, encoding: 'utf8' });

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'gatehouse-two-'));
    chmodSync(dir, 0o711);
    postgres = await startEmbeddedPostgres({ dataDir: join(dir, 'pg'), durable: false, stopWithParent: true });
    const { diditApiKey, diditWebhookSecret, diditWorkflowId, sandboxUrl, caFile } = shared.credentials;
    env = { PATH: process.env['PATH'] ?? '', GATEHOUSE_DATA_DIR: join(dir, 'keys') };
    expect(cli('keygen', join(dir, 'keys')).status).toBe(0);
    const publicUrl = `https://localhost:${await freePort()}`;
    env = {
      ...env,
      DATABASE_URL: postgres.superuserUrl,
      DIDIT_BASE_URL: sandboxUrl ?? '',
      DIDIT_API_KEY: diditApiKey,
      DIDIT_WEBHOOK_SECRET: diditWebhookSecret,
      DIDIT_WORKFLOW_ID: diditWorkflowId,
      DIDIT_CA_FILE: caFile,
      GATEHOUSE_MASTER_KEY_FILE: join(dir, 'keys', 'master.key'),
      GATEHOUSE_LOG_KEY_FILE: join(dir, 'keys', 'log.key'),
      GATEHOUSE_PUBLIC_URL: publicUrl,
      GATEHOUSE_ADMIN_URL: 'https://localhost:9443',
      GATEHOUSE_PUBLIC_PORT: '0',
      GATEHOUSE_ADMIN_PORT: '0',
      GATEHOUSE_LOG_LEVEL: 'warn',
    };
    const made = cli('bootstrap', '--json');
    expect(made.stderr).toBe('');
    secrets = JSON.parse(made.stdout.trim().split('\n').at(-1) ?? '') as Bootstrap;
    children = ['a', 'b'].map((name) =>
      spawn(process.execPath, [join(DIST, 'main.js')], {
        env: { ...env, GATEHOUSE_DATA_DIR: join(dir, name) },
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    origins = (await Promise.all(children.map((child) => readyLine(child)))).map((ready) => ready.publicUrl);
  });

  afterAll(async () => {
    for (const child of children) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    }
    await agent.close();
    await postgres.stop({ remove: true });
    rmSync(dir, { recursive: true, force: true });
  });

  const call = async (port: number, path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await request(`https://localhost:${port}${path}`, {
      dispatcher: agent,
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
  };

  it('serve one client with one log, and take each other’s tokens', async () => {
    // The announced address is the balancer's, so the instances are reached by the ports that they really hold.
    const ports = children.map((child) => listeningPort(child.pid ?? 0));
    expect(new Set(origins).size).toBe(1);
    const token = await request(`https://localhost:${ports[0]}/oauth/token`, {
      dispatcher: agent,
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${secrets.clientId}:${secrets.clientSecret}`).toString('base64')}`,
      },
      body: 'grant_type=client_credentials',
    });
    const { access_token: bearer } = (await token.body.json()) as { access_token: string };
    const headers = { 'x-api-key': secrets.apiKey, authorization: `Bearer ${bearer}` };
    const key = crypto.randomUUID();
    const body = { workflow: 'onboarding', subject: { reference: 'two-instances', relationship: 'customer' } };
    const created = await call(ports[0] ?? 0, '/v1/verifications', body, { ...headers, 'idempotency-key': key });
    expect(created.status).toBe(201);
    const elsewhere = await call(ports[1] ?? 0, `/v1/verifications/${String(created.body['id'])}`, undefined, headers);
    expect(elsewhere.status).toBe(200);
    const again = await call(ports[1] ?? 0, '/v1/verifications', body, { ...headers, 'idempotency-key': key });
    expect(again.body).toEqual(created.body);
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        call(ports[n % 2] ?? 0, `/v1/verifications/${String(created.body['id'])}`, undefined, headers),
      ),
    );
    const verdict = JSON.parse(cli('verify', '--json').stdout.trim().split('\n').at(-1) ?? '{}') as {
      ok: boolean;
      size: number;
    };
    expect(verdict.ok).toBe(true);
  });

  it('makes no default credential and runs as the role that can change nothing', async () => {
    const second = cli('bootstrap', '--json');
    expect(second.status).not.toBe(0);
    expect(second.stderr).toContain('administrator');
  });
});

/** The public listener is the first that a process opens. */
function listeningPort(pid: number): number {
  const run = spawnSync('sh', ['-c', `ls -l /proc/${pid}/fd | grep -o 'socket:\\[[0-9]*\\]' | tr -dc '0-9\\n'`], {
    encoding: 'utf8',
  });
  const inodes = new Set(run.stdout.split('\n').filter(Boolean));
  const rows = spawnSync('cat', ['/proc/net/tcp'], { encoding: 'utf8' }).stdout.split('\n').slice(1);
  const listening = rows
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
    .map((fields) => ({ port: Number.parseInt((fields[1] ?? '').split(':')[1] ?? '0', 16), inode: Number(fields[9]) }));
  return listening.sort((a, b) => a.inode - b.inode)[0]?.port ?? 0;
}
