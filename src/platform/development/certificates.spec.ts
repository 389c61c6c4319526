import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, SystemClock } from '../clock.js';
import { type DevelopmentCertificates, ensureDevelopmentCertificates } from './certificates.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const DAY_MS = 86_400_000;
const read = (file: string): string => readFileSync(file, 'utf8');
const contents = (files: DevelopmentCertificates): string[] =>
  [files.caFile, files.caKeyFile, files.certFile, files.keyFile].map(read);
const server = (files: DevelopmentCertificates): X509Certificate => new X509Certificate(read(files.certFile));

async function shakeHands(files: DevelopmentCertificates, host: string, servername: string): Promise<string> {
  const listener = createServer({ cert: read(files.certFile), key: read(files.keyFile) }, (socket) => socket.end());
  await new Promise<void>((ready) => listener.listen(0, host, ready));
  const address = listener.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  try {
    return await new Promise<string>((done, fail) => {
      const socket = connect({ host, port, servername, ca: read(files.caFile) }, () => {
        done(socket.authorized ? 'authorized' : String(socket.authorizationError));
        socket.destroy();
      });
      socket.once('error', fail);
    });
  } finally {
    listener.close();
  }
}

describe('development certificates', () => {
  it('are trusted by a client that trusts the CA, by name and by address', async () => {
    const files = await ensureDevelopmentCertificates(dir, []);
    expect(await shakeHands(files, '127.0.0.1', 'localhost')).toBe('authorized');
    expect(await shakeHands(files, '127.0.0.1', '')).toBe('authorized');
    expect(server(files).checkIP('::1')).toBe('::1');
    await expect(shakeHands(files, '127.0.0.1', 'other.test')).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('come as a chain whose CA may sign servers and nothing below', async () => {
    const files = await ensureDevelopmentCertificates(dir, []);
    const ca = new X509Certificate(read(files.caFile));
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    expect(server(files).ca).toBe(false);
    expect(server(files).verify(ca.publicKey)).toBe(true);
    expect(server(files).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(read(files.certFile)).toContain(read(files.caFile).trim());
    expect(createPrivateKey(read(files.keyFile)).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  it('keep their keys for the owner', async () => {
    const files = await ensureDevelopmentCertificates(dir, []);
    for (const key of [files.caKeyFile, files.keyFile]) expect(statSync(key).mode & 0o777).toBe(0o600);
  });

  it('are for the given hosts too, and not for "every interface"', async () => {
    const files = await ensureDevelopmentCertificates(dir, [
      'Gateway.test',
      '10.0.0.7',
      '0.0.0.0',
      '[2001:db8::7]',
      '::',
    ]);
    const certificate = server(files);
    expect(certificate.checkHost('gateway.test')).toBe('gateway.test');
    expect(certificate.checkIP('10.0.0.7')).toBe('10.0.0.7');
    expect(certificate.checkIP('2001:db8::7')).toBe('2001:db8::7');
    expect(certificate.checkIP('0.0.0.0')).toBeUndefined();
    expect(certificate.checkIP('::')).toBeUndefined();
  });

  it('are made once', async () => {
    const hosts = ['gateway.test', '2001:DB8:0::7'];
    const before = contents(await ensureDevelopmentCertificates(dir, hosts));
    expect(contents(await ensureDevelopmentCertificates(dir, hosts.toReversed()))).toEqual(before);
  });

  it('are made anew under the same CA when the hosts change', async () => {
    const files = await ensureDevelopmentCertificates(dir, ['one.test']);
    const ca = read(files.caFile);
    await ensureDevelopmentCertificates(dir, ['two.test']);
    expect(read(files.caFile)).toBe(ca);
    expect(server(files).checkHost('two.test')).toBe('two.test');
    expect(server(files).checkHost('one.test')).toBeUndefined();
  });

  it('are renewed thirty days before their end, and the CA before its own', async () => {
    const clock = new ManualClock();
    const files = await ensureDevelopmentCertificates(dir, [], clock);
    const [ca, first] = [read(files.caFile), read(files.certFile)];
    clock.advance(334 * DAY_MS);
    await ensureDevelopmentCertificates(dir, [], clock);
    expect(read(files.certFile)).toBe(first);
    clock.advance(DAY_MS);
    await ensureDevelopmentCertificates(dir, [], clock);
    expect(read(files.certFile)).not.toBe(first);
    expect(read(files.caFile)).toBe(ca);

    clock.advance(3300 * DAY_MS);
    await ensureDevelopmentCertificates(dir, [], clock);
    expect(read(files.caFile)).not.toBe(ca);
    expect(server(files).verify(new X509Certificate(read(files.caFile)).publicKey)).toBe(true);
    expect(server(files).validToDate.getTime()).toBeGreaterThan(clock.epochMs() + 30 * DAY_MS);
  });

  it('are made anew when a file was spoilt or does not fit the others', async () => {
    const files = await ensureDevelopmentCertificates(dir, []);
    const first = read(files.certFile);
    writeFileSync(files.keyFile, read(files.caKeyFile));
    await ensureDevelopmentCertificates(dir, [], new SystemClock());
    expect(read(files.certFile)).not.toBe(first);
    writeFileSync(files.caFile, 'no certificate');
    await ensureDevelopmentCertificates(dir, []);
    expect(await shakeHands(files, '127.0.0.1', 'localhost')).toBe('authorized');
  });
});
