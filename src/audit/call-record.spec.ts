import { describe, expect, it } from 'vitest';
import { type Answer, type Call, ManualClock, uuidv7 } from '../platform/index.js';
import type { AuditLog } from './audit-log.js';
import { CallWriter } from './call-writer.js';
import { pickHeaders, REQUEST_HEADERS, RESPONSE_HEADERS } from './header-names.js';
import type { RecordInput } from './record.js';
import type { Refusal, RefusalsJournal } from './refusals-journal.js';

const clock = new ManualClock();

function call(over: Partial<Call> = {}): Call {
  return {
    id: uuidv7(),
    at: clock.now(),
    startedNs: clock.monotonic(),
    deadlineMs: Infinity,
    listener: 'public',
    method: 'POST',
    path: '/v1/verifications/ana-garcia',
    address: '192.0.2.1',
    secure: true,
    agent: 'bank/1.0',
    tls: 'TLSv1.3',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    signal: new AbortController().signal,
    routeClass: 'data',
    route: '/v1/verifications/:id',
    decision: { id: uuidv7(), outcome: 'allow', rule: 'corridor', reason: 'every check passed' },
    bytesIn: 18,
    anonymous: false,
    recorded: false,
    ...over,
  };
}

const answer: Answer = {
  status: 201,
  headers: { 'content-type': 'application/json', 'content-length': 20, 'set-cookie': 'secret=1' },
  body: '{"name":"Ana"}',
  bytesOut: 14,
};

class FakeLog {
  readonly records: RecordInput[] = [];
  readonly keys: (Buffer | undefined)[] = [];

  append(record: RecordInput, key?: Buffer): Promise<void> {
    this.records.push(record);
    this.keys.push(key);
    return Promise.resolve();
  }
}

function writer(): { writer: CallWriter; log: FakeLog; noted: Refusal[] } {
  const log = new FakeLog();
  const noted: Refusal[] = [];
  const journal = { note: (refusal: Refusal) => Promise.resolve(void noted.push(refusal)) };
  const parts = {
    auditLog: log as unknown as AuditLog,
    journal: journal as unknown as RefusalsJournal,
    clock,
    policyVersion: 'p1',
  };
  return { writer: new CallWriter(parts), log, noted };
}

describe('the record of a call', () => {
  it('tells who, what, how it was decided and how it ended', async () => {
    const { writer: callWriter, log } = writer();
    const client = uuidv7();
    const one = call({
      caller: { kind: 'client', id: client, name: 'bank', scopes: new Set(), keyId: 'gk_ab12', tokenId: 'jti-1' },
      verification: uuidv7(),
      subject: '9f86d081884c7d65',
      vendor: { name: 'didit', operation: 'session.create', status: 201, attempt: 1, rung: 'fresh', durationUs: 900 },
      detail: { idempotency: 'first' },
      rawBody: Buffer.from('{"reference":"42"}'),
      requestHeaders: {
        accept: '*/*',
        authorization: 'Bearer x',
        'x-api-key': 'k',
        cookie: 'c',
        traceparent: '00-1-2-01',
      },
    });
    clock.advance(7);
    await callWriter.commit(one, answer);
    expect(log.records).toEqual([
      {
        id: one.id,
        at: one.at.toISOString(),
        kind: 'call',
        trace: one.traceId,
        client,
        credential: 'gk_ab12',
        actor: undefined,
        verification: one.verification,
        subject: '9f86d081884c7d65',
        http: {
          address: '192.0.2.1',
          agent: 'bank/1.0',
          bytesIn: 18,
          bytesOut: 14,
          durationUs: 7_000,
          method: 'POST',
          requestDigest: expect.stringMatching(/^hmac-sha256:[0-9a-f]{64}$/) as string,
          requestHeaders: { accept: '*/*', traceparent: '00-1-2-01' },
          responseDigest: expect.stringMatching(/^hmac-sha256:[0-9a-f]{64}$/) as string,
          responseHeaders: { 'content-length': '20', 'content-type': 'application/json' },
          route: '/v1/verifications/:id',
          status: 201,
          tls: 'TLSv1.3',
        },
        decision: { ...one.decision, policyVersion: 'p1' },
        vendor: one.vendor,
        detail: { idempotency: 'first', tokenId: 'jti-1' },
      },
    ]);
    expect(log.keys[0]).toHaveLength(16);
  });

  it('holds nothing of path, bodies, credentials or names', async () => {
    const { writer: callWriter, log } = writer();
    const requestHeaders = { authorization: 'Bearer secret-token', cookie: 'secret-cookie', 'x-api-key': 'secret-key' };
    const scopes = new Set<string>();
    await callWriter.commit(
      call({
        requestHeaders,
        rawBody: Buffer.from('Ana'),
        caller: { kind: 'client', id: 'c', name: 'secret-name', scopes },
      }),
      answer,
    );
    expect(JSON.stringify(log.records)).not.toMatch(/secret|Ana|ana-garcia/);
  });

  it('names an administrator by id, and the credential of a refusal as it was tried', async () => {
    const { writer: callWriter, log } = writer();
    await callWriter.commit(
      call({ caller: { kind: 'administrator', id: 'a-1', name: 'Eva', roles: new Set(), tokenId: 't-1' } }),
      answer,
    );
    await callWriter.commit(call({ credential: 'gk_zz99' }), answer);
    expect(log.records.map(({ actor, client, credential }) => ({ actor, client, credential }))).toEqual([
      { actor: 'a-1', client: undefined, credential: 't-1' },
      { actor: undefined, client: undefined, credential: 'gk_zz99' },
    ]);
  });

  it('needs no key where no body passed', async () => {
    const { writer: callWriter, log } = writer();
    await callWriter.commit(call(), { ...answer, body: undefined });
    expect(log.keys).toEqual([undefined]);
    expect(log.records[0]?.http).toMatchObject({ requestDigest: undefined, responseDigest: undefined });
  });

  it('goes small to the journal when it could not be written', () => {
    const { writer: callWriter, noted } = writer();
    const one = call();
    callWriter.refused(one, { ...answer, status: 503 });
    expect(noted).toEqual([
      {
        at: one.at.toISOString(),
        call: one.id,
        client: undefined,
        method: 'POST',
        route: '/v1/verifications/:id',
        status: 503,
      },
    ]);
  });
});

describe('headers', () => {
  it('are picked by name', () => {
    const headers = { 'content-type': 'text/plain', 'content-length': 3, authorization: 'x', 'x-real-name': 'Ana' };
    expect(pickHeaders(REQUEST_HEADERS, headers)).toEqual({ 'content-type': 'text/plain', 'content-length': '3' });
    expect(pickHeaders(RESPONSE_HEADERS, { allow: ['GET', 'HEAD'] })).toEqual({ allow: 'GET, HEAD' });
    expect(pickHeaders(REQUEST_HEADERS, { cookie: 'x' })).toBeUndefined();
    expect(pickHeaders(REQUEST_HEADERS, undefined)).toBeUndefined();
  });

  it('are left out when they do not look like bookkeeping', () => {
    expect(pickHeaders(REQUEST_HEADERS, { accept: 'x'.repeat(257), 'content-type': 'José' })).toBeUndefined();
  });

  it('never include one that carries a credential, a cookie or an address', () => {
    const forbidden = /auth(?!enticate$)|cookie|key|signature|secret|token|forwarded|dpop|referer|from$/;
    expect([...REQUEST_HEADERS, ...RESPONSE_HEADERS].filter((name) => forbidden.test(name))).toEqual([]);
  });

  it('are listed in canonical order', () => {
    for (const names of [REQUEST_HEADERS, RESPONSE_HEADERS]) expect([...names].sort()).toEqual(names);
  });
});
