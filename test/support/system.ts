import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Agent, type Dispatcher, request } from 'undici';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'main.js');
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

export interface ClientCredentials {
  apiKey: string;
  clientId: string;
  clientSecret: string;
}

/** `<data>/dev-credentials.json`. */
export interface DevCredentials extends ClientCredentials {
  publicUrl: string;
  adminUrl: string;
  sandboxUrl: string | null;
  caFile: string;
  pid: number;
  databaseUrl: string;
  appDatabaseUrl: string;
  tokenUrl: string;
  piiClient: ClientCredentials;
  otherClient: ClientCredentials;
  adminTokenUrl: string;
  adminClientId: string;
  adminClientSecret: string;
  secondAdmin: { clientId: string; clientSecret: string };
  opsToken: string;
  diditApiKey: string;
  diditWorkflowId: string;
  diditWebhookUrl: string;
  diditWebhookSecret: string;
}

export interface Answer<T = unknown> {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  text: string;
  /** The body as JSON; undefined when it is none. */
  body: T;
}

export interface CallOptions {
  method?: Dispatcher.HttpMethod;
  headers?: Record<string, string>;
  body?: string | Buffer | object | null;
}

/** A whole running gateway in a process of its own, with its embedded Postgres and sandbox, on free ports. */
export class System {
  readonly #agent: Agent;
  readonly #tokens = new Map<string, string>();

  constructor(
    readonly dataDir: string,
    readonly credentials: DevCredentials,
    readonly child: ChildProcess | undefined,
  ) {
    this.#agent = new Agent({ connect: { ca: readFileSync(credentials.caFile) }, connections: 64 });
  }

  get ca(): Buffer {
    return readFileSync(this.credentials.caFile);
  }

  /** One call over HTTPS; an object body is sent as JSON. */
  async call<T = Record<string, unknown>>(url: string, options: CallOptions = {}): Promise<Answer<T>> {
    const { body } = options;
    const json = body !== null && typeof body === 'object' && !Buffer.isBuffer(body);
    const answer = await request(url, {
      dispatcher: this.#agent,
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...options.headers },
      body: json ? JSON.stringify(body) : (body ?? null),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, body: parse(text) as T };
  }

  /** A token of the public issuer (kept for the next caller). */
  token(
    client: Pick<ClientCredentials, 'clientId' | 'clientSecret'> = this.credentials,
    scope?: string,
  ): Promise<string> {
    return this.issue(this.credentials.tokenUrl, client.clientId, client.clientSecret, scope);
  }

  /** A token of the admin issuer; `scope` narrows the roles. */
  adminToken(scope?: string): Promise<string> {
    return this.issue(
      this.credentials.adminTokenUrl,
      this.credentials.adminClientId,
      this.credentials.adminClientSecret,
      scope,
    );
  }

  /** A call on /v1 with key and token; writes get a fresh Idempotency-Key unless one is given. */
  async v1<T = Record<string, unknown>>(
    path: string,
    options: CallOptions = {},
    client: ClientCredentials = this.credentials,
  ): Promise<Answer<T>> {
    const write = options.body !== undefined || options.method === 'POST';
    return this.call<T>(`${this.credentials.publicUrl}${path}`, {
      ...options,
      headers: {
        'x-api-key': client.apiKey,
        authorization: `Bearer ${await this.token(client)}`,
        ...(write ? { 'idempotency-key': crypto.randomUUID() } : {}),
        ...options.headers,
      },
    });
  }

  /** A drop-in call with the key alone. */
  didit<T = Record<string, unknown>>(
    path: string,
    options: CallOptions = {},
    client: ClientCredentials = this.credentials,
  ): Promise<Answer<T>> {
    return this.call<T>(`${this.credentials.publicUrl}/didit/v3/${path}`, {
      ...options,
      headers: { 'x-api-key': client.apiKey, ...options.headers },
    });
  }

  async admin<T = Record<string, unknown>>(
    path: string,
    options: CallOptions & { scope?: string } = {},
  ): Promise<Answer<T>> {
    return this.call<T>(`${this.credentials.adminUrl}/admin/v1${path}`, {
      ...options,
      headers: { authorization: `Bearer ${await this.adminToken(options.scope)}`, ...options.headers },
    });
  }

  sandbox<T = Record<string, unknown>>(path: string, options: CallOptions = {}): Promise<Answer<T>> {
    return this.call<T>(`${this.credentials.sandboxUrl}/_sandbox/${path}`, options);
  }

  /** An orderly stop; the data folder stays unless `remove`. */
  async stop(remove = true): Promise<void> {
    await this.#agent.close();
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) {
      const gone = new Promise<void>((resolve) => this.child?.once('exit', () => resolve()));
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await gone;
      clearTimeout(timer);
    }
    if (remove) rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** `kill -9` of the gateway alone; its Postgres and sandbox stay, as after a crash. */
  async kill(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.child?.once('exit', () => resolve()));
    this.child?.kill('SIGKILL');
    await gone;
    await this.#agent.destroy();
  }

  private async issue(url: string, id: string, secret: string, scope?: string): Promise<string> {
    const key = `${url} ${id} ${scope ?? ''}`;
    const known = this.#tokens.get(key);
    if (known) return known;
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
    const answer = await this.call<{ access_token: string }>(url, {
      body: form.toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
      },
    });
    if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text}`);
    this.#tokens.set(key, answer.body.access_token);
    return answer.body.access_token;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface StartOptions {
  /** Reuse of a data folder: a restart. */
  dataDir?: string;
  env?: Record<string, string>;
  /** Text of gatehouse.yaml. */
  yaml?: string;
  /** Without its log. */
  quiet?: boolean;
}

/** Limits high enough that a busy suite never meets them; suites about limits start their own system. */
export const WIDE_RATES = `
policy:
  rates: { client: 1000000/min, key: 1000000/min, address: 1000000/min, anonymous: 1000000/min }
`;
export const WIDE_BUDGET = 'budget: { writes: 1000000/min, reads: 1000000/min, pdfs: 1000000/min }';
export const WIDE_LIMITS = `${WIDE_RATES}
vendors: { didit: { ${WIDE_BUDGET} } }
`;

export async function startSystem(options: StartOptions = {}): Promise<System> {
  const dataDir = options.dataDir ?? enterable(mkdtempSync(join(tmpdir(), 'gatehouse-test-')));
  const file = join(dataDir, 'gatehouse.yaml');
  writeFileSync(file, options.yaml ?? WIDE_LIMITS);
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      GATEHOUSE_CONFIG: file,
      GATEHOUSE_DATA_DIR: dataDir,
      GATEHOUSE_PUBLIC_PORT: '0',
      GATEHOUSE_ADMIN_PORT: '0',
      GATEHOUSE_SANDBOX_PORT: '0',
      GATEHOUSE_LOG_LEVEL: 'warn',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', options.quiet === true ? 'ignore' : 'inherit'],
  });
  await readyLine(child);
  const system = new System(dataDir, readCredentials(dataDir), child);
  // The vendor's own limits of calls a minute are a test of their own; a suite's calls together would meet them by chance.
  if (system.credentials.sandboxUrl !== null) await system.sandbox('configure', { body: { rateLimits: 'off' } });
  return system;
}

/** Lets the unprivileged user of a root's Postgres pass, so that the cluster lies inside and goes with the folder. */
function enterable(dir: string): string {
  chmodSync(dir, 0o711);
  return dir;
}

function readCredentials(dataDir: string): DevCredentials {
  return JSON.parse(readFileSync(join(dataDir, 'dev-credentials.json'), 'utf8')) as DevCredentials;
}

/** Waits for the line that says the start has ended. */
export function readyLine(child: ChildProcess): Promise<{ publicUrl: string; adminUrl: string }> {
  const { stdout } = child;
  if (!stdout) throw new Error('the output must be piped');
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error('the gateway did not start in time'));
    }, START_TIMEOUT_MS);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the gateway ended with ${code} before it was ready`));
    });
    createInterface({ input: stdout }).on('line', (line) => {
      if (!line.startsWith('{"event":"ready"')) return;
      clearTimeout(timer);
      resolve(JSON.parse(line) as { publicUrl: string; adminUrl: string });
    });
  });
}

/** Asks again until the answer pleases: a condition in place of a sleep. @throws after `withinMs`. */
export async function until<T>(ask: () => Promise<T | undefined | false>, withinMs = 15_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error('the condition did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
