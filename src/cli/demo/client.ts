import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';

export interface Credentials {
  publicUrl: string;
  adminUrl: string;
  sandboxUrl: string;
  caFile: string;
  tokenUrl: string;
  apiKey: string;
  clientId: string;
  clientSecret: string;
  otherClient: { apiKey: string };
  adminTokenUrl: string;
  adminClientId: string;
  adminClientSecret: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Record<string, unknown>;
  text: string;
}

interface Options {
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Record<string, string>;
  body?: string | object;
}

export function readCredentials(dataDir: string): Credentials {
  return JSON.parse(readFileSync(join(dataDir, 'dev-credentials.json'), 'utf8')) as Credentials;
}

/** A bank's own system, and its administrator, as the story tells them: plain HTTPS calls. */
export class DemoClient {
  readonly #agent: Agent;
  #token = '';
  #adminToken = '';

  constructor(readonly credentials: Credentials) {
    this.#agent = new Agent({ connect: { ca: readFileSync(credentials.caFile) } });
  }

  async call(url: string, options: Options = {}): Promise<Answer> {
    const json = typeof options.body === 'object';
    const answer = await request(url, {
      dispatcher: this.#agent,
      method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
      headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...options.headers },
      body: json ? JSON.stringify(options.body) : ((options.body as string | undefined) ?? null),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, body: parsed(text) };
  }

  async takeTokens(): Promise<Answer> {
    const { tokenUrl, clientId, clientSecret, adminTokenUrl, adminClientId, adminClientSecret } = this.credentials;
    const mine = await this.token(tokenUrl, clientId, clientSecret);
    this.#token = String(mine.body['access_token']);
    this.#adminToken = String((await this.token(adminTokenUrl, adminClientId, adminClientSecret)).body['access_token']);
    return mine;
  }

  v1(path: string, body?: object): Promise<Answer> {
    return this.call(`${this.credentials.publicUrl}/v1${path}`, {
      headers: {
        'x-api-key': this.credentials.apiKey,
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'idempotency-key': crypto.randomUUID() }),
      },
      ...(body === undefined ? {} : { body }),
    });
  }

  admin(path: string): Promise<Answer> {
    return this.call(`${this.credentials.adminUrl}/admin/v1${path}`, {
      headers: { authorization: `Bearer ${this.#adminToken}` },
    });
  }

  sandbox(path: string, options: Options = {}): Promise<Answer> {
    return this.call(`${this.credentials.sandboxUrl}/_sandbox/${path}`, options);
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  private token(url: string, id: string, secret: string): Promise<Answer> {
    return this.call(url, {
      method: 'POST',
      body: 'grant_type=client_credentials',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
      },
    });
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
