import { createHmac, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';
import { type Answer, startSystem, type System, until } from '../support/system.js';

interface Verification {
  id: string;
  status: string;
  vendor: { sessionId: string };
}
interface Found {
  items: { record: { kind: string; call?: string; detail?: Record<string, unknown>; decision?: { rule: string } } }[];
}

type Json = Record<string, unknown>;

async function verification(system: System): Promise<Verification> {
  const body = {
    workflow: 'onboarding',
    subject: { reference: `webhook-${randomUUID()}`, relationship: 'prospect' },
  };
  const answer = await system.v1<Verification>('/v1/verifications', { body });
  expect(answer.status).toBe(201);
  return answer.body;
}

const statusOf = async (system: System, id: string): Promise<string> =>
  (await system.v1<Verification>(`/v1/verifications/${id}`)).body.status;

const becomes = (system: System, id: string, status: string, withinMs?: number): Promise<true> =>
  until(async () => (await statusOf(system, id)) === status || undefined, withinMs);

const event = (sessionId: string, members: Json = {}): Json => ({
  created_at: seconds(),
  environment: 'sandbox',
  event_id: randomUUID(),
  session_id: sessionId,
  status: 'Approved',
  timestamp: seconds(),
  webhook_type: 'status.updated',
  ...members,
});

function seconds(): number {
  return Math.floor(Date.now() / 1_000);
}

const hmac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex');

/** Sends a notification as the vendor does: signed over its bytes, unless told otherwise. */
function deliver(
  system: System,
  payload: Json,
  headers: (text: string, secret: string) => Record<string, string> = (text, secret) => ({
    'x-signature': hmac(secret, text),
  }),
): Promise<Answer<{ received?: boolean; code?: string }>> {
  const { diditWebhookUrl, diditWebhookSecret } = system.credentials;
  const text = JSON.stringify(payload);
  return system.call(diditWebhookUrl, {
    body: text,
    headers: {
      'content-type': 'application/json',
      'x-timestamp': String(payload['timestamp']),
      ...headers(text, diditWebhookSecret),
    },
  });
}

const simple =
  (payload: Json) =>
  (_text: string, secret: string): Record<string, string> => ({
    'x-signature-simple': hmac(
      secret,
      [payload['timestamp'], payload['session_id'], payload['status'], payload['webhook_type']].join(':'),
    ),
  });

/** What was recorded of the webhook that a call brought. */
const received = (system: System, answer: Answer): Promise<Json> =>
  until(async () => {
    const { body } = await system.admin<Found>('/audit/records?kind=webhook.received&limit=100');
    const found = body.items.find(({ record }) => record.call === answer.headers['gatehouse-record']);
    return found?.record.detail;
  });

describe('POST /webhooks/didit', () => {
  const system = sharedSystem();

  it('moves a verification once the person has finished, by the vendor’s own webhook', async () => {
    const made = await verification(system);
    await system.sandbox(`sessions/${made.vendor.sessionId}/finish`, { body: { status: 'Approved' } });
    await becomes(system, made.id, 'approved', 5_000);
  });

  it('believes the vendor’s decision and not what a webhook says', async () => {
    const made = await verification(system);
    const answer = await deliver(system, event(made.vendor.sessionId, { status: 'Approved' }));
    expect([answer.status, answer.body]).toEqual([200, { received: true }]);
    expect(await received(system, answer)).toMatchObject({ verdict: 'trusted', reason: 'raw', duplicate: false });
    await until(async () => {
      const { body } = await system.admin<Found>('/audit/records?kind=vendor.call&limit=100');
      return body.items.some(({ record }) => record.detail?.['job'] === 'webhooks.follow');
    });
    expect(await statusOf(system, made.id)).toBe('pending');
  });

  it('answers a duplicate like the first and does nothing', async () => {
    const payload = event(randomUUID());
    const answers = [await deliver(system, payload), await deliver(system, payload)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await Promise.all(answers.map((answer) => received(system, answer)))).toMatchObject([
      { duplicate: false },
      { duplicate: true },
    ]);
  });

  it('keeps what names an unknown session, no session, or a type of tomorrow', async () => {
    const { event_id: _, ...console } = event(randomUUID(), { metadata: { test_webhook: true } });
    for (const payload of [
      event(randomUUID()),
      event('', { session_id: undefined, webhook_type: 'transaction.created' }),
      event(randomUUID(), { webhook_type: 'something.new' }),
      console,
    ]) {
      const answer = await deliver(system, payload, (text, secret) => ({
        'x-signature': hmac(secret, text),
        'x-didit-test-webhook': 'true',
      }));
      expect([answer.status, answer.body]).toEqual([200, { received: true }]);
    }
  });

  it('shows administrators what was received, of whatever type, and nothing that names somebody', async () => {
    const session = randomUUID();
    const payload = event(session, { webhook_type: 'something.new', vendor_data: 'Zoë Müller', decision: { a: 'b' } });
    await deliver(system, payload);
    const { body } = await system.admin<{ items: { id: string }[] }>(`/webhooks/received?session=${session}`);
    expect(body.items).toMatchObject([
      { vendor: 'didit', type: 'something.new', session, verdict: 'trusted', state: expect.any(String) },
    ]);
    const one = await system.admin<{ body: Json }>(`/webhooks/received/${body.items[0]?.id}`, { scope: 'auditor' });
    const { vendor_data: _, decision: __, ...shown } = payload;
    expect(one.body.body).toEqual(shown);
    expect(one.text).not.toContain('Zoë');
    expect((await system.admin('/webhooks/received/nonsense')).status).toBe(404);
    expect((await system.admin('/webhooks/received?type=%00')).status).toBe(400);
  });

  it('has one worked on again by hand', async () => {
    const made = await verification(system);
    await system.sandbox('webhooks/faults', { body: { kind: 'drop', share: 1 } });
    const answer = await deliver(system, event(made.vendor.sessionId, { status: 'In Progress' }));
    expect(answer.status).toBe(200);
    const of = `/webhooks/received?session=${made.vendor.sessionId}`;
    const item = await until(async () => {
      const { body } = await system.admin<{ items: { id: string; state: string }[] }>(of);
      return body.items.find(({ state }) => state === 'done');
    });
    await system.sandbox(`sessions/${made.vendor.sessionId}/finish`, { body: { status: 'Declined' } });
    await system.sandbox('webhooks/faults', { method: 'DELETE' });
    expect((await system.admin(`/webhooks/received/${item.id}/work`, { method: 'POST' })).status).toBe(202);
    await becomes(system, made.id, 'declined', 5_000);
  });

  it('refuses a forged one as it refuses any credential', async () => {
    const made = await verification(system);
    for (const headers of [
      (text: string) => ({ 'x-signature': hmac('another secret', text) }),
      () => ({ 'x-signature': 'nonsense', 'x-signature-v2': '', 'x-signature-simple': '0'.repeat(64) }),
      () => ({}),
    ]) {
      const answer = await deliver(system, event(made.vendor.sessionId), headers);
      expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
      expect(answer.headers['content-type']).toContain('application/problem+json');
      const record = await until(async () => {
        const found = await system.admin<Found['items'][0]>(
          `/audit/records/${String(answer.headers['gatehouse-record'])}`,
        );
        return found.status === 200 && found.body.record;
      });
      expect(record.decision?.rule).toBe('webhook.signature');
    }
  });

  it('judges bytes of any type and shape by their signature: none is a 401 and nothing else', async () => {
    const url = system.credentials.diditWebhookUrl;
    for (const [type, body] of [
      ['application/x-www-form-urlencoded', 'a=b'],
      ['application/json', '{'],
      ['text/plain', 'hello'],
      ['application/json', '{"__proto__":{"x":1}}'],
      ['application/json', JSON.stringify('x'.repeat(2_000_000))],
    ] as const) {
      expect((await system.call(url, { body, headers: { 'content-type': type } })).status).toBe(401);
    }
    expect((await system.call(url)).status).toBe(405);
    expect((await system.call(`${system.credentials.adminUrl}/webhooks/didit`, { body: {} })).status).toBe(404);
  });

  it('takes an event that is nested deeper than a caller’s body may be', async () => {
    let metadata: object = { deepest: true };
    for (let depth = 0; depth < 29; depth += 1) metadata = { inner: metadata };
    const created = await system.didit<{ session_id: string }>('session/', {
      body: { workflow_id: system.credentials.diditWorkflowId, vendor_data: `deep-${crypto.randomUUID()}`, metadata },
    });
    expect(created.status).toBe(201);
    await system.sandbox(`sessions/${created.body.session_id}/finish`, { body: { status: 'Approved' } });
    const delivered = await until(async () => {
      const { body } = await system.sandbox<{ items: { sessionId: string; status: string; state: string }[] }>(
        'webhooks',
      );
      return body.items.find(
        (item) => item.sessionId === created.body.session_id && item.status === 'Approved' && item.state !== 'pending',
      );
    });
    expect(delivered.state).toBe('delivered');
  });
});

describe('on a system of its own, a webhook', () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem({ yaml: 'policy: { rates: { address: 100/min, anonymous: 50/min } }' });
  });

  afterAll(() => system.stop());

  it.each<[string, string, (payload: Json) => [Json, ((text: string, secret: string) => Record<string, string>)?]]>([
    ['only its simple signature is valid', 'simple-only', (payload) => [payload, simple(payload)]],
    ['it is stale', 'stale', (payload) => [{ ...payload, timestamp: seconds() - 301 }]],
    [
      'its header’s time is another',
      'timestamp-mismatch',
      (payload) => [
        payload,
        (text, secret) => ({ 'x-signature': hmac(secret, text), 'x-timestamp': String(seconds() + 2) }),
      ],
    ],
  ])('has the vendor asked when %s', async (_, reason, made) => {
    const { id, vendor } = await verification(system);
    await system.sandbox('webhooks/faults', { body: { kind: 'drop', share: 1 } });
    await system.sandbox(`sessions/${vendor.sessionId}/finish`, { body: { status: 'Declined' } });
    await system.sandbox('webhooks/faults', { method: 'DELETE' });
    const [payload, headers] = made(event(vendor.sessionId, { status: 'Approved' }));
    const answer = await deliver(system, payload, headers);
    expect([answer.status, answer.body]).toEqual([200, { received: true }]);
    expect(await received(system, answer)).toMatchObject({ verdict: 'ask', reason });
    await becomes(system, id, 'declined', 5_000);
  });

  it('is taken while forged ones come in floods from the same address', async () => {
    const forged = (): Promise<Answer> =>
      deliver(system, event(randomUUID()), () => ({ 'x-signature': '0'.repeat(64) }));
    const floods = await Promise.all(Array.from({ length: 200 }, forged));
    expect(new Set(floods.map(({ status }) => status))).toEqual(new Set([401, 429]));
    const { id, vendor } = await verification(system);
    await system.sandbox(`sessions/${vendor.sessionId}/finish`, { body: { status: 'Approved' } });
    await becomes(system, id, 'approved', 5_000);
    expect((await deliver(system, event(randomUUID()))).status).toBe(200);
  });

  it('is worked on though the gateway was killed the instant after', async () => {
    const made = await verification(system);
    await system.sandbox('webhooks/faults', { body: { kind: 'drop', share: 1 } });
    await system.sandbox(`sessions/${made.vendor.sessionId}/finish`, { body: { status: 'Approved' } });
    expect((await deliver(system, event(made.vendor.sessionId))).status).toBe(200);
    await system.kill();
    system = await startSystem({ dataDir: system.dataDir });
    await becomes(system, made.id, 'approved', 25_000);
  });

  it('is durable: where it cannot be, the answer is 503 within five seconds', async () => {
    const holder = new Client({ connectionString: system.credentials.databaseUrl });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE webhooks.inbox IN ACCESS EXCLUSIVE MODE');
    const payload = event(randomUUID());
    const startedAt = performance.now();
    const refused = await deliver(system, payload);
    expect([refused.status, refused.body.code]).toEqual([503, 'audit-unavailable']);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(refused.headers['retry-after']).toBeDefined();
    await holder.query('ROLLBACK');
    await holder.end();
    expect((await deliver(system, payload)).status).toBe(200);
  });
});
