import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, type Dispatcher, request } from 'undici';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/platform/index.js';
import { type DevCredentials, readyLine, WIDE_LIMITS } from './system.js';

const DIST = join(import.meta.dirname, '..', '..', 'dist', 'src');

interface Bootstrap {
  apiKey: string;
  clientId: string;
  clientSecret: string;
}

interface Reply {
  status: number;
  body: Record<string, unknown>;
}

interface Options {
  method?: Dispatcher.HttpMethod;
  headers?: Record<string, string>;
  body?: object | string;
}

/** One of the gateways, in a process of its own. */
export class Member {
  #child: ChildProcess | undefined;

  constructor(
    readonly port: number,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  async start(): Promise<void> {
    this.#child = spawn(process.execPath, [join(DIST, 'main.js')], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await readyLine(this.#child);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }
}

/** As the compose file has it: bootstrap first, then two gateways that share the database, the keys and the address before them. */
export class Pair {
  readonly #agent = new Agent({ connect: { rejectUnauthorized: false } });
  readonly #tokens = new Map<number, string>();

  private constructor(
    private readonly dir: string,
    private readonly postgres: EmbeddedPostgres,
    private readonly env: NodeJS.ProcessEnv,
    private readonly secrets: Bootstrap,
    readonly members: readonly [Member, Member],
  ) {}

  /** @param vendor whose sandbox is the vendor of these, too */
  static async open(vendor: DevCredentials, yaml = WIDE_LIMITS): Promise<Pair> {
    const dir = mkdtempSync(join(tmpdir(), 'gatehouse-two-'));
    chmodSync(dir, 0o711);
    const postgres = await startEmbeddedPostgres({ dataDir: join(dir, 'pg'), durable: false, stopWithParent: true });
    const keys = join(dir, 'keys');
    const file = join(dir, 'gatehouse.yaml');
    writeFileSync(file, yaml);
    const env: NodeJS.ProcessEnv = {
      PATH: process.env['PATH'] ?? '',
      GATEHOUSE_CONFIG: file,
      GATEHOUSE_DATA_DIR: keys,
      DATABASE_URL: postgres.superuserUrl,
      DIDIT_BASE_URL: vendor.sandboxUrl ?? '',
      DIDIT_API_KEY: vendor.diditApiKey,
      DIDIT_WEBHOOK_SECRET: vendor.diditWebhookSecret,
      DIDIT_WORKFLOW_ID: vendor.diditWorkflowId,
      DIDIT_CA_FILE: vendor.caFile,
      GATEHOUSE_MASTER_KEY_FILE: join(keys, 'master.key'),
      GATEHOUSE_LOG_KEY_FILE: join(keys, 'log.key'),
      GATEHOUSE_PUBLIC_URL: `https://localhost:${await freePort()}`,
      GATEHOUSE_ADMIN_URL: 'https://localhost:9443',
      GATEHOUSE_ADMIN_PORT: '0',
      GATEHOUSE_LOG_LEVEL: 'warn',
    };
    cli(env, 'keygen', keys);
    const made = cli(env, 'bootstrap', '--json');
    const secrets = JSON.parse(made.stdout.trim().split('\n').at(-1) ?? '') as Bootstrap;
    const member = async (name: string): Promise<Member> => {
      const port = await freePort();
      const own = { GATEHOUSE_DATA_DIR: join(dir, name), GATEHOUSE_PUBLIC_PORT: String(port) };
      return new Member(port, { ...env, ...own });
    };
    return new Pair(dir, postgres, env, secrets, [await member('a'), await member('b')]);
  }

  get databaseUrl(): string {
    return this.postgres.superuserUrl;
  }

  /** A call of the one client by that member. */
  async v1({ port }: Member, path: string, { method, headers, body }: Options = {}): Promise<Reply> {
    return this.call(port, `/v1${path}`, {
      ...(method === undefined ? {} : { method }),
      ...(body === undefined ? {} : { body }),
      headers: {
        'x-api-key': this.secrets.apiKey,
        authorization: `Bearer ${await this.token(port)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    });
  }

  cli(...args: string[]) {
    return cli(this.env, ...args);
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.end('SIGTERM')));
    await this.#agent.close();
    await this.postgres.stop({ remove: true });
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Whichever member issues it, all take it. */
  private async token(port: number): Promise<string> {
    const [known] = this.#tokens.values();
    if (known !== undefined) return known;
    const { clientId, clientSecret } = this.secrets;
    const { body } = await this.call(port, '/oauth/token', {
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      },
      body: 'grant_type=client_credentials',
    });
    const token = String(body['access_token']);
    this.#tokens.set(port, token);
    return token;
  }

  private async call(port: number, path: string, { method, headers, body }: Options): Promise<Reply> {
    const answer = await request(`https://localhost:${port}${path}`, {
      dispatcher: this.#agent,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: headers ?? {},
      body: typeof body === 'object' ? JSON.stringify(body) : (body ?? null),
    });
    return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
  }
}

function cli(env: NodeJS.ProcessEnv, ...args: string[]) {
  return spawnSync(process.execPath, [join(DIST, 'cli', 'main.js'), ...args], { env, encoding: 'utf8' });
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
  await new Promise((resolve) => server.close(resolve));
  return port;
}
