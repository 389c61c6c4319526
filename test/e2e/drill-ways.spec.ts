import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/platform/index.js';
import { FakeVendor, json } from '../../src/vendors/didit/testing/fake-vendor.js';
import { type VendorFault, vendorFaultSchema } from '../../src/drills/faults.js';
import { VendorWay } from '../../src/drills/proxy/vendor-way.js';

let vendor: FakeVendor;
beforeAll(async () => {
  vendor = await FakeVendor.start();
});
afterAll(() => vendor.stop());

/** On a connection that stood, or in the handshake of a new one. */
const TIMEOUT = /^UND_ERR_(HEADERS|CONNECT)_TIMEOUT$/;
const ANSWER = { session_id: 'a', status: 'Approved' };
let way: VendorWay;
beforeEach(() => {
  vendor.reset();
  vendor.handler = json(200, ANSWER);
});
afterEach(() => way.close());

const opened = async (settings: object): Promise<VendorFault[]> => {
  const faults = [vendorFaultSchema.parse(settings)];
  const { baseUrl, caFile } = vendor;
  way = await VendorWay.open(
    { baseUrl, hosts: [], caFile, connectTimeoutMs: 300, connections: 4 },
    faults,
    new SystemClock(),
  );
  return faults;
};
/** At work from the start. */
const atWork = async (settings: object): Promise<void> => {
  const faults = await opened(settings);
  await way.use(faults);
};
const ask = async () => {
  const { statusCode, headers, body } = await way.dispatcher.request({
    origin: vendor.baseUrl,
    path: '/v3/sessions/',
    method: 'GET',
    headersTimeout: 200,
  });
  return { status: statusCode, headers, text: await body.text() };
};

describe('a fault of the network on the way to the vendor', () => {
  it.each([
    [{ kind: 'refused' }, /^ECONNREFUSED$/],
    [{ kind: 'half-open' }, TIMEOUT],
    [{ kind: 'stall' }, TIMEOUT],
    [{ kind: 'reset' }, /^(ECONNRESET|UND_ERR_SOCKET)$/],
    [{ kind: 'tls-expired' }, /^(CERT_HAS_EXPIRED|UND_ERR_SOCKET)$/],
  ])('%j is met as %s, and the vendor is asked again when it is over', async (settings, code) => {
    const faults = await opened(settings);
    expect((await ask()).text).toBe(JSON.stringify(ANSWER));
    await way.use(faults);
    await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(code) as string });
    expect(vendor.requests).toHaveLength(1);
    await way.use([]);
    // A connection that was cut with the fault may be taken once before it is seen to be gone.
    expect((await ask().catch(() => ask())).status).toBe(200);
  });

  it('is a name that is really looked up and not found', async () => {
    await atWork({ kind: 'dns-failure' });
    await expect(ask()).rejects.toMatchObject({ syscall: 'getaddrinfo' });
  });

  it('is met in the handshake by a new connection', async () => {
    await atWork({ kind: 'half-open' });
    await expect(ask()).rejects.toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT' });
  });

  it('leaves TLS whole from end to end', async () => {
    await atWork({ kind: 'latency', ms: 5 });
    const { text } = await ask();
    expect(text).toBe(JSON.stringify(ANSWER));
  });
});

describe('a fault in the answers of the vendor', () => {
  it.each([
    [{ kind: 'errors', status: 502 }, 502, 0],
    [{ kind: 'errors', status: 500, afterWork: true }, 500, 1],
    [{ kind: 'rate-limited', retryAfterSeconds: 3 }, 429, 0],
    [{ kind: 'wrong-credentials' }, 401, 0],
    [{ kind: 'malformed' }, 200, 1],
    [{ kind: 'wrong-schema' }, 200, 1],
    [{ kind: 'slow', ms: 30 }, 200, 1],
  ])('%j is %i, and the vendor was asked %i times', async (settings, status, asked) => {
    await atWork(settings);
    const answer = await ask();
    expect(answer.status).toBe(status);
    expect(vendor.requests).toHaveLength(asked);
    if (settings.kind === 'rate-limited') expect(answer.headers['retry-after']).toBe('3');
    if (settings.kind === 'malformed') expect(() => JSON.parse(answer.text) as unknown).toThrow();
    if (settings.kind === 'slow') expect(answer.text).toBe(JSON.stringify(ANSWER));
  });

  it('is an answer that breaks off in the middle, after the work', async () => {
    await atWork({ kind: 'truncated' });
    await expect(ask()).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    expect(vendor.requests).toHaveLength(1);
  });
});
