import { Agent, type Dispatcher, request } from 'undici';

export interface Credentials {
  publicUrl: string;
  adminUrl: string;
  /** PEM. */
  ca: string;
  apiKey: string;
  clientId: string;
  clientSecret: string;
  adminClientId: string;
  adminClientSecret: string;
}

export interface Reply {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  text: string;
  body: Record<string, unknown>;
}

interface Options {
  method?: Dispatcher.HttpMethod;
  headers?: Record<string, string>;
  body?: string | object;
  /** After so long the caller hangs up. */
  timeoutMs?: number;
}

const PATIENCE_MS = 20_000;
const CONNECTIONS = 256;

/** A bank's system and its administrator, as a drill plays them: plain HTTPS. */
export class Caller {
  readonly #agent: Agent;
  readonly #tokens = new Map<string, string>();

  constructor(readonly credentials: Credentials) {
    this.#agent = new Agent({
      connect: { ca: credentials.ca, timeout: 2_000 },
      connections: CONNECTIONS,
      pipelining: 1,
    });
  }

  async call(url: string, { method, headers, body, timeoutMs = PATIENCE_MS }: Options = {}): Promise<Reply> {
    const json = typeof body === 'object';
    const answer = await request(url, {
      dispatcher: this.#agent,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
      body: json ? JSON.stringify(body) : (body ?? null),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, body: parsed(text) };
  }

  /** Takes the tokens that calls under way then need: a drill measures the gateway's work, not that of its issuer. */
  async takeTokens(): Promise<void> {
    await this.token('public');
    await this.token('admin');
  }

  async v1(path: string, options: Options = {}): Promise<Reply> {
    const headers = { 'x-api-key': this.credentials.apiKey, authorization: `Bearer ${await this.token('public')}` };
    return this.call(`${this.credentials.publicUrl}/v1${path}`, {
      ...options,
      headers: { ...headers, ...options.headers },
    });
  }

  didit(path: string, options: Options = {}): Promise<Reply> {
    const headers = { 'x-api-key': this.credentials.apiKey, ...options.headers };
    return this.call(`${this.credentials.publicUrl}/didit/v3/${path}`, { ...options, headers });
  }

  async admin(path: string, options: Options = {}): Promise<Reply> {
    const headers = { authorization: `Bearer ${await this.token('admin')}`, ...options.headers };
    return this.call(`${this.credentials.adminUrl}/admin/v1${path}`, { ...options, headers });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  private async token(which: 'public' | 'admin'): Promise<string> {
    const known = this.#tokens.get(which);
    if (known !== undefined) return known;
    const { publicUrl, adminUrl, clientId, clientSecret, adminClientId, adminClientSecret } = this.credentials;
    const [url, id, secret] =
      which === 'public' ? [publicUrl, clientId, clientSecret] : [adminUrl, adminClientId, adminClientSecret];
    const answer = await this.call(`${url}/oauth/token`, {
      body: 'grant_type=client_credentials',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
      },
    });
    const token = answer.body['access_token'];
    if (typeof token !== 'string') throw new Error(`no token was issued (${answer.status})`);
    this.#tokens.set(which, token);
    return token;
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
