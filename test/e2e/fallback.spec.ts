import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSystem, type System, until, WIDE_BUDGET, WIDE_RATES } from '../support/system.js';
import { verify } from '../support/verify.js';

const SETTINGS = `${WIDE_RATES}
vendors: { didit: { timeouts: { read: 1s, write: 1s, check: 1s, connect: 1s }, ${WIDE_BUDGET} } }
workflows: { onboarding: { fallback: [queued, manual] } }
fallback: { queueTotal: 6 }
reconciliation: { after: 1s, atMost: 2s, every: 500ms }
`;

interface Verification {
  id: string;
  status: string;
  rung: string;
  url: string | null;
  vendor: { sessionId: string | null };
  answer: { rung: string; age: number | null };
  code?: string;
}
interface Ledger {
  items: { operation: string; vendorData: string | null; sessionId: string | null; outcome: string }[];
}

describe('the ladder while the vendor is away', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ yaml: SETTINGS });
  });
  afterAll(() => system.stop());

  const fault = (kind: string) => system.sandbox('faults', { body: { kind } });
  const heal = () => system.sandbox('faults', { method: 'DELETE' });
  const create = (reference: string, key: string = randomUUID()) =>
    system.v1<Verification>('/v1/verifications', {
      body: { workflow: 'onboarding', subject: { reference, relationship: 'customer' } },
      headers: { 'idempotency-key': key },
    });
  const read = async (id: string) => (await system.v1<Verification>(`/v1/verifications/${id}`)).body;
  const finish = (sessionId: string | null, status: string) =>
    system.sandbox(`sessions/${sessionId}/finish`, { body: { status } });
  const metrics = async () => {
    const headers = { authorization: `Bearer ${system.credentials.opsToken}` };
    return (await system.call(`${system.credentials.adminUrl}/metrics`, { headers })).text;
  };
  const made: string[] = [];

  it('queues creates, with one answer a key, and the next rung when the queue is full', async () => {
    await fault('down');
    const key = randomUUID();
    const first = await create('queued-0', key);
    expect([first.status, first.body.status, first.headers['gatehouse-rung']]).toEqual([202, 'queued', 'queued']);
    const again = await create('queued-0', key);
    expect([again.status, again.headers['idempotency-replayed'], again.text]).toEqual([202, 'true', first.text]);
    made.push(first.body.id);
    for (let n = 1; n < 6; n += 1) made.push((await create(`queued-${n}`)).body.id);
    expect((await read(made[5] ?? '')).status).toBe('queued');
    const person = await create('person-1');
    expect([person.status, person.body.status, person.body.rung]).toEqual([202, 'in-review', 'manual']);
    expect(await metrics()).toMatch(/^gatehouse_fallback_taken_total\{.*rung="queued".*\} 6/m);
  });

  it('lets a person decide what waits for one', async () => {
    const { body } = await system.admin<{ items: { verification: string; reference: string }[] }>('/reviews');
    expect(body.items).toMatchObject([{ reference: 'person-1' }]);
    const id = body.items[0]?.verification ?? '';
    const decide = (scope: string) =>
      system.admin<{ status: string }>(`/verifications/${id}/review`, {
        body: { outcome: 'approved', reason: 'seen in person at the branch' },
        scope,
      });
    expect((await decide('auditor')).status).toBe(403);
    expect((await decide('operator')).body.status).toBe('approved');
    const after = await read(id);
    expect([after.status, after.answer.rung]).toEqual(['approved', 'manual']);
  });

  it('loses nothing to a kill -9, and sends all in order once the vendor is back, each once', async () => {
    await system.kill();
    system = await startSystem({ dataDir: system.dataDir, yaml: SETTINGS });
    for (const id of made) expect((await read(id)).status).toBe('queued');
    await heal();
    await until(async () => (await read(made[5] ?? '')).status === 'pending', 30_000);
    for (const id of made) {
      const { status, url, vendor } = await read(id);
      expect([status, url === null, vendor.sessionId === null]).toEqual(['pending', false, false]);
    }
    const ledger = (await system.sandbox<Ledger>('ledger?operation=session.create')).body.items;
    const sent = ledger.filter(({ outcome }) => outcome === '201').map(({ vendorData }) => vendorData?.split(':')[1]);
    expect(sent).toEqual(made.map((_, n) => `queued-${n}`));
  });

  it('answers a decision from the cache, labelled with its age, and never a check', async () => {
    const { body } = await create('cached-1');
    const { sessionId } = body.vendor;
    await finish(sessionId, 'Approved');
    await until(async () => (await read(body.id)).status === 'approved');
    const path = `session/${sessionId}/decision/`;
    const fresh = await system.didit(path);
    expect([fresh.status, fresh.headers['gatehouse-rung']]).toEqual([200, undefined]);
    await fault('down');
    // It is kept after the answer has left.
    const cached = await until(async () => {
      const answer = await system.didit(path);
      return answer.status === 200 && answer;
    });
    expect(cached.headers['gatehouse-rung']).toBe('cached');
    expect(Number(cached.headers['age'])).toBeGreaterThanOrEqual(0);
    expect(cached.body).toEqual(fresh.body);
    const known = await system.v1<Verification>(`/v1/verifications/${body.id}`);
    expect([known.status, known.body.status, known.body.answer.rung]).toEqual([200, 'approved', 'cached']);
    expect(known.headers['age']).toBe(String(known.body.answer.age));
    expect((await system.didit('session/', { body: { workflow_id: randomUUID() } })).status).toBe(502);
    const other = await system.didit(path, {}, system.credentials.otherClient);
    expect(other.status).toBe(404);
    await heal();
  });

  it('finds the decision that no webhook told of', async () => {
    await system.sandbox('webhooks/faults', { body: { kind: 'drop' } });
    const { body } = await create('silent-1');
    await finish(body.vendor.sessionId, 'Declined');
    // A list never asks the vendor.
    await until(async () => {
      const { items } = (await system.v1<{ items: Verification[] }>('/v1/verifications?status=declined')).body;
      return items.some(({ id }) => id === body.id);
    });
    const figures = await system.admin<Record<string, number>>('/reconciliation/completeness');
    expect(figures.body['healed']).toBeGreaterThanOrEqual(1);
    expect(figures.body['decided']).toBe((figures.body['notified'] ?? 0) + (figures.body['healed'] ?? 0));
    await system.sandbox('webhooks/faults', { method: 'DELETE' });
    expect(verify(system.dataDir)).toMatchObject({ ok: true, exit: 0 });
  });
});
