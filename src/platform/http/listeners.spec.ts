import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load.js';
import { type DevelopmentCertificates, ensureDevelopmentCertificates } from '../development/certificates.js';
import { ListenerServer } from './listeners.js';

describe('ListenerServer', () => {
  let dir: string;
  let files: DevelopmentCertificates;
  let server: ListenerServer;
  let port: number;
  const limits = { ...loadConfig({}).listeners.connections, perAddress: 2 };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'gatehouse-listener-'));
    files = await ensureDevelopmentCertificates(dir, []);
    server = new ListenerServer('public', { cert: files.certFile, key: files.keyFile }, limits, 32_768);
    port = await server.listen('127.0.0.1', 0);
  });
  afterAll(async () => {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const ask = (): Promise<{ status: number | undefined; body: string }> =>
    new Promise((resolve, reject) => {
      const asking = request({ port, host: 'localhost', ca: readFileSync(files.caFile), agent: false }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode, body }));
      });
      asking.on('error', reject).end();
    });

  const tls = (options: object = {}): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connect(
        { port, host: '127.0.0.1', servername: 'localhost', ca: readFileSync(files.caFile), ...options },
        () => resolve(socket),
      );
      socket.once('error', reject);
    });

  it('answers 503 as problem details until the house stands, and then what the house says', async () => {
    const starting = await ask();
    expect(starting.status).toBe(503);
    expect(JSON.parse(starting.body)).toMatchObject({ status: 503, title: 'Starting' });
    server.open((_request, response) => response.end('open'));
    expect(await ask()).toEqual({ status: 200, body: 'open' });
  });

  it('closes what one address opens beyond its share before any handshake, and counts closed ones no more', async () => {
    const [first, second] = [await tls(), await tls()];
    await expect(tls()).rejects.toThrow();
    const closed = new Promise((resolve) => second.once('close', resolve));
    second.destroy();
    await closed;
    await expect
      .poll(() =>
        tls()
          .then((socket) => socket.destroy() && true)
          .catch(() => false),
      )
      .toBe(true);
    first.destroy();
  });

  it('speaks TLS 1.2 and later alone', async () => {
    await expect(
      tls({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow();
  });
});
