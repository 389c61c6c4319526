import { connect } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openBench, workflowId, type Bench, type Reply } from '../testing/fixture.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ webhookUrl: null, rateLimits: 'off' });
});
afterAll(() => bench.close());
beforeEach(async () => {
  await bench.call('POST', '/_sandbox/reset');
});

const fault = (body: Record<string, unknown>) => bench.call('POST', '/_sandbox/faults', { body });
const create = (vendorData = 'u'): Promise<Reply> =>
  bench.call('POST', '/v3/session/', { body: { workflow_id: workflowId, vendor_data: vendorData } });
const made = async (): Promise<unknown> => {
  await bench.call('DELETE', '/_sandbox/faults');
  return (await bench.call('GET', '/v3/sessions/?vendor_data=u')).at('count');
};
const outcome = async (): Promise<unknown> =>
  (await bench.call('GET', '/_sandbox/ledger?operation=session.create')).at('items.0.outcome');

describe('answers in place of the true one', () => {
  it.each([
    [{ kind: 'down' }, 503],
    [{ kind: 'error' }, 500],
    [{ kind: 'error', status: 502 }, 502],
    [{ kind: 'bad-credentials' }, 401],
    [{ kind: 'no-credit' }, 400],
    [{ kind: 'rate-limited', ms: 7_000 }, 429],
  ])('%j is %i, and nothing has happened', async (body, status) => {
    await fault(body);
    const reply = await create();
    expect(reply.status).toBe(status);
    expect(await outcome()).toBe(`${body.kind} before`);
    expect(await made()).toBe(0);
  });

  it('may come after the work', async () => {
    await fault({ kind: 'error', status: 504, when: 'after' });
    expect((await create()).status).toBe(504);
    expect(await outcome()).toBe('error after 201');
    expect(await made()).toBe(1);
  });

  it('tell when to come back', async () => {
    await fault({ kind: 'rate-limited', ms: 7_000 });
    const reply = await create();
    expect(reply.headers).toMatchObject({
      'retry-after': '7',
      'x-ratelimit-limit': '300',
      'x-ratelimit-remaining': '0',
    });
  });

  it('tell of missing credit in the operation’s own form', async () => {
    await fault({ kind: 'no-credit' });
    const text = "You don't have enough credits to perform this request. Please top up at https://business.didit.me";
    expect((await create()).json).toEqual({ detail: text });
    const aml = await bench.call('POST', '/v3/aml/', { body: { full_name: 'A' } });
    expect([aml.status, aml.json]).toEqual([403, { error: text }]);
  });
});

describe('spoilt answers', () => {
  it.each([['malformed'], ['wrong-schema']])('%s is a 200 after the work', async (kind) => {
    await fault({ kind });
    const reply = await create();
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.json === undefined).toBe(kind === 'malformed');
    expect(reply.at('session_id')).toBeUndefined();
    expect(await made()).toBe(1);
  });

  it('end before their length', async () => {
    await fault({ kind: 'truncated' });
    await expect(create()).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    expect(await made()).toBe(1);
  });

  it('may be spoilt before any work', async () => {
    await fault({ kind: 'truncated', when: 'before' });
    await expect(create()).rejects.toThrow();
    expect(await made()).toBe(0);
  });
});

describe('the connection', () => {
  it('is closed without a byte', async () => {
    await fault({ kind: 'refuse' });
    await expect(create()).rejects.toThrow();
    expect(await made()).toBe(0);
  });

  it('is reset, not closed', async () => {
    await fault({ kind: 'reset' });
    const { port } = new URL(bench.url);
    const code = await new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: Number(port), ca: bench.pki.ca }, () => {
        socket.write('GET /v3/sessions/ HTTP/1.1\r\nhost: sandbox\r\n\r\n');
      });
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      socket.on('end', () => resolve('end'));
    });
    expect(code).toBe('ECONNRESET');
  });

  it('is reset after the work, so that the caller cannot know', async () => {
    await fault({ kind: 'reset', when: 'after' });
    await expect(create()).rejects.toThrow();
    expect(await outcome()).toBe('reset after 201');
    expect(await made()).toBe(1);
  });

  it.each([
    ['headers', 'before', 0],
    ['headers', 'after', 1],
    ['body', 'after', 1],
  ])('stalls in the %s, %s the work', async (part, when, count) => {
    await fault({ kind: 'stall', part, when, ms: 120 });
    const before = Date.now();
    await expect(create()).rejects.toThrow();
    expect(Date.now() - before).toBeGreaterThanOrEqual(115);
    expect(await made()).toBe(count);
  });

  it('is slow', async () => {
    await fault({ kind: 'slow', ms: 120 });
    const before = Date.now();
    const reply = await create();
    expect(reply.status).toBe(201);
    expect(Date.now() - before).toBeGreaterThanOrEqual(115);
    expect(await outcome()).toBe('slow before 201');
  });

  it('does no work for a caller who hung up while it was slow', async () => {
    await fault({ kind: 'slow', ms: 60_000 });
    const { port } = new URL(bench.url);
    const socket = connect({ host: '127.0.0.1', port: Number(port), ca: bench.pki.ca }, () => {
      const body = JSON.stringify({ workflow_id: workflowId, vendor_data: 'u' });
      socket.write(
        `POST /v3/session/ HTTP/1.1\r\nhost: s\r\nx-api-key: ${bench.settings.apiKey}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    });
    while ((await outcome()) !== 'pending') await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    while ((await outcome()) === 'pending') await new Promise((resolve) => setImmediate(resolve));
    expect(await outcome()).toBe('slow before');
    expect(await made()).toBe(0);
  });
});

describe('which calls', () => {
  it('are only those of the operations that were named', async () => {
    await fault({ kind: 'down', operations: ['session.list', 'system.health'] });
    expect((await create()).status).toBe(201);
    expect((await bench.call('GET', '/v3/sessions/')).status).toBe(503);
    expect((await bench.call('GET', '/system/healthcheck')).status).toBe(503);
  });

  it('are a share of them', async () => {
    await fault({ kind: 'down', share: 0 });
    expect((await create()).status).toBe(201);
    await bench.call('DELETE', '/_sandbox/faults');
    await fault({ kind: 'down', share: 0.5 });
    const statuses = [];
    for (let n = 0; n < 60; n += 1) statuses.push((await bench.call('GET', '/v3/sessions/')).status);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
  });

  it('are none once the fault is removed, or its time is over', async () => {
    const id = String((await fault({ kind: 'down' })).at('id'));
    expect((await bench.call('DELETE', `/_sandbox/faults/${id}`)).json).toEqual({ removed: 1 });
    expect((await bench.call('DELETE', `/_sandbox/faults/${id}`)).status).toBe(404);
    await fault({ kind: 'down', forMs: 1 });
    while ((await bench.call('GET', '/_sandbox/faults')).at('items.length') !== 0);
    expect((await create()).status).toBe(201);
  });

  it('never are the controls', async () => {
    await fault({ kind: 'refuse' });
    expect((await bench.call('GET', '/_sandbox/health')).status).toBe(200);
  });
});

describe('a fault that makes no sense', () => {
  it.each([
    [{ kind: 'lazy' }, /^kind: /],
    [{ kind: 'down', share: 2 }, /^share: /],
    [{ kind: 'down', often: true }, /often/],
    [{ kind: 'down', operations: ['session.destroy'] }, /no such operation: session\.destroy/],
  ])('%j is refused in words', async (body, message) => {
    const reply = await fault(body);
    expect(reply.status).toBe(400);
    expect(reply.at('error')).toMatch(message);
  });
});
