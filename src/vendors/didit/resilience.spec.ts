import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Keyring, loadConfig, SystemClock } from '../../platform/index.js';
import type { BreakerChange } from '../resilience/breakers.js';
import { Detours } from './detours.js';
import { DiditVendor } from './didit-vendor.js';
import { CREATED, DECISION, params } from './testing/client.js';
import { FakeVendor, type Handler, json } from './testing/fake-vendor.js';

let one: FakeVendor;
let two: FakeVendor;
let vendor: DiditVendor | undefined;
let changes: BreakerChange[];
const dir = mkdtempSync(join(tmpdir(), 'gatehouse-resilience-'));
const caFile = join(dir, 'ca.pem');

beforeAll(async () => {
  one = await FakeVendor.start();
  two = await FakeVendor.start();
  writeFileSync(caFile, readFileSync(one.caFile, 'utf8') + readFileSync(two.caFile, 'utf8'));
});
afterEach(async () => {
  await vendor?.onApplicationShutdown();
  one.reset();
  two.reset();
});
afterAll(async () => {
  await one.stop();
  await two.stop();
  rmSync(dir, { recursive: true, force: true });
});

function open(didit: string): DiditVendor {
  const file = join(dir, 'gatehouse.yaml');
  writeFileSync(file, `vendors: { didit: { ${didit} } }\n`);
  const config = loadConfig({
    GATEHOUSE_CONFIG: file,
    DIDIT_BASE_URL: one.baseUrl,
    DIDIT_CA_FILE: caFile,
    DIDIT_API_KEY: 'key',
    DIDIT_WEBHOOK_SECRET: 'secret',
  });
  vendor = new DiditVendor(config, new SystemClock(), new Keyring(Buffer.alloc(32, 1)), new Detours());
  changes = [];
  vendor.onBreaker((change) => changes.push(change));
  return vendor;
}

const asked = { client: 'bank', priority: 'interactive' as const };
const decision = (by = vendor): Promise<unknown> =>
  by?.call('session.decision', { ...asked, params }).then(
    ({ status }) => status,
    (error: unknown) => (error as { code: string }).code,
  ) ?? Promise.reject(new Error('no vendor'));
const create = { ...asked, body: { json: {} } };
const cut: Handler = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 });
  response.write('{"session_id":', () => response.socket?.destroy());
};

describe('the vendor over HTTPS, behind its pipeline', () => {
  it('gets no more than probes while it is down, and is called again when it is back', async () => {
    const by = open('retries: { most: 0 }, breaker: { open: 200ms, longestOpen: 400ms }');
    for (let n = 0; n < 10; n += 1) expect(await decision()).toBe('vendor-error');
    expect(one.requests).toHaveLength(10);
    const untilMs = Date.now() + 1_500;
    let held = 0;
    while (Date.now() < untilMs) held += (await decision()) === 'vendor-unavailable' ? 1 : 0;
    expect(held).toBeGreaterThan(20);
    // At 200 ms, then every 400 ms, and the first bad probe ends the round.
    expect(one.requests.length - 10).toBeLessThanOrEqual(6);
    expect(by.state()).toMatchObject({
      state: 'degraded',
      breakers: [{ operation: '*' }, { operation: 'session.decision' }],
    });
    one.handler = json(200, DECISION);
    const backMs = Date.now();
    await expect.poll(() => decision(), { timeout: 5_000, interval: 20 }).toBe(200);
    expect(await decision()).toBe(200);
    expect(Date.now() - backMs).toBeLessThan(2_000);
    expect(changes).toEqual([
      { operation: 'session.decision', state: 'open' },
      { operation: 'session.decision', state: 'closed' },
    ]);
  });

  it('repeats a read whose answer was cut, and no create', async () => {
    const by = open('retries: { firstDelay: 10ms }');
    const answers = [cut, json(500, {}), json(200, DECISION)];
    one.handler = (request, response) => (answers.shift() ?? cut)(request, response);
    expect(await by.call('session.decision', { ...asked, params })).toMatchObject({ status: 200, attempts: 3 });
    await expect(by.call('session.create', create)).rejects.toMatchObject({
      code: 'vendor-invalid-answer',
      outcome: 'unknown',
      attempts: 1,
    });
    expect(one.requests).toHaveLength(4);
  });

  it('is asked once by readers who ask the same at the same time', async () => {
    const by = open('');
    one.handler = (request, response) => void setTimeout(() => json(200, DECISION)(request, response), 100);
    const readers = Array.from({ length: 20 }, () => by.call('session.decision', { ...asked, params }));
    const answers = await Promise.all(readers);
    expect(one.requests).toHaveLength(1);
    expect(answers.filter(({ collapsed, attempts }) => collapsed === true && attempts === 0)).toHaveLength(19);
    for (const { body } of answers) expect(body).toEqual(DECISION);
  });

  it('is called at both its addresses, and at one while the other is gone', async () => {
    const by = open(`baseUrls: ["${two.baseUrl}"], retries: { firstDelay: 10ms }, collapse: false`);
    one.handler = two.handler = json(200, DECISION);
    for (let n = 0; n < 10; n += 1) expect(await decision()).toBe(200);
    expect([one.requests.length, two.requests.length]).toEqual([5, 5]);
    two.handler = (request) => request.socket.destroy();
    for (let n = 0; n < 20; n += 1) expect(await decision()).toBe(200);
    expect(by.state().origins).toMatchObject([{ out: false }, { out: true }]);
    expect(changes).toEqual([]);
  });

  it('has its budget shared between clients, and its deadline kept', async () => {
    const by = open('budget: { writes: 20/min, longestWait: 100ms }, bulkhead: { read: 1, longestWait: 10s }');
    one.handler = json(201, CREATED);
    const codes: string[] = [];
    const make = (client: string): Promise<unknown> =>
      by.call('session.create', { ...create, client }).then(
        ({ status }) => codes.push(`${client} ${status}`),
        (error: unknown) => codes.push(`${client} ${(error as { code: string }).code}`),
      );
    for (let n = 0; n < 25; n += 1) await make('greedy');
    await make('modest');
    expect(codes.filter((code) => code === 'greedy 201')).toHaveLength(17);
    expect(codes.filter((code) => code === 'greedy vendor-budget-exceeded')).toHaveLength(8);
    expect(codes.at(-1)).toBe('modest 201');
    one.handler = () => undefined;
    const startedMs = performance.now();
    const deadlineMs = new SystemClock().monotonicMs() + 300;
    const late = await Promise.allSettled(
      ['a', 'b', 'c'].map((include) =>
        by.call('session.decision', { ...asked, params, query: { include }, deadlineMs }),
      ),
    );
    expect(performance.now() - startedMs).toBeLessThan(300 + 250);
    for (const end of late) expect(end).toMatchObject({ reason: { code: 'vendor-timeout' } });
  });

  it('is not called slow for a caller who uploads slowly', async () => {
    const by = open('breaker: { slow: { check: 400ms }, minimumCalls: 2 }, timeouts: { check: 5s }');
    one.handler = (request, response) => {
      request
        .resume()
        .on('end', () => json(200, { request_id: 'r', liveness: { status: 'Approved' } })(request, response));
    };
    const contentType = 'multipart/form-data; boundary=x';
    // A connection is there before the time is taken.
    await by.call('passive-liveness', { ...asked, body: { bytes: Buffer.from('--x--'), contentType } });
    for (let n = 0; n < 2; n += 1) {
      const stream = new Readable({ read: () => undefined });
      const answer = by.call('passive-liveness', { ...asked, body: { stream, contentType } });
      await new Promise((resolve) => setTimeout(resolve, 600));
      stream.push('--x--\r\n');
      stream.push(null);
      expect(await answer).toMatchObject({ status: 200 });
    }
    expect(changes).toEqual([]);
  });
});
