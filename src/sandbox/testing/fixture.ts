import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { Agent, request, type FormData as UndiciFormData } from 'undici';
import { startSandbox } from '../server.js';
import type { SandboxSettings } from '../settings.js';

/** A certificate authority and a certificate of it for this machine, as files in a folder of its own. */
export interface Pki {
  readonly dir: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  remove(): void;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export const makePki = async (): Promise<Pki> => {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) };
  const authority = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: 'CN=Sandbox test authority',
    keys: authority,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const cert = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: 'CN=localhost',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  const dir = mkdtempSync(join(tmpdir(), 'sandbox-spec-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 });
    return join(dir, name);
  };
  return {
    dir,
    certFile: file('cert.pem', cert.toString('pem')),
    keyFile: file('key.pem', key),
    caFile: file('ca.pem', ca.toString('pem')),
    ca: ca.toString('pem'),
    cert: cert.toString('pem'),
    key,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
};

export const workflowId = '3f2a9c1e-7d44-4b8a-9a53-5f0e6d1c2b3a';

export const settingsFor = (pki: Pki, more: Partial<SandboxSettings> = {}): SandboxSettings => ({
  host: '127.0.0.1',
  port: 0,
  tls: { certFile: pki.certFile, keyFile: pki.keyFile, caFile: pki.caFile },
  apiKey: 'sk_test_spec-key-0000000000000000000000000000000000',
  workflowId,
  webhookSecret: 'spec-webhook-secret-000000000000000000000000',
  webhookUrl: null,
  ...more,
});

export interface Received {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly raw: Buffer;
  /** As JSON; undefined where it is none. */
  readonly body: unknown;
}

/** A receiver of webhooks over HTTPS. */
export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What it answers next; the last stays. */
  answers: (number | 'hang')[];
  /** Waits until it has received so many. */
  until(count: number): Promise<readonly Received[]>;
  close(): Promise<void>;
}

const startReceiver = async (pki: Pki): Promise<Receiver> => {
  const received: Received[] = [];
  let notify = (): void => undefined;
  const receiver = { answers: [200] as (number | 'hang')[] };
  const server: Server = createServer({ cert: pki.cert, key: pki.key }, (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const raw = Buffer.concat(chunks);
      received.push({ headers: incoming.headers, raw, body: jsonOf(raw.toString('utf8')) });
      const answer = receiver.answers.length > 1 ? receiver.answers.shift() : receiver.answers[0];
      if (answer !== 'hang') outgoing.writeHead(answer ?? 200).end();
      notify();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return Object.assign(receiver, {
    url: `https://127.0.0.1:${address.port}/webhooks/didit`,
    received,
    until: async (count: number) => {
      while (received.length < count) await new Promise<void>((resolve) => (notify = resolve));
      return received;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
};

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly json: unknown;
  /** A member of that JSON by its path: `at('results.0.status')`. */
  at(path: string): unknown;
}

interface Asked {
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly form?: UndiciFormData;
  readonly key?: string | null;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Client {
  (method: Method, path: string, asked?: Asked): Promise<Reply>;
  close(): Promise<void>;
}

/** Calls a sandbox with its API key, trusting the test's authority. */
export const clientOf = (url: string, pki: Pki, settings: SandboxSettings): Client => {
  const agent = new Agent({ connect: { ca: pki.ca } });
  const call = async (method: Method, path: string, asked: Asked = {}): Promise<Reply> => {
    const key = asked.key === undefined ? settings.apiKey : asked.key;
    const sent = typeof asked.body === 'string' ? asked.body : JSON.stringify(asked.body);
    const answer = await request(`${url}${path}`, {
      method,
      dispatcher: agent,
      headers: {
        ...(key === null ? {} : { 'x-api-key': key }),
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...asked.headers,
      },
      ...(asked.form === undefined ? {} : { body: asked.form }),
      ...(sent === undefined ? {} : { body: sent }),
    });
    const text = await answer.body.text();
    const body = jsonOf(text);
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text,
      json: body,
      at: (member) => memberOf(body, member),
    };
  };
  return Object.assign(call, { close: () => agent.destroy() });
};

const memberOf = (body: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
      body,
    );

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** A running sandbox with whoever talks to it. */
export interface Bench {
  readonly pki: Pki;
  readonly settings: SandboxSettings;
  readonly url: string;
  readonly receiver: Receiver;
  readonly call: Client;
  /** Creates a session and gives its id. */
  create(more?: Record<string, unknown>): Promise<string>;
  finish(id: string, status: string, scenario?: string): Promise<Reply>;
  close(): Promise<void>;
}

export const openBench = async (more: Partial<SandboxSettings> = {}): Promise<Bench> => {
  const pki = await makePki();
  const receiver = await startReceiver(pki);
  const settings = settingsFor(pki, { webhookUrl: receiver.url, ...more });
  const sandbox = await startSandbox(settings);
  const call = clientOf(sandbox.url, pki, settings);
  return {
    pki,
    settings,
    url: sandbox.url,
    receiver,
    call,
    create: async (extra = {}) => {
      const reply = await call('POST', '/v3/session/', { body: { workflow_id: workflowId, ...extra } });
      if (reply.status !== 201) throw new Error(`no session: ${reply.status} ${reply.text}`);
      return String(reply.at('session_id'));
    },
    finish: (id, status, scenario) =>
      call('POST', `/_sandbox/sessions/${id}/finish`, {
        body: scenario === undefined ? { status } : { status, scenario },
      }),
    close: async () => {
      await call.close();
      await sandbox.close();
      await receiver.close();
      pki.remove();
    },
  };
};
