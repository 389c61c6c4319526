import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openBench, type Bench } from '../testing/fixture.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ webhookUrl: null, sessionLifetimeMs: 3_600_000 });
});
afterAll(() => bench.close());
beforeEach(async () => {
  await bench.call('POST', '/_sandbox/reset');
});

const statusOf = async (id: string) => (await bench.call('GET', `/_sandbox/sessions/${id}`)).at('status');
const advance = (advanceMs: number) => bench.call('POST', '/_sandbox/clock', { body: { advanceMs } });

describe('finishing a session', () => {
  it.each(['Approved', 'Declined', 'In Review', 'Abandoned', 'Expired', 'Kyc Expired'])(
    'ends it as %s',
    async (status) => {
      const id = await bench.create();
      const reply = await bench.finish(id, status);
      expect([reply.status, reply.json]).toEqual([200, { sessionId: id, status }]);
      expect((await bench.call('GET', `/v3/session/${id}/decision/`)).at('status')).toBe(status);
    },
  );

  it('is a conflict the second time, but for Approved becoming Kyc Expired', async () => {
    const id = await bench.create();
    await bench.finish(id, 'Approved');
    expect((await bench.finish(id, 'Declined')).status).toBe(409);
    expect((await bench.finish(id, 'Approved')).status).toBe(409);
    expect((await bench.finish(id, 'Kyc Expired')).status).toBe(200);
    expect((await bench.finish(id, 'Kyc Expired')).status).toBe(409);
    const reviewed = await bench.create();
    await bench.finish(reviewed, 'In Review');
    expect((await bench.finish(reviewed, 'Approved')).status).toBe(409);
  });

  it('expires the document where the approval lapses', async () => {
    const id = await bench.create();
    await bench.finish(id, 'Kyc Expired');
    const decision = await bench.call('GET', `/v3/session/${id}/decision/`);
    expect(decision.at('id_verifications.0')).toMatchObject({
      status: 'Expired',
      warnings: [{ risk: 'DOCUMENT_EXPIRED' }],
    });
  });

  it('refuses another status, another scenario, and a session nobody made', async () => {
    const id = await bench.create();
    const bad = await bench.finish(id, 'In Progress');
    expect(bad.status).toBe(400);
    expect(bad.at('error')).toMatch(/^status: /);
    expect((await bench.finish(id, 'Approved', 'perfect')).at('error')).toMatch(/^scenario: /);
    expect((await bench.finish('00000000-0000-4000-8000-000000000000', 'Approved')).status).toBe(404);
    expect(await statusOf(id)).toBe('Not Started');
  });
});

describe('the clock', () => {
  it('ends what nobody went on with', async () => {
    const [untouched, opened, done] = [await bench.create(), await bench.create(), await bench.create()];
    await bench.call(
      'GET',
      new URL(String((await bench.call('GET', `/_sandbox/sessions/${opened}`)).at('url'))).pathname,
    );
    await bench.finish(done, 'Declined');
    await advance(3_599_000);
    expect(await statusOf(untouched)).toBe('Not Started');
    await advance(2_000);
    expect([await statusOf(untouched), await statusOf(opened), await statusOf(done)]).toEqual([
      'Expired',
      'Abandoned',
      'Declined',
    ]);
  });

  it('lets an approval lapse with its document, and leaves time stamps alone', async () => {
    const id = await bench.create();
    await bench.finish(id, 'Approved');
    await advance(6 * 365 * 86_400_000);
    expect(await statusOf(id)).toBe('Kyc Expired');
    const later = await bench.create();
    const decision = await bench.call('GET', `/v3/session/${later}/decision/`);
    expect(Math.abs(Date.parse(String(decision.at('created_at'))) - Date.now())).toBeLessThan(60_000);
    await advance(3_599_000);
    expect(await statusOf(later)).toBe('Not Started');
  });

  it('does not end what a reviewer approved with the time of the session', async () => {
    const id = await bench.create();
    await bench.finish(id, 'In Review');
    await bench.call('PATCH', `/v3/session/${id}/update-status/`, { body: { new_status: 'Approved' } });
    await advance(30 * 86_400_000);
    expect(await statusOf(id)).toBe('Approved');
  });

  it('refuses to go back', async () => {
    expect((await advance(-1)).status).toBe(400);
    expect((await bench.call('POST', '/_sandbox/clock', { body: '{"advanceMs"' })).json).toEqual({
      error: 'body: not JSON',
    });
  });
});

describe('the ledger', () => {
  it('tells what came, about whom, and what was answered', async () => {
    const id = await bench.create({ vendor_data: 'u-1' });
    await bench.call('GET', `/v3/session/${id}/decision/`, { key: 'wrong' });
    await bench.call('GET', '/v3/sessions/?vendor_data=u-1');
    await bench.call('GET', '/v3/workflows/');
    const ledger = await bench.call('GET', '/_sandbox/ledger');
    expect(ledger.json).toMatchObject({
      items: [
        { n: 1, operation: 'session.create', method: 'POST', vendorData: 'u-1', sessionId: id, outcome: '201' },
        { n: 2, operation: 'session.decision', path: `/v3/session/${id}/decision/`, vendorData: 'u-1', outcome: '401' },
        { n: 3, operation: 'session.list', path: '/v3/sessions/?vendor_data=u-1', vendorData: 'u-1', outcome: '200' },
        { n: 4, operation: 'unknown', outcome: '404' },
      ],
      counts: { 'session.create': 1, 'session.decision': 1, 'session.list': 1, unknown: 1 },
    });
  });

  it('filters by operation and from a number or an instant on, and can be emptied', async () => {
    await bench.create();
    await bench.create();
    await bench.call('GET', '/v3/sessions/');
    const since = async (query: string) => (await bench.call('GET', `/_sandbox/ledger?${query}`)).at('items.length');
    expect(await since('operation=session.create')).toBe(2);
    expect(await since('operation=&since=')).toBe(3);
    expect(await since('since=2')).toBe(1);
    expect(await since(`since=${new Date(Date.now() + 60_000).toISOString()}`)).toBe(0);
    expect(await since(`since=${new Date(Date.now() - 60_000).toISOString()}`)).toBe(3);
    expect((await bench.call('GET', '/_sandbox/ledger?since=yesterday')).status).toBe(400);
    await bench.call('DELETE', '/_sandbox/ledger');
    expect((await bench.call('GET', '/_sandbox/ledger')).json).toEqual({ items: [], counts: {} });
  });
});

describe('a reset', () => {
  it('forgets sessions, calls and faults', async () => {
    const id = await bench.create({ vendor_data: 'u' });
    await bench.call('POST', '/_sandbox/faults', { body: { kind: 'down' } });
    await bench.call('POST', '/_sandbox/reset');
    expect((await bench.call('GET', `/_sandbox/sessions/${id}`)).status).toBe(404);
    expect((await bench.call('GET', '/_sandbox/faults')).json).toEqual({ items: [] });
    expect((await bench.call('GET', '/_sandbox/ledger')).json).toEqual({ items: [], counts: {} });
    expect(await bench.create({ vendor_data: 'u' })).not.toBe(id);
  });
});

describe('a session as the sandbox knows it', () => {
  it('is shown whole', async () => {
    const id = await bench.create();
    await bench.finish(id, 'Approved', 'mismatch');
    const reply = await bench.call('GET', `/_sandbox/sessions/${id}/`);
    expect(reply.json).toMatchObject({ sessionId: id, status: 'Approved', scenario: 'mismatch', type: 'HOSTED' });
    expect(reply.at('decision.id_verifications.0.first_name')).toBe(reply.at('person.firstName'));
  });
});
