import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSystem, type System, until, WIDE_LIMITS } from '../support/system.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

/** A collector that keeps what it is sent: OTLP over HTTP, whose names and values are readable in the bytes. */
describe('spans', () => {
  let collector: Server;
  let system: System;
  const received: Buffer[] = [];

  beforeAll(async () => {
    collector = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        if (request.url === '/v1/traces') received.push(Buffer.concat(parts));
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
    const port = await new Promise<number>((resolve) => {
      collector.listen(0, '127.0.0.1', () => resolve((collector.address() as AddressInfo).port));
    });
    system = await startSystem({ yaml: WIDE_LIMITS, env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` } });
  });
  afterAll(async () => {
    await system.stop();
    collector.close();
  });

  it('are made for the call and for the vendor call in the caller’s trace, by the conventions’ names and without personal data', async () => {
    const answer = await system.v1('/v1/verifications?name=Zo%C3%AB', {
      body: { workflow: 'onboarding', subject: { reference: 'a-reference-of-the-bank', relationship: 'customer' } },
      headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` },
    });
    expect(answer.status).toBe(201);
    const spans = await until(() => {
      const all = Buffer.concat(received);
      return Promise.resolve(all.includes('session.create') ? all : undefined);
    });
    expect(spans.includes(Buffer.from(TRACE, 'hex'))).toBe(true);
    for (const name of [
      'POST /v1/verifications',
      'http.request.method',
      'http.route',
      'http.response.status_code',
      'server.address',
    ]) {
      expect(spans.includes(name)).toBe(true);
    }
    for (const personal of ['a-reference-of-the-bank', 'Zo%C3%AB', 'Zoë', 'url.query', 'http.status_code']) {
      expect(spans.includes(personal)).toBe(false);
    }
    const record = await system.admin<{ record: { trace: string } }>(
      `/audit/records/${String(answer.headers['gatehouse-record'])}`,
    );
    expect(record.body.record.trace).toBe(TRACE);
  });
});
