import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../platform/index.js';
import { ApiKeyCredential } from './credential.js';
import { clientOf, CREATED, DECISION, failureOf, params, SESSION } from './testing/client.js';
import { FakeVendor, json } from './testing/fake-vendor.js';

let vendor: FakeVendor;
beforeAll(async () => {
  vendor = await FakeVendor.start();
});
afterEach(() => vendor.reset());
afterAll(() => vendor.stop());

const create = { body: { json: { workflow_id: SESSION } } };

describe('a call to Didit', () => {
  it('goes to the operation’s path with the key, the trace and none of the caller’s headers', async () => {
    await using test = clientOf(vendor);
    vendor.handler = json(200, DECISION, { 'set-cookie': 'a=b', 'x-ratelimit-limit': '600' });
    const answer = await test.client.call('session.decision', {
      params: { sessionId: SESSION.toUpperCase() },
      query: { include: 'events' },
      headers: { traceparent: '00-1-2-01', cookie: 'c', 'x-api-key': 'callers', 'x-forwarded-for': '1.2.3.4' },
    });
    expect(answer).toMatchObject({ operation: 'session.decision', status: 200, body: DECISION, attempts: 1 });
    expect(answer.headers).toEqual({
      'content-type': 'application/json',
      date: expect.any(String),
      'x-ratelimit-limit': '600',
    });
    expect(answer.raw.toString()).toBe(JSON.stringify(DECISION));
    expect(answer.durationUs).toBeGreaterThan(0);
    const [request] = vendor.requests;
    expect(request).toMatchObject({ method: 'GET', url: `/v3/session/${SESSION}/decision/?include=events` });
    expect(Object.keys(request?.headers ?? {}).sort()).toEqual(
      ['accept', 'accept-encoding', 'connection', 'host', 'traceparent', 'user-agent', 'x-api-key'].sort(),
    );
    expect(request?.headers['x-api-key']).toBe('key-one');
  });

  it('sends JSON and keeps its connection', async () => {
    await using test = clientOf(vendor);
    const bodies: string[] = [];
    vendor.handler = (request, response) => {
      request.setEncoding('utf8').on('data', (chunk: string) => bodies.push(chunk));
      json(201, CREATED)(request, response);
    };
    for (let n = 0; n < 8; n += 1) expect((await test.client.call('session.create', create)).status).toBe(201);
    expect(bodies).toEqual(Array.from({ length: 8 }, () => JSON.stringify(create.body.json)));
    // The pool may open a second one while it makes the first ready again, and no more.
    expect(vendor.connections).toBeLessThan(3);
    expect(test.answers).toHaveLength(8);
  });

  it('takes a delete without a body, as in summer, and with one, as since September', async () => {
    await using test = clientOf(vendor);
    vendor.handler = (_request, response) => response.writeHead(204).end();
    expect(await test.client.call('session.delete', { params })).toMatchObject({ status: 204, body: undefined });
    vendor.handler = json(200, { session_id: SESSION });
    expect((await test.client.call('session.delete', { params })).body).toEqual({ session_id: SESSION });
  });

  it.each([
    [400, 'invalid-request', { workflow_id: ['This field is required.'] }],
    [404, 'not-found', { detail: 'Not found.' }],
    [409, 'conflict', { detail: 'In progress.' }],
    [422, 'unprocessable', { detail: 'No.' }],
  ])('hands back a %i with the code %s', async (status, code, body) => {
    await using test = clientOf(vendor);
    vendor.handler = json(status, body);
    const answer = await test.client.call('session.create', create);
    expect(answer).toMatchObject({ status, code, body });
    expect(test.failures).toEqual([]);
    expect(test.answers).toMatchObject([{ operation: 'session.create', status }]);
  });

  it.each([
    [401, { detail: 'This API key has expired.' }, 'vendor-credentials', 'none'],
    [403, { detail: 'You do not have permission to perform this action.' }, 'vendor-credentials', 'none'],
    [400, { detail: "You don't have enough credits to perform this request." }, 'vendor-credit', 'none'],
    [403, { error: "You don't have enough credits to perform this request." }, 'vendor-credit', 'none'],
    [402, {}, 'vendor-credit', 'none'],
    [429, { detail: 'throttled' }, 'vendor-unavailable', 'none'],
    [500, {}, 'vendor-error', 'unknown'],
    [503, {}, 'vendor-error', 'unknown'],
    [418, {}, 'vendor-error', 'none'],
    [302, {}, 'vendor-invalid-answer', 'unknown'],
  ] as const)('fails on %i %j as %s, outcome %s', async (status, body, problem, outcome) => {
    await using test = clientOf(vendor);
    vendor.handler = json(status, body, { location: '/v3/elsewhere/', 'retry-after': '17' });
    const failure = await failureOf(test.client.call('session.create', create));
    expect(failure).toMatchObject({ problem, outcome, vendorStatus: status });
    // A redirect is never followed: that would carry the key along.
    expect(vendor.requests).toHaveLength(1);
    expect(test.failures).toMatchObject([{ operation: 'session.create', problem, outcome, status }]);
    expect(test.answers).toEqual([]);
    expect(JSON.stringify(failure)).not.toContain('credits to perform');
    expect(failure.headers).toEqual(problem === 'vendor-unavailable' ? { 'retry-after': '17' } : {});
  });
});

describe('an answer that cannot be used', () => {
  const whole = JSON.stringify(DECISION);
  const head = { 'content-type': 'application/json' };

  it.each([
    ['no JSON', (r) => r.writeHead(200, head).end('{"session_id":')],
    ['JSON with a mark before it', (r) => r.writeHead(200, head).end(`\ufeff${whole}`)],
    ['no UTF-8', (r) => r.writeHead(200, head).end(Buffer.from([0x22, 0xc3, 0x28, 0x22]))],
    ['HTML', (r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html></html>')],
    ['nothing', (r) => r.writeHead(200, head).end()],
    ['another schema', (r) => r.writeHead(200, head).end('{"id":1}')],
    ['a module that is no list', (r) => r.writeHead(200, head).end(JSON.stringify({ ...DECISION, face_matches: {} }))],
    ['another session', (r) => r.writeHead(200, head).end(whole.replace(SESSION, SESSION.replace('0b', '0c')))],
    ['compressed', (r) => r.writeHead(200, { ...head, 'content-encoding': 'gzip' }).end(gzipSync(whole))],
    ['too long, as it says itself', (r) => r.writeHead(200, { ...head, 'content-length': 9_000_000 }).write('{')],
    ['cut off before its length', (r) => cut(r.writeHead(200, { ...head, 'content-length': 500 }), whole)],
    ['cut off between chunks', (r) => cut(r.writeHead(200, head), whole.slice(0, 20))],
    ['no HTTP', (r) => r.socket?.end('HTTP/1.1 two hundred\r\n\r\n')],
  ] as [string, (response: import('node:http').ServerResponse) => void][])('is one with %s', async (_, answer) => {
    await using test = clientOf(vendor);
    vendor.handler = (_request, response) => answer(response);
    const failure = await failureOf(test.client.call('session.decision', { params }));
    expect(failure).toMatchObject({ problem: 'vendor-invalid-answer', outcome: 'unknown', status: 502 });
  });

  it('is one that never ends, after eight megabytes', async () => {
    await using test = clientOf(vendor);
    let sent = 0;
    vendor.handler = (_request, response) => {
      response.writeHead(200, head).on('error', () => undefined);
      const piece = Buffer.alloc(1024 * 1024, 0x20);
      const more = (): void => {
        while (!response.destroyed && response.write(piece)) sent += 1;
        sent += 1;
      };
      response.on('drain', more);
      more();
    };
    const failure = await failureOf(test.client.call('session.decision', { params }));
    expect(failure).toMatchObject({ problem: 'vendor-invalid-answer', reason: 'the answer is too large' });
    expect(sent).toBeLessThan(32);
  });

  function cut(response: import('node:http').ServerResponse, text: string): void {
    response.write(text, () => response.socket?.end());
  }
});

describe('two keys while rotating', () => {
  const onlyWith = (key: string) =>
    (vendor.handler = (request, response) =>
      request.headers['x-api-key'] === key
        ? json(200, DECISION)(request, response)
        : json(401, { detail: 'This API key has expired.' })(request, response));

  it('are tried one after the other, and the one that works is remembered', async () => {
    await using test = clientOf(vendor, { keys: ['old', 'new'] });
    onlyWith('new');
    expect((await test.client.call('session.decision', { params })).attempts).toBe(2);
    expect((await test.client.call('session.decision', { params })).attempts).toBe(1);
    expect(vendor.requests.map(({ headers }) => headers['x-api-key'])).toEqual(['old', 'new', 'new']);
    expect(test.failures).toEqual([]);
  });

  it('fail once when both are refused, whatever the number of calls', async () => {
    await using test = clientOf(vendor, { keys: ['old', 'new'] });
    onlyWith('neither');
    const failure = await failureOf(test.client.call('session.decision', { params }));
    expect(failure).toMatchObject({ problem: 'vendor-credentials', code: 'vendor-credentials', status: 502 });
    expect(test.failures).toMatchObject([{ attempts: 2 }]);
  });

  it('do not switch back and forth when many calls fail together', async () => {
    const credential = new ApiKeyCredential([new Secret('old'), new Secret('new')]);
    const [first, second] = [await credential.headers(), await credential.headers()];
    expect([credential.rejected(first), credential.rejected(second)]).toEqual([true, true]);
    expect(await credential.headers()).toEqual({ 'x-api-key': 'new' });
  });

  it('are one or two', () => {
    expect(() => new ApiKeyCredential([])).toThrow('one API key is needed');
    expect(new ApiKeyCredential([new Secret('only')]).rejected({})).toBe(false);
  });
});
