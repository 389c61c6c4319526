import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, failureOf, params } from './testing/client.js';
import { FakeVendor, json } from './testing/fake-vendor.js';

let vendor: FakeVendor;
beforeAll(async () => {
  vendor = await FakeVendor.start();
});
afterEach(() => vendor.reset());
afterAll(() => vendor.stop());

const MB = 1024 * 1024;
const REPORT = { request_id: 'r-1', liveness: { status: 'Approved' } };
const contentType = 'multipart/form-data; boundary=----x';

/** `count` megabytes, made only when they are asked for. */
function megabytes(count: number): Readable & { made: number } {
  const state = { made: 0 };
  const stream = new Readable({
    read() {
      state.made += 1;
      this.push(state.made > count ? null : Buffer.alloc(MB, state.made));
    },
  });
  return Object.defineProperty(stream, 'made', { get: () => state.made }) as Readable & { made: number };
}

/** The stream of an answer that must have one. */
function whole(stream: Readable | undefined): Readable {
  if (stream === undefined) throw new Error('the answer has no stream');
  return stream;
}

describe('an upload', () => {
  it('passes as it is, with its media type and length', async () => {
    await using test = clientOf(vendor);
    const form = '------x\r\nContent-Disposition: form-data; name="user_image"\r\n\r\n\u0001\r\n------x--\r\n';
    let received = '';
    vendor.handler = (request, response) => {
      request.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
      request.on('end', () => json(200, REPORT)(request, response));
    };
    const stream = Readable.from([form.slice(0, 30), form.slice(30)]);
    const answer = await test.client.call('passive-liveness', {
      body: { stream, contentType, contentLength: Buffer.byteLength(form) },
    });
    expect(answer.body).toEqual(REPORT);
    expect(received).toBe(form);
    expect(vendor.requests[0]?.headers).toMatchObject({
      'content-type': contentType,
      'content-length': String(Buffer.byteLength(form)),
    });
  });

  it('is read only as fast as the vendor takes it', async () => {
    await using test = clientOf(vendor);
    let open = (): unknown => undefined;
    vendor.handler = (request, response) => {
      open = () => request.resume();
      request.on('end', () =>
        json(200, { request_id: 'r', id_verification: { status: 'Approved' } })(request, response),
      );
    };
    const stream = megabytes(20);
    const call = test.client.call('id-verification', { body: { stream, contentType } });
    await expect.poll(() => vendor.requests.length).toBe(1);
    await expect.poll(() => stream.made).toBeGreaterThan(1);
    // What is under way fits in the buffers of two sockets, far from the whole.
    expect(stream.made).toBeLessThan(12);
    open();
    expect((await call).status).toBe(200);
  });

  it.each([
    ['as it says itself', 7 * MB],
    ['as it turns out', undefined],
  ])('that is too large, %s, is refused as the caller’s', async (_, contentLength) => {
    await using test = clientOf(vendor);
    vendor.handler = (request) => request.resume();
    const stream = megabytes(7);
    const call = test.client.call('passive-liveness', {
      body: { stream, contentType, ...(contentLength === undefined ? {} : { contentLength }) },
    });
    await expect(call).rejects.toMatchObject({ code: 'body-too-large', status: 413 });
    expect(test.failures).toEqual([]);
    // The caller's connection lives on: the rest of its body runs out.
    await expect.poll(() => stream.readableEnded).toBe(true);
  });

  it('that breaks off is the caller’s fault and not the vendor’s', async () => {
    await using test = clientOf(vendor);
    vendor.handler = (request) => request.resume();
    const stream = new Readable({ read: () => undefined });
    stream.push('begin');
    const call = test.client.call('passive-liveness', { body: { stream, contentType } });
    await expect.poll(() => vendor.requests.length).toBe(1);
    stream.destroy(new Error('aborted'));
    await expect(call).rejects.toMatchObject({ code: 'malformed-request' });
    expect(test.failures).toEqual([]);
  });

  it('that is refused before its end still gets its answer, and is not sent twice', async () => {
    await using test = clientOf(vendor, { keys: ['old', 'new'] });
    vendor.handler = (_request, response) => {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"detail":"This API key has expired."}');
    };
    const stream = megabytes(5);
    const failure = await failureOf(test.client.call('passive-liveness', { body: { stream, contentType } }));
    expect(failure).toMatchObject({ problem: 'vendor-credentials', outcome: 'none' });
    await expect.poll(() => stream.readableEnded).toBe(true);
    expect(vendor.requests).toHaveLength(1);
  });

  it('of JSON or bytes has its limit too', async () => {
    await using test = clientOf(vendor);
    const huge = 'x'.repeat(2 * MB);
    await expect(test.client.call('aml', { body: { json: { huge } } })).rejects.toMatchObject({
      code: 'body-too-large',
    });
    vendor.handler = json(200, { request_id: 'r', aml: { status: 'Approved' } });
    const bytes = Buffer.from('{"full_name":"A"}');
    await test.client.call('aml', { body: { bytes, contentType: 'application/json' } });
    expect(vendor.requests).toHaveLength(1);
  });
});

describe('a PDF', () => {
  const pdf = { 'content-type': 'application/pdf', 'content-disposition': 'attachment; filename=session_x.pdf' };

  it('comes as a stream', async () => {
    await using test = clientOf(vendor);
    vendor.handler = (_request, response) => response.writeHead(200, pdf).end('%PDF-1.7 and more');
    const answer = await test.client.call('session.pdf', { params });
    expect(answer).toMatchObject({ status: 200, body: undefined, headers: pdf });
    expect(await text(whole(answer.stream))).toBe('%PDF-1.7 and more');
  });

  it('is read from the vendor only as fast as the caller takes it', async () => {
    await using test = clientOf(vendor);
    const source = megabytes(40);
    vendor.handler = (_request, response) => void source.pipe(response.writeHead(200, pdf));
    const { stream } = await test.client.call('session.pdf', { params });
    await expect.poll(() => source.made).toBeGreaterThan(1);
    expect(source.made).toBeLessThan(30);
    let bytes = 0;
    for await (const chunk of whole(stream)) bytes += Buffer.isBuffer(chunk) ? chunk.length : 0;
    expect(bytes).toBe(40 * MB);
  });

  it('that is cut off fails its reader', async () => {
    await using test = clientOf(vendor);
    vendor.handler = (_request, response) => {
      response.writeHead(200, { ...pdf, 'content-length': 100 }).write('%PDF-', () => response.socket?.end());
    };
    const { stream } = await test.client.call('session.pdf', { params });
    await expect(text(whole(stream))).rejects.toMatchObject({ problem: 'vendor-invalid-answer' });
  });

  it('that nobody wants any more lets its connection go', async () => {
    await using test = clientOf(vendor);
    vendor.handler = (_request, response) => void response.writeHead(200, pdf).write('%PDF-');
    const { stream } = await test.client.call('session.pdf', { params });
    stream?.destroy();
    await expect.poll(() => vendor.sockets.size).toBe(0);
  });

  it('stops with the call that asked for it', async () => {
    await using test = clientOf(vendor);
    vendor.handler = (_request, response) => void response.writeHead(200, pdf).write('%PDF-');
    const abort = new AbortController();
    const { stream } = await test.client.call('session.pdf', { params, signal: abort.signal });
    abort.abort();
    await expect(text(whole(stream))).rejects.toMatchObject({ problem: 'vendor-timeout' });
  });

  it('of an unfinished session is a 403 that is handed back, one without a right is not', async () => {
    await using test = clientOf(vendor);
    const detail = 'You can only generate a PDF for sessions in review, declined, approved or kyc expired';
    vendor.handler = json(403, { detail });
    expect(await test.client.call('session.pdf', { params })).toMatchObject({
      status: 403,
      code: 'conflict',
      body: { detail },
    });
    vendor.handler = json(403, { detail: 'You do not have permission to perform this action.' });
    expect((await failureOf(test.client.call('session.pdf', { params }))).problem).toBe('vendor-credentials');
  });

  it('is no PDF when it is JSON', async () => {
    await using test = clientOf(vendor);
    vendor.handler = json(200, {});
    const failure = await failureOf(test.client.call('session.pdf', { params }));
    expect(failure).toMatchObject({ problem: 'vendor-invalid-answer', reason: 'answer.content-type' });
  });
});
