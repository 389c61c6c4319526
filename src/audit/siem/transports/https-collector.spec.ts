import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, Secret } from '../../../platform/index.js';
import type { Sink } from '../sink.js';
import {
  type Arrived,
  type FakeOptions,
  httpFake,
  type HttpFake,
  never,
  type SaidBack,
  shippedLine,
  shippedLines,
  type SpecCertificates,
  specCertificates,
  UNNAMED_HOST,
} from '../testing/receivers.js';
import { httpsCollector, type HttpsCollectorOptions } from './https-collector.js';

describe('a collector over HTTPS', () => {
  let files: SpecCertificates;
  let fake: HttpFake | undefined;
  let sink: Sink | undefined;
  beforeAll(async () => {
    files = await specCertificates();
  });
  afterAll(() => files.remove());
  afterEach(async () => {
    await sink?.close();
    await fake?.stop();
    sink = fake = undefined;
  });

  async function open(
    over: Partial<HttpsCollectorOptions> = {},
    answer: (arrived: Arrived) => SaidBack | Promise<SaidBack> = () => ({ status: 202 }),
    options: FakeOptions = {},
  ): Promise<HttpFake> {
    fake = await httpFake(files, answer, options);
    sink = httpsCollector({ name: 'collector', url: `${fake.url}/in/?tenant=1`, caFile: files.caFile, ...over });
    return fake;
  }
  const send = (lines = shippedLines(3)): Promise<void> | undefined => sink?.send({ kind: 'records', lines }, never);

  it('posts one event a line to the address as it stands, and names the batch', async () => {
    const { arrived } = await open({ token: new Secret('a-token') });
    await send();
    expect(arrived).toHaveLength(1);
    expect(arrived[0]?.path).toBe('/in/?tenant=1');
    expect(arrived[0]?.body).toBe(
      shippedLines(3)
        .map(({ text }) => `${text}\n`)
        .join(''),
    );
    expect(arrived[0]?.headers).toMatchObject({
      authorization: 'Bearer a-token',
      'content-type': 'application/x-ndjson',
      'gatehouse-kind': 'records',
      'gatehouse-batch': `${shippedLine(1).id}..${shippedLine(3).id}`,
    });
  });

  it('gives the same request the same idempotency key, and another another', async () => {
    const { arrived } = await open();
    await send();
    await send();
    await send(shippedLines(4));
    const keys = arrived.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^"[0-9a-f]{64}"$/);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  it('posts an array, compressed, when told so; CEF becomes strings', async () => {
    const { arrived } = await open({ body: 'json', gzip: true });
    await send([shippedLine(1), shippedLine(2, { text: 'CEF:0|a|b' })]);
    expect(arrived[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'content-encoding': 'gzip' });
    expect(JSON.parse(arrived[0]?.body ?? '')).toEqual([JSON.parse(shippedLine(1).text), 'CEF:0|a|b']);
  });

  it.each([199 + 101, 302, 400, 429, 500, 503])('rejects %i', async (status) => {
    await open({}, () => ({ status, headers: { location: 'https://127.0.0.1:1/' } }));
    await expect(send()).rejects.toMatchObject({ code: `http-${status}` });
  });

  it('rejects when a later request of the shipment is cut', async () => {
    const { arrived } = await open({ mostBytes: 150 }, () => (arrived.length === 2 ? { cut: true } : {}));
    await expect(send()).rejects.toMatchObject({ name: 'ReceiverFailure' });
    expect(arrived).toHaveLength(2);
  });

  it('rejects an answer that comes too late or is too large', async () => {
    await open({ timeoutMs: 50 }, () => new Promise(() => undefined));
    await expect(send()).rejects.toMatchObject({ name: 'ReceiverFailure', code: /timeout/i });
    await sink?.close();
    await fake?.stop();
    await open({}, () => ({ body: 'x'.repeat(300 * 1024) }));
    await expect(send()).rejects.toMatchObject({ code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' });
  });

  it('trusts the authority it was given and no other', async () => {
    const { arrived } = await open({ caFile: files.otherCaFile });
    await expect(send()).rejects.toMatchObject({ code: expect.stringMatching(/SIGNATURE|CERT/) as string });
    expect(arrived).toHaveLength(0);
  });

  it('speaks to no host that the certificate does not name', async () => {
    const { arrived } = await open({}, undefined, { host: UNNAMED_HOST });
    await expect(send()).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    expect(arrived).toHaveLength(0);
  });

  it('proves itself by its certificate', async () => {
    await open({ certFile: files.clientCertFile, keyFile: files.clientKeyFile }, () => ({}), {
      clientCa: files.clientCertFile,
    });
    await send();
    await sink?.close();
    sink = httpsCollector({ name: 'collector', url: fake?.url ?? '', caFile: files.caFile });
    await expect(send()).rejects.toMatchObject({ name: 'ReceiverFailure' });
  });

  it.each(['http://siem.example', 'ftp://127.0.0.1', 'https://user:word@siem.example', 'siem.example'])(
    'refuses the address %s',
    (url) => {
      expect(() => httpsCollector({ name: 'collector', url })).toThrow(ConfigError);
    },
  );

  it('refuses a certificate without its key, and files that are not there', () => {
    const url = 'https://siem.example';
    expect(() => httpsCollector({ name: 'c', url, certFile: files.clientCertFile })).toThrow(/together/);
    expect(() => httpsCollector({ name: 'c', url, caFile: '/nowhere/ca.pem' })).toThrow(/caFile/);
    expect(() => httpsCollector({ name: 'c', url, caFile: files.clientKeyFile })).toThrow(/caFile.*no certificate/);
  });
});
