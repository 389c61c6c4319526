import { createPrivateKey, webcrypto } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer, type SecureVersion, type TlsOptions, type TLSSocket } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import * as x509 from '@peculiar/x509';
import { ensureDevelopmentCertificates } from '../../../platform/index.js';
import type { ShippedLine } from '../sink.js';

/** Files of one receiver's side and one sender's. */
export interface SpecCertificates {
  caFile: string;
  certFile: string;
  keyFile: string;
  /** The sender's own, which signs itself. */
  clientCertFile: string;
  clientKeyFile: string;
  /** An authority that has signed nothing here. */
  otherCaFile: string;
  remove(): void;
}

export async function specCertificates(): Promise<SpecCertificates> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-siem-'));
  const server = await ensureDevelopmentCertificates(join(dir, 'server'), []);
  const other = await ensureDevelopmentCertificates(join(dir, 'other'), []);
  const client = await selfSigned('CN=gatehouse.example');
  const clientCertFile = join(dir, 'client.pem');
  const clientKeyFile = join(dir, 'client.key');
  writeFileSync(clientCertFile, client.certificate);
  writeFileSync(clientKeyFile, client.key, { mode: 0o600 });
  return {
    caFile: server.caFile,
    certFile: server.certFile,
    keyFile: server.keyFile,
    clientCertFile,
    clientKeyFile,
    otherCaFile: other.caFile,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

async function selfSigned(name: string): Promise<{ certificate: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 86_400_000),
    extensions: [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' });
  return { certificate: certificate.toString('pem'), key: key.toString() };
}

/** One request as it arrived, its body as text after decompression. */
export interface Arrived {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface SaidBack {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Cuts the connection instead of an answer. */
  cut?: boolean;
}

export interface HttpFake {
  url: string;
  arrived: Arrived[];
  stop(): Promise<void>;
}

export interface FakeOptions {
  /** File of the only certificate that it takes from senders; it asks for none without it. */
  clientCa?: string;
  /** Unset: an address that its certificate is for. */
  host?: string;
  /** Speaks nothing better. */
  maxVersion?: SecureVersion;
}

/** Of the loopback, and in no certificate of the specs. */
export const UNNAMED_HOST = '127.0.0.2';

/** A receiver over HTTPS on the loopback. */
export async function httpFake(
  files: Pick<SpecCertificates, 'certFile' | 'keyFile'>,
  answer: (arrived: Arrived, n: number) => SaidBack | Promise<SaidBack>,
  options: FakeOptions = {},
): Promise<HttpFake> {
  const arrived: Arrived[] = [];
  const say = async (one: Arrived, response: ServerResponse): Promise<void> => {
    const { status, headers, body, cut } = await answer(one, arrived.length);
    if (cut) response.socket?.destroy();
    else response.writeHead(status ?? 200, headers).end(body ?? '');
  };
  const server: HttpsServer = createHttpsServer(secured(files, options), (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const raw = Buffer.concat(parts);
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
      const one = { path: request.url ?? '', headers: request.headers, body: text };
      arrived.push(one);
      void say(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, options.host ?? '127.0.0.1', resolve));
  return {
    url: `https://${options.host ?? '127.0.0.1'}:${(server.address() as AddressInfo).port}`,
    arrived,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface TlsFake {
  url: string;
  /** How many connections stood. */
  readonly connections: number;
  /** What the n-th connection brought, from 1. */
  received(n: number): Buffer;
  stop(): Promise<void>;
}

/** A syslog receiver: reads all, and closes when the other side has; `hear` may do otherwise, by connection. */
export async function tlsFake(
  files: Pick<SpecCertificates, 'certFile' | 'keyFile'>,
  hear: (socket: TLSSocket, n: number) => void = () => undefined,
  options: FakeOptions = {},
): Promise<TlsFake> {
  const received: Buffer[][] = [];
  const sockets = new Set<TLSSocket>();
  const server = createTlsServer(secured(files, options), (socket) => {
    const parts: Buffer[] = [];
    const n = received.push(parts);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (part: Buffer) => parts.push(part));
    hear(socket, n);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, options.host ?? '127.0.0.1', resolve));
  return {
    url: `tls://${options.host ?? '127.0.0.1'}:${(server.address() as AddressInfo).port}`,
    get connections() {
      return received.length;
    },
    received: (n) => Buffer.concat(received[n - 1] ?? []),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function secured(
  { certFile, keyFile }: Pick<SpecCertificates, 'certFile' | 'keyFile'>,
  { clientCa, maxVersion }: FakeOptions,
): TlsOptions {
  return {
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    ...(clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true, ca: readFileSync(clientCa) }),
    ...(maxVersion === undefined ? {} : { minVersion: 'TLSv1', maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' }),
  };
}

/** Frames of RFC 5425, read by their counts; throws where a count is not one. */
export function octetCountedFrames(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const count = bytes.toString('ascii', at, space);
    if (space < 0 || !/^[1-9]\d*$/.test(count)) throw new Error(`no count at octet ${at}`);
    const end = space + 1 + Number(count);
    if (end > bytes.length) throw new Error('the last frame is torn');
    frames.push(bytes.toString('utf8', space + 1, end));
    at = end;
  }
  return frames;
}

export function shippedLine(n: number, over: Partial<ShippedLine> = {}): ShippedLine {
  return {
    id: `0190d000-0000-7000-8000-${String(n).padStart(12, '0')}`,
    atMs: Date.UTC(2026, 2, 10, 8, 0, 0, 123) + n,
    severity: 'info',
    text: JSON.stringify({ class_uid: 6003, metadata: { sequence: n }, message: 'Zoë ✓ 日本' }),
    seq: n,
    ...over,
  };
}

export function shippedLines(count: number, from = 1): ShippedLine[] {
  return Array.from({ length: count }, (_, n) => shippedLine(from + n));
}

export const never = new AbortController().signal;
