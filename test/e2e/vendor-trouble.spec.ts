import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startSystem, type System, until, WIDE_LIMITS } from '../support/system.js';

const QUICK = `${WIDE_LIMITS}
vendors: { didit: { timeouts: { read: 1s, write: 1s, check: 1s, connect: 1s } } }
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
      const made = await create<Verification>(reference, key);
      expect(made.status).toBe(201);
      const sessions = await system.didit<{ count: number }>(`sessions/?vendor_data=${reference}`);
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
});
