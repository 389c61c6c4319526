import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startSystem, type System, until, WIDE_BUDGET, WIDE_RATES } from '../support/system.js';

/** Each fault is met call by call: a breaker opens only when all fail, as it does under the last heading. */
const QUICK = `${WIDE_RATES}
vendors:
  didit:
    timeouts: { read: 1s, write: 1s, check: 1s, connect: 1s }
    breaker: { failureRatio: 0.9, slowRatio: 0.9 }
    retries: { firstDelay: 20ms }
    ${WIDE_BUDGET}
workflows: { onboarding: { fallback: [] } }
`;

interface Problem {
  code: string;
  detail: string;
}
interface Verification {
  id: string;
  status: string;
  vendor: { sessionId: string };
}

/** What each fault of the vendor's is outside, on `/v1` and the drop-in alike. */
const OUTSIDE = [
  ['error', 502, 'vendor-error'],
  ['reset', 502, 'vendor-error'],
  ['refuse', 502, 'vendor-error'],
  ['malformed', 502, 'vendor-invalid-answer'],
  ['truncated', 502, 'vendor-invalid-answer'],
  ['wrong-schema', 502, 'vendor-invalid-answer'],
  ['bad-credentials', 502, 'vendor-credentials'],
  ['no-credit', 502, 'vendor-credit'],
  ['rate-limited', 503, 'vendor-unavailable'],
  ['stall', 504, 'vendor-timeout'],
] as const;

describe('a vendor in trouble', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({ yaml: QUICK });
  });
  afterAll(() => system.stop());
  afterEach(() => system.sandbox('faults', { method: 'DELETE' }));

  const fault = (kind: string, operations?: string[]) =>
    system.sandbox('faults', { body: { kind, ...(operations === undefined ? {} : { operations }) } });
  const heal = () => system.sandbox('faults', { method: 'DELETE' });
  const create = <T>(reference: string, key: string): Promise<Answer<T>> =>
    system.v1<T>('/v1/verifications', {
      body: { workflow: 'onboarding', subject: { reference, relationship: 'customer' } },
      headers: { 'idempotency-key': key },
    });

  describe.each(OUTSIDE)('(%s)', (kind, status, code) => {
    it(`is ${status} ${code} here and there, and a repeat of the same key ends with one session`, async () => {
      const reference = `trouble-${randomUUID()}`;
      const key = randomUUID();
      await fault(kind);
      const failed = await create<Problem>(reference, key);
      expect([failed.status, failed.body.code]).toEqual([status, code]);
      if (status === 503) expect(Number(failed.headers['retry-after'])).toBeGreaterThan(0);
      const list = await system.didit<Problem>('sessions/');
      expect([list.status, list.body.code]).toEqual([status, code]);
      expect(list.body.detail).toEqual(expect.any(String));
      await heal();
      // After a 429 each operation, this one and the list, rests for as long as the vendor asked of it.
      const made = await until(async () => {
        const answer = await create<Verification>(reference, key);
        return answer.status === 201 ? answer : undefined;
      });
      expect(made.body.vendor.sessionId).toEqual(expect.any(String));
      const sessions = await until(async () => {
        const answer = await system.didit<{ count: number }>(`sessions/?vendor_data=${reference}`);
        return answer.status === 200 ? answer : undefined;
      });
      expect(sessions.body.count).toBe(1);
      const mine = await system.v1<{ items: unknown[] }>(`/v1/verifications?subject=${reference}`);
      expect(mine.body.items).toHaveLength(1);
    });
  });

  it.each([
    ['error', 502],
    ['reset', 502],
    ['stall', 504],
  ])('(%s) ends an upload with %i, and the caller’s connection lives on', async (kind, status) => {
    await fault(kind);
    const head = `--b\r\nContent-Disposition: form-data; name="user_image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`;
    const upload = {
      method: 'POST' as const,
      body: Buffer.concat([Buffer.from(head), Buffer.alloc(3_000_000, 1), Buffer.from('\r\n--b--\r\n')]),
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    };
    const answers = [await system.didit('passive-liveness/', upload), await system.didit('passive-liveness/', upload)];
    expect(answers.map((answer) => answer.status)).toEqual([status, status]);
  });

  it('does not keep a verification from being read', async () => {
    const { body } = await create<Verification>(`trouble-${randomUUID()}`, randomUUID());
    await fault('stall');
    const read = await until(async () => {
      const answer = await system.v1<Verification>(`/v1/verifications/${body.id}`);
      const records = await system.admin<{ items: unknown[] }>(`/audit/records?verification=${body.id}&limit=100`);
      return JSON.stringify(records.body).includes('session.decision') ? answer : undefined;
    });
    expect([read.status, read.body.status]).toEqual([200, 'pending']);
    await heal();
    await system.sandbox(`sessions/${body.vendor.sessionId}/finish`, { body: { status: 'Approved' } });
    await until(async () => {
      const answer = await system.v1<Verification>(`/v1/verifications/${body.id}`);
      return answer.body.status === 'approved';
    });
  });

  it('brings the decision by asking when webhooks are lost', async () => {
    const { body } = await create<Verification>(`trouble-${randomUUID()}`, randomUUID());
    await system.sandbox('webhooks/faults', { body: { kind: 'drop' } });
    await system.sandbox(`sessions/${body.vendor.sessionId}/finish`, { body: { status: 'Declined' } });
    await until(async () => {
      const answer = await system.v1<Verification>(`/v1/verifications/${body.id}`);
      return answer.body.status === 'declined';
    });
    await system.sandbox('webhooks/faults', { method: 'DELETE' });
  });

  describe('that lasts', () => {
    interface State {
      items: {
        vendor: string;
        state: string;
        breakers: { operation: string; state: string; nextProbeAt: string | null }[];
      }[];
    }
    interface Records {
      items: { record: { kind: string; detail?: { operation?: string } } }[];
    }
    const list = () => system.didit<Problem>('sessions/?limit=1');
    const state = async () => (await system.admin<State>('/vendors')).body.items[0];
    const received = async () => {
      const { body } = await system.sandbox<{ counts: Record<string, number> }>('ledger?operation=session.list');
      return body.counts['session.list'] ?? 0;
    };

    it('is asked no more than by probes, told, and called again within ten seconds of its return', async () => {
      await fault('error', ['session.list']);
      const refused = await until(async () => {
        const answer = await list();
        return answer.status === 503 ? answer : undefined;
      });
      expect(refused.body.code).toBe('vendor-unavailable');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(await state()).toMatchObject({
        vendor: 'didit',
        state: 'degraded',
        breakers: expect.arrayContaining([expect.objectContaining({ operation: 'session.list' })]),
      });
      const before = await received();
      const untilMs = Date.now() + 3_000;
      let held = 0;
      while (Date.now() < untilMs) held += (await list()).status === 503 ? 1 : 0;
      expect(held).toBeGreaterThan(10);
      // Two probes at most at each of the openings: after one, two and four seconds.
      expect((await received()) - before).toBeLessThanOrEqual(6);
      const other = await create<Verification>(`trouble-${randomUUID()}`, randomUUID());
      expect(other.status).toBe(201);
      await heal();
      const backMs = Date.now();
      await until(async () => (await list()).status === 200);
      expect(Date.now() - backMs).toBeLessThan(10_000);
      // The second good probe closes it.
      expect((await list()).status).toBe(200);
      for (const kind of ['vendor.breaker-opened', 'vendor.breaker-closed']) {
        await until(async () => {
          const { body } = await system.admin<Records>(`/audit/records?kind=${kind}&limit=100`);
          return body.items.some(({ record }) => record.detail?.operation === 'session.list');
        });
      }
      const { adminUrl, opsToken } = system.credentials;
      const headers = { authorization: `Bearer ${opsToken}` };
      const { text: metrics } = await system.call(`${adminUrl}/metrics`, { headers });
      expect(metrics).toMatch(/gatehouse_vendor_breaker_state\{[^}]*gatehouse_operation="session.list"[^}]*\} 0/);
      expect(metrics).toContain('gatehouse_vendor_retries_total');
    }, 60_000);

    it('is waited for no longer than the caller will wait', async () => {
      await fault('stall', ['session.decision']);
      const { body } = await create<Verification>(`trouble-${randomUUID()}`, randomUUID());
      const startedMs = Date.now();
      const answer = await system.didit<Problem>(`session/${body.vendor.sessionId}/decision/`, {
        headers: { prefer: 'wait=0' },
      });
      expect([answer.status, answer.body.code]).toEqual([504, 'vendor-timeout']);
      expect(Date.now() - startedMs).toBeLessThan(900);
    });
  });
});
