import { createServer } from 'node:net';
import { getEventListeners } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { guardedConnector } from './connector.js';
import { clientOf, CREATED, failureOf, params, type TestClient, TIMEOUTS } from './testing/client.js';
import { FakeVendor, json } from './testing/fake-vendor.js';

let vendor: FakeVendor;
beforeAll(async () => {
  vendor = await FakeVendor.start();
});
afterEach(() => vendor.reset());
afterAll(() => vendor.stop());

/** Short for reads and writes; a check has time enough to open the connection that they then use. */
const quick = { ...TIMEOUTS, read: 300, write: 300, check: 10_000, connect: 5_000 };
const silence = () => undefined;
const create = { body: { json: {} } };

async function connected({ client }: TestClient): Promise<void> {
  vendor.handler = json(200, { request_id: 'r', aml: { status: 'Approved' } });
  await client.call('aml', create);
}

describe('a vendor that does not answer', () => {
  it('has certainly done nothing when it refuses the connection', async () => {
    const gone = createServer();
    await new Promise<void>((ready) => gone.listen(0, '127.0.0.1', ready));
    const address = gone.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await new Promise<void>((done) => gone.close(() => done()));
    await using test = clientOf(vendor, { baseUrl: `https://127.0.0.1:${port}` });
    expect(await failureOf(test.client.call('session.create', create))).toMatchObject({
      problem: 'vendor-error',
      outcome: 'none',
      reason: 'transport.ECONNREFUSED',
    });
  });

  it('has certainly done nothing when it cannot prove who it is', async () => {
    const stranger = await FakeVendor.start();
    try {
      await using test = clientOf(stranger, { caFile: vendor.caFile });
      const failure = await failureOf(test.client.call('session.create', create));
      expect(failure).toMatchObject({ problem: 'vendor-error', outcome: 'none' });
      expect(stranger.requests).toEqual([]);
    } finally {
      await stranger.stop();
    }
  });

  it('has certainly done nothing when it speaks no TLS 1.2', async () => {
    const old = await FakeVendor.start({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
    try {
      await using test = clientOf(old);
      const failure = await failureOf(test.client.call('session.create', create));
      expect(failure).toMatchObject({ problem: 'vendor-error', outcome: 'none' });
    } finally {
      await old.stop();
    }
  });

  it('has certainly done nothing when no handshake ends in time', async () => {
    const mute = createServer();
    await new Promise<void>((ready) => mute.listen(0, '127.0.0.1', ready));
    const address = mute.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    {
      await using test = clientOf(vendor, {
        baseUrl: `https://127.0.0.1:${port}`,
        timeouts: { ...quick, write: 5_000, connect: 300 },
      });
      const failure = await failureOf(test.client.call('session.create', create));
      expect(failure).toMatchObject({ problem: 'vendor-timeout', outcome: 'none', status: 504 });
    }
    mute.close();
  });

  it('may have done it when the connection is reset after the request', async () => {
    await using test = clientOf(vendor);
    vendor.handler = (request) => request.socket.destroy();
    expect(await failureOf(test.client.call('session.create', create))).toMatchObject({
      problem: 'vendor-error',
      outcome: 'unknown',
      vendorStatus: 0,
    });
    // Not even a read is sent again behind our back.
    await failureOf(test.client.call('session.decision', { params }));
    expect(vendor.requests).toHaveLength(2);
  });

  it('may have done it when the head of its answer is late', async () => {
    await using test = clientOf(vendor, { connections: 1, timeouts: quick });
    await connected(test);
    vendor.handler = silence;
    expect(await failureOf(test.client.call('session.create', create))).toMatchObject({
      problem: 'vendor-timeout',
      outcome: 'unknown',
      status: 504,
    });
    await expect.poll(() => vendor.sockets.size).toBe(0);
  });

  it('is late as well when the body of its answer comes too slowly', async () => {
    await using test = clientOf(vendor, { timeouts: quick });
    await connected(test);
    vendor.handler = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{');
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    };
    const failure = await failureOf(test.client.call('session.decision', { params }));
    expect(failure).toMatchObject({ problem: 'vendor-timeout', vendorStatus: 200 });
  });

  it('has certainly done nothing when the call never got a connection', async () => {
    await using test = clientOf(vendor, { connections: 1, timeouts: { ...quick, write: 10_000, read: 100 } });
    vendor.handler = silence;
    const abort = new AbortController();
    const first = test.client.call('session.create', { ...create, signal: abort.signal });
    await expect.poll(() => vendor.requests.length).toBe(1);
    const waiting = await failureOf(test.client.call('session.decision', { params }));
    expect(waiting).toMatchObject({ problem: 'vendor-timeout', outcome: 'none' });
    vendor.handler = json(201, CREATED);
    abort.abort();
    expect(await failureOf(first)).toMatchObject({ problem: 'vendor-timeout', outcome: 'unknown' });
    expect((await test.client.call('session.create', create)).status).toBe(201);
    // The one that was given up while it waited was dropped, not sent late.
    expect(vendor.requests.map(({ method }) => method)).toEqual(['POST', 'POST']);
  });
});

describe('a call whose deadline has passed', () => {
  it('sends nothing', async () => {
    await using test = clientOf(vendor);
    const signal = AbortSignal.abort();
    const failure = await failureOf(test.client.call('session.create', { ...create, signal }));
    expect(failure).toMatchObject({ problem: 'vendor-timeout', outcome: 'none' });
    vendor.handler = json(201, CREATED);
    await test.client.call('session.create', create);
    expect(vendor.requests).toHaveLength(1);
  });

  it('leaves no listener on a signal that lives on', async () => {
    await using test = clientOf(vendor);
    const { signal } = new AbortController();
    vendor.handler = json(201, CREATED);
    await test.client.call('session.create', { ...create, signal });
    vendor.handler = json(500, {});
    await failureOf(test.client.call('session.create', { ...create, signal }));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('the way out', () => {
  const connect = (baseUrl: string, target: string, hosts: string[] = []) =>
    new Promise<string>((done) => {
      const url = new URL(target);
      const connector = guardedConnector({ origins: [baseUrl], hosts, timeoutMs: 500, caFile: vendor.caFile });
      connector({ hostname: url.hostname, protocol: url.protocol, port: url.port }, (error, socket) => {
        socket?.destroy();
        done(error?.message ?? 'connected');
      });
    });

  it('leads to the hosts of the settings alone', async () => {
    const { baseUrl } = vendor;
    const byName = baseUrl.replace('127.0.0.1', 'localhost');
    expect(await connect(baseUrl, baseUrl)).toBe('connected');
    expect(await connect(baseUrl, byName)).toBe('this host is not allowed');
    expect(await connect(baseUrl, byName, ['LOCALHOST'])).toBe('connected');
    expect(await connect(baseUrl, baseUrl.replace('https', 'http'))).toBe('this host is not allowed');
  });

  it('is https or nothing', () => {
    expect(() => guardedConnector({ origins: ['http://vendor.test'], hosts: [], timeoutMs: 1 })).toThrow(/https/);
  });
});
