import { connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';
import { until } from '../support/system.js';

const system = sharedSystem();
const { publicUrl, adminUrl, apiKey } = system.credentials;
const port = Number(new URL(publicUrl).port);

/** Sends bytes as they are and gives back all that comes until the other side closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: system.ca }, () =>
      socket.write(text),
    );
    let all = '';
    socket.on('data', (chunk: Buffer) => (all += chunk.toString()));
    socket.on('end', () => resolve(all));
    socket.on('error', reject);
    socket.setTimeout(10_000, () => {
      socket.destroy();
      resolve(all);
    });
  });
}

function problemOf(answer: string): { code: string; status: number; decisionId: string } {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as {
    code: string;
    status: number;
    decisionId: string;
  };
}

async function recordOf(id: string | undefined): Promise<{ decision: { rule: string; outcome: string; id: string } }> {
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  const answer = await until(async () => {
    const found = await system.admin<{ record: { decision: { rule: string; outcome: string; id: string } } }>(
      `/audit/records/${id}`,
    );
    return found.status === 200 ? found : undefined;
  });
  return answer.body.record;
}

describe('answers that the framework gives before any guard runs', () => {
  it.each([
    ['a bad URL', 'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
    ['no HTTP at all', 'what is this\r\n\r\n', 400, 'malformed-request'],
    [
      'headers that overflow',
      `GET / HTTP/1.1\r\nHost: x\r\nx-big: ${'a'.repeat(70_000)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    [
      'a duplicated length',
      'POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      400,
      'malformed-request',
    ],
    [
      'a smuggled body',
      'POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'malformed-request',
    ],
  ])('%s is problem details, recorded', async (_name, request, status, code) => {
    const answer = await raw(request);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
    const problem = problemOf(answer);
    expect(problem).toMatchObject({ status, code });
    const record = await recordOf(/gatehouse-record: (\S+)/i.exec(answer)?.[1]);
    expect(record.decision).toMatchObject({ outcome: 'deny', id: problem.decisionId });
  });

  it('closes plain HTTP on the TLS port', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connectPlain(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
      let all = '';
      socket.on('data', (chunk) => (all += chunk.toString('latin1')));
      socket.on('close', () => resolve(all));
      socket.on('error', () => resolve(all));
    });
    expect(answer).not.toContain('HTTP/1.1');
  });
});

describe('refusals by the router and the parser', () => {
  const url = `${publicUrl}/v1/verifications`;

  it('404 for an unknown path, with the rule in the record', async () => {
    const answer = await system.call<{ code: string; instance: string }>(`${publicUrl}/nowhere?name=Zo%C3%AB`);
    expect(answer.body).toMatchObject({ code: 'not-found', instance: '/nowhere' });
    const record = await recordOf(answer.headers['gatehouse-record'] as string);
    expect(record.decision.rule).toBe('route.unknown');
    expect(JSON.stringify(record)).not.toContain('Zo');
  });

  it('405 with Allow for a known path', async () => {
    const answer = await system.call<{ code: string }>(url, { method: 'PUT', body: {} });
    expect(answer.status).toBe(405);
    expect(answer.body.code).toBe('method-not-allowed');
    expect(answer.headers['allow']).toBe('GET, HEAD, POST');
  });

  it.each([
    [415, 'unsupported-media-type', 'text/plain', 'hello'],
    [400, 'malformed-request', 'application/json', '{"a":'],
    [400, 'malformed-request', 'application/json', `${'['.repeat(40)}${']'.repeat(40)}`],
    [413, 'body-too-large', 'application/json', JSON.stringify('x'.repeat(1_100_000))],
  ])('%i %s before any credential is looked at', async (status, code, type, body) => {
    const answer = await system.call<{ code: string }>(url, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  it('414 for an address that is too long', async () => {
    const answer = await system.call<{ code: string }>(`${url}?x=${'a'.repeat(9_000)}`);
    expect([answer.status, answer.body.code]).toEqual([414, 'uri-too-long']);
  });

  it('answers every refusal with HSTS and without a trace of the framework', async () => {
    const answer = await system.call(url);
    expect(answer.status).toBe(401);
    expect(answer.headers['strict-transport-security']).toContain('max-age=');
    expect(answer.headers['x-powered-by']).toBeUndefined();
  });
});

describe('one and the same 401 outside', () => {
  it('for an unknown key, a malformed one, none at all and a token of nobody', async () => {
    const bodies = new Set<string>();
    for (const headers of [
      {},
      { 'x-api-key': 'nonsense' },
      { 'x-api-key': `gh_aaaaaaaa_${'a'.repeat(43)}` },
      { 'x-api-key': `${apiKey.slice(0, -2)}zz` },
      { 'x-api-key': apiKey, authorization: 'Bearer nonsense' },
      { 'x-api-key': apiKey },
    ] as Record<string, string>[]) {
      const answer = await system.call(`${publicUrl}/v1/verifications`, { headers });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBeDefined();
      const { decisionId: _d, traceId: _t, ...rest } = answer.body;
      bodies.add(JSON.stringify([rest, answer.headers['www-authenticate']]));
    }
    expect(bodies.size).toBe(1);
  });
});

describe('health', () => {
  it.each(['live', 'ready', 'startup'])('%s answers 200 on the public listener alone', async (kind) => {
    expect((await system.call(`${publicUrl}/health/${kind}`)).status).toBe(200);
    expect((await system.call(`${adminUrl}/health/${kind}`)).status).toBe(404);
  });

  it('shows its detailed state to an operator alone', async () => {
    const state = await system.admin<{ phase: string; parts: { name: string; status: string }[] }>('/health');
    expect(state.body).toMatchObject({ phase: 'serving', parts: [{ name: 'postgres', status: 'up' }] });
    expect((await system.call(`${adminUrl}/admin/v1/health`)).status).toBe(401);
  });

  it('shows metrics to the static bearer alone', async () => {
    const { opsToken } = system.credentials;
    const metrics = await system.call(`${adminUrl}/metrics`, { headers: { authorization: `Bearer ${opsToken}` } });
    expect(metrics.status).toBe(200);
    expect(metrics.text).toContain('http_server_request_duration_bucket');
    expect((await system.call(`${adminUrl}/metrics`)).status).toBe(401);
    expect(
      (await system.call(`${adminUrl}/metrics`, { headers: { authorization: `Bearer ${await system.adminToken()}` } }))
        .status,
    ).toBe(401);
  });
});

describe('traces', () => {
  it('go on with the caller’s', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const answer = await system.call<{ traceId: string }>(`${publicUrl}/nowhere`, {
      headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` },
    });
    expect(answer.body.traceId).toBe(trace);
  });
});
