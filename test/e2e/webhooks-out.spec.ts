import { randomUUID, verify } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Arrived,
  httpFake,
  type HttpFake,
  type SaidBack,
  specCertificates,
  type SpecCertificates,
} from '../../src/audit/siem/testing/receivers.js';
import { publicKeyOf } from '../../src/webhooks/out/signing.js';
import { startSystem, type System, until, WIDE_LIMITS } from '../support/system.js';

interface Endpoint {
  id: string;
  secret: string | null;
  state: string;
  reason: string | null;
  version: number;
  keys: { publicKey: string | null; expiresAt: string | null }[];
}
interface Delivery {
  id: string;
  state: string;
  attempts: number;
  event: { id: string; type: string; verification: string | null };
  tries: { outcome: string; status: number }[];
}
interface Problem {
  code: string;
  errors: { pointer: string; message: string }[];
}
interface Message {
  type: string;
  timestamp: string;
  data: { id?: string; status?: string; previous?: string; verification?: { id: string; subject: object } | null };
}

describe('webhooks to the firm’s systems', () => {
  let files: SpecCertificates;
  let receiver: HttpFake;
  let answer: (arrived: Arrived, n: number) => SaidBack | Promise<SaidBack> = () => ({});
  let system: System;

  beforeAll(async () => {
    files = await specCertificates();
    receiver = await httpFake(files, (arrived, n) => answer(arrived, n));
    system = await startSystem({
      yaml: `${WIDE_LIMITS}
webhooks: { out: { allow: [127.0.0.0/8], caFile: ${files.caFile}, timeout: 1s, retries: [100ms, 100ms, 100ms, 100ms] } }
`,
    });
  });
  afterAll(async () => {
    await system.stop();
    await receiver.stop();
    files.remove();
  });
  afterEach(async () => {
    answer = () => ({});
    const { body } = await system.admin<{ items: Endpoint[] }>('/webhooks/endpoints?limit=200');
    for (const { id } of body.items) await system.admin(`/webhooks/endpoints/${id}`, { method: 'DELETE' });
    receiver.arrived.length = 0;
  });

  const path = (): string => `/${randomUUID()}`;
  const create = async (more: object = {}, at = path()): Promise<Endpoint & { path: string }> => {
    const { status, body } = await system.v1<Endpoint>('/v1/webhook-endpoints', {
      body: { url: `${receiver.url}${at}`, ...more },
    });
    expect(status).toBe(201);
    return { ...body, path: at };
  };
  const verification = async (): Promise<{ id: string; sessionId: string }> => {
    const { body } = await system.v1<{ id: string; vendor: { sessionId: string } }>('/v1/verifications', {
      body: { workflow: 'onboarding', subject: { reference: `cust-${randomUUID()}`, relationship: 'customer' } },
    });
    return { id: body.id, sessionId: body.vendor.sessionId };
  };
  const finish = (sessionId: string, status = 'Approved') =>
    system.sandbox(`sessions/${sessionId}/finish`, { body: { status } });
  const arrivedAt = (at: string): Arrived[] => receiver.arrived.filter((one) => one.path === at);
  const arrivals = async (at: string, n = 1): Promise<Arrived[]> => {
    await until(async () => arrivedAt(at).length >= n);
    return arrivedAt(at);
  };
  const messageOf = ({ body }: Arrived): Message => JSON.parse(body) as Message;
  const headersOf = ({ headers }: Arrived): Record<string, string> => headers as Record<string, string>;
  const deliveryOf = async (id: string): Promise<Delivery> =>
    (await system.v1<Delivery>(`/v1/webhook-deliveries/${id}`)).body;
  const deliveriesTo = async (endpoint: string): Promise<Delivery[]> =>
    (await system.v1<{ items: Delivery[] }>(`/v1/webhook-deliveries?endpoint=${endpoint}`)).body.items;
  const ended = (endpoint: string, state: string): Promise<Delivery> =>
    until(async () => {
      const [delivery] = await deliveriesTo(endpoint);
      return delivery?.state === state ? deliveryOf(delivery.id) : undefined;
    });
  const post = <T = Record<string, unknown>>(at: string, body: object = {}) => system.v1<T>(at, { body });

  it('tell of a decision, signed so that the reference library takes it', async () => {
    const endpoint = await create();
    const { id, sessionId } = await verification();
    await finish(sessionId);
    const [arrived] = await arrivals(endpoint.path);
    const said = new Webhook(endpoint.secret ?? '').verify(arrived?.body ?? '', headersOf(arrived as Arrived));
    expect(said).toEqual({ type: 'verification.approved', timestamp: expect.any(String), data: { id } });
    const { items } = (
      await system.admin<{ items: { record: { detail: object } }[] }>(
        `/audit/records?kind=webhook.delivered&verification=${id}`,
      )
    ).body;
    expect(items.map(({ record }) => record.detail)).toMatchObject([
      { endpoint: endpoint.id, type: 'verification.approved', attempt: 1, status: 200, outcome: 'delivered' },
    ]);
  });

  it('tell as much as the client may read, where it asked for that', async () => {
    const endpoint = await create({ payload: 'full', signing: 'ed25519' });
    expect(endpoint.secret).toBeNull();
    const { id, sessionId } = await verification();
    await finish(sessionId, 'Declined');
    const [arrived] = await arrivals(endpoint.path);
    const message = messageOf(arrived as Arrived);
    expect(message.data).toMatchObject({ id, status: 'declined', previous: 'pending', verification: { id } });
    // This client has no right to personal data.
    const read = await system.v1<{ result: unknown }>(`/v1/verifications/${id}`);
    expect(message.data.verification).toMatchObject({ result: read.body.result });
    const headers = headersOf(arrived as Arrived);
    const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${arrived?.body}`;
    const [version, signature = ''] = (headers['webhook-signature'] ?? '').split(',');
    const key = publicKeyOf(endpoint.keys[0]?.publicKey ?? '');
    expect([version, verify(null, Buffer.from(content), key, Buffer.from(signature, 'base64'))]).toEqual(['v1a', true]);
  });

  it('are sent again under the same id until they are taken', async () => {
    answer = (_, n) => ({ status: n < 3 ? 500 : 204 });
    const endpoint = await create({ eventTypes: ['verification.approved'] });
    await finish((await verification()).sessionId);
    const arrived = await arrivals(endpoint.path, 3);
    expect(new Set(arrived.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const delivery = await ended(endpoint.id, 'delivered');
    expect(delivery).toMatchObject({ attempts: 3, event: { id: arrived[0]?.headers['webhook-id'] } });
    expect(delivery.tries.map(({ outcome, status }) => [outcome, status])).toEqual([
      ['failed', 500],
      ['failed', 500],
      ['delivered', 204],
    ]);
  });

  it('are dead after the last repeat, and sent once more by hand, one or all', async () => {
    answer = () => ({ status: 400 });
    const endpoint = await create();
    await finish((await verification()).sessionId);
    const dead = await ended(endpoint.id, 'dead');
    expect(dead).toMatchObject({ attempts: 5 });
    answer = () => ({});
    // What was learnt of it holds until somebody says that it is mended.
    await post(`/v1/webhook-endpoints/${endpoint.id}/pause`);
    await post(`/v1/webhook-endpoints/${endpoint.id}/resume`);
    expect((await post(`/v1/webhook-deliveries/${dead.id}/resend`)).status).toBe(202);
    await ended(endpoint.id, 'delivered');
    const window = {
      from: new Date(Date.now() - 60_000).toISOString(),
      to: new Date(Date.now() + 60_000).toISOString(),
    };
    const again = await post(`/v1/webhook-endpoints/${endpoint.id}/resend`, { ...window, states: ['delivered'] });
    expect([again.status, again.body]).toEqual([202, { resent: 1 }]);
    await arrivals(endpoint.path, 7);
    expect(new Set(arrivedAt(endpoint.path).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('go nowhere after 410, nor where a redirect leads', async () => {
    const elsewhere = path();
    answer = ({ path: at }) =>
      at === elsewhere
        ? {}
        : { status: at.endsWith('gone') ? 410 : 302, headers: { location: `${receiver.url}${elsewhere}` } };
    const moved = await create();
    const gone = await create({}, `${path()}gone`);
    await finish((await verification()).sessionId);
    expect((await ended(moved.id, 'dead')).tries[0]).toMatchObject({ outcome: 'redirected', status: 302 });
    await until(async () => {
      const { body } = await system.v1<Endpoint>(`/v1/webhook-endpoints/${gone.id}`);
      return body.state === 'disabled' && body.reason === 'gone';
    });
    expect([arrivedAt(elsewhere).length, arrivedAt(gone.path).length]).toEqual([0, 1]);
  });

  it('wait as long as the receiver asks', async () => {
    answer = (_, n) => (n === 1 ? { status: 429, headers: { 'retry-after': '2' } } : {});
    const endpoint = await create();
    const startedMs = Date.now();
    await post(`/v1/webhook-endpoints/${endpoint.id}/test`);
    await arrivals(endpoint.path, 2);
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(1_900);
    expect(messageOf(arrivedAt(endpoint.path)[0] as Arrived)).toMatchObject({ type: 'webhook.test', data: {} });
  });

  it('are signed with both keys while one is rotated', async () => {
    const endpoint = await create();
    const rotated = await post<Endpoint>(`/v1/webhook-endpoints/${endpoint.id}/rotate`, { overlapHours: 1 });
    expect(rotated.body.keys.map(({ expiresAt }) => expiresAt === null)).toEqual([true, false]);
    await post(`/v1/webhook-endpoints/${endpoint.id}/test`);
    const [arrived] = await arrivals(endpoint.path);
    for (const secret of [endpoint.secret, rotated.body.secret])
      new Webhook(secret ?? '').verify(arrived?.body ?? '', headersOf(arrived as Arrived));
    expect(headersOf(arrived as Arrived)['webhook-signature']?.split(' ')).toHaveLength(2);
  });

  it('keep what comes while they are paused, and take nothing more once they drain', async () => {
    const endpoint = await create();
    await post(`/v1/webhook-endpoints/${endpoint.id}/pause`);
    await post(`/v1/webhook-endpoints/${endpoint.id}/test`);
    await post(`/v1/webhook-endpoints/${endpoint.id}/drain`);
    await arrivals(endpoint.path);
    const refused = await post<Problem>(`/v1/webhook-endpoints/${endpoint.id}/test`);
    expect([refused.status, refused.body.code]).toEqual([409, 'conflict']);
  });

  it('are withheld from a client that is suspended, and can be sent once it may call again', async () => {
    const made = await system.admin<{ id: string }>('/clients', {
      body: { name: `hooks-${randomUUID()}`, scopes: ['verifications:read'] },
    });
    const at = path();
    const endpoint = await system.admin<Endpoint>('/webhooks/endpoints', {
      body: { client: made.body.id, url: `${receiver.url}${at}` },
    });
    const stand = (state: string) => system.admin(`/clients/${made.body.id}`, { method: 'PATCH', body: { state } });
    expect((await stand('suspended')).status).toBe(200);
    const test = await system.admin<{ delivery: string }>(`/webhooks/endpoints/${endpoint.body.id}/test`, {
      method: 'POST',
    });
    const tries = await until(async () => {
      const { body } = await system.admin<Delivery>(`/webhooks/deliveries/${test.body.delivery}`);
      return body.tries.length > 1 && body.tries;
    });
    expect(tries[0]).toMatchObject({ outcome: 'withheld', status: 0 });
    expect(arrivedAt(at)).toEqual([]);
    await stand('active');
    await system.admin(`/webhooks/deliveries/${test.body.delivery}/resend`, { method: 'POST' });
    await arrivals(at);
  });

  it('keep the order of a verification where that is asked for', async () => {
    answer = (_, n) => ({ status: n < 3 ? 500 : 204 });
    const endpoint = await create({ ordered: true });
    const { sessionId } = await verification();
    await finish(sessionId);
    await arrivals(endpoint.path);
    await finish(sessionId, 'Kyc Expired');
    const arrived = await arrivals(endpoint.path, 4);
    expect(arrived.map((one) => messageOf(one).type)).toEqual([
      ...Array.from({ length: 3 }, () => 'verification.approved'),
      'verification.expired',
    ]);
  });

  it('do not wait for receivers that say nothing, on the same host or another', async () => {
    answer = ({ path: at }) => (at.endsWith('hangs') ? new Promise(() => undefined) : {});
    for (let n = 0; n < 5; n += 1) {
      const { id } = await create({}, `${path()}hangs`);
      for (let k = 0; k < 8; k += 1) await post(`/v1/webhook-endpoints/${id}/test`);
    }
    const endpoint = await create();
    const startedMs = Date.now();
    await post(`/v1/webhook-endpoints/${endpoint.id}/test`);
    await arrivals(endpoint.path);
    expect(Date.now() - startedMs).toBeLessThan(2_000);
  });

  it('are another client’s business, and changed by whoever saw the last version', async () => {
    const endpoint = await create();
    const { otherClient } = system.credentials;
    for (const at of [`/v1/webhook-endpoints/${endpoint.id}`, `/v1/webhook-deliveries?endpoint=${endpoint.id}`]) {
      const { status, body } = await system.v1<{ items?: unknown[] }>(at, {}, otherClient);
      expect([status, body.items ?? []]).toEqual([at.includes('?') ? 200 : 404, []]);
    }
    const change = (version: number) =>
      system.v1<Endpoint & Problem>(`/v1/webhook-endpoints/${endpoint.id}`, {
        method: 'PATCH',
        body: { description: 'core banking' },
        headers: { 'if-match': `"${version}"` },
      });
    expect((await change(1)).body).toMatchObject({ description: 'core banking', version: 2 });
    expect([(await change(1)).status, (await change(2)).status]).toEqual([409, 200]);
  });

  it.each([
    ['http://receiver.example/', '/url'],
    ['https://10.0.0.1/', '/url'],
    ['https://0xa000001/', '/url'],
    ['https://[::ffff:10.0.0.1]/', '/url'],
    ['https://user:secret@receiver.example/', '/url'],
    ['https://receiver.example/#part', '/url'],
    ['no address', '/url'],
  ])('are refused at %s', async (url, pointer) => {
    const { status, body } = await post<Problem>('/v1/webhook-endpoints', { url });
    expect([status, body.code, body.errors[0]?.pointer]).toEqual([400, 'invalid-request', pointer]);
  });

  it('take no filter that is none, and no member that is none', async () => {
    const { status, body } = await post<Problem>('/v1/webhook-endpoints', {
      url: `${receiver.url}/`,
      eventTypes: ['verification.done'],
      secret: 'mine',
    });
    expect([status, body.errors.map(({ pointer }) => pointer).sort()]).toEqual([400, ['/eventTypes/0', '/secret']]);
  });
});
