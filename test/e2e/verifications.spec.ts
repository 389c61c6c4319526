import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';
import { type ClientCredentials, until } from '../support/system.js';

const system = sharedSystem();
const { credentials } = system;

interface Verification {
  id: string;
  status: string;
  url: string | null;
  subject: { reference: string; relationship: string };
  vendor: { name: string; sessionId: string };
  steps: { name: string; status: string }[];
  result: { status: string; idVerifications: Record<string, unknown>[] } | null;
  warnings: unknown[];
}
interface Problem {
  code: string;
  errors?: { pointer: string; message: string }[];
}
interface Page {
  items: Verification[];
  nextCursor: string | null;
}

const bodyFor = (reference: string, more: object = {}) => ({
  workflow: 'onboarding',
  subject: { reference, relationship: 'prospect' },
  ...more,
});

async function create(reference = `e2e-${randomUUID()}`, client: ClientCredentials = credentials, more: object = {}) {
  const answer = await system.v1<Verification>('/v1/verifications', { body: bodyFor(reference, more) }, client);
  expect(answer.status).toBe(201);
  return answer.body;
}

const finish = (sessionId: string, status: string, scenario?: string) =>
  system.sandbox(`sessions/${sessionId}/finish`, { body: { status, ...(scenario === undefined ? {} : { scenario }) } });

const decided = (id: string, status: string, client: ClientCredentials = credentials) =>
  until(async () => {
    const { body } = await system.v1<Verification>(`/v1/verifications/${id}`, {}, client);
    return body.status === status ? body : undefined;
  });

describe('POST /v1/verifications', () => {
  it('answers with the hosted page and a record', async () => {
    const reference = `e2e-${randomUUID()}`;
    const answer = await system.v1<Verification>('/v1/verifications', { body: bodyFor(reference, { language: 'es' }) });
    expect(answer.status).toBe(201);
    expect(answer.headers['gatehouse-record']).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.body).toMatchObject({
      status: 'pending',
      workflow: { name: 'onboarding', version: 1 },
      subject: { reference, relationship: 'prospect' },
      vendor: { name: 'didit' },
    });
    expect(answer.body.url).toContain('/es/session/');
    expect(answer.body.steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'id-verification waiting',
      'passive-liveness waiting',
      'face-match waiting',
      'aml-screening waiting',
    ]);
  });

  it('is done once under one key, and answers the same again', async () => {
    const key = randomUUID();
    const body = bodyFor(`e2e-${randomUUID()}`);
    const headers = { 'idempotency-key': key };
    const first = await system.v1('/v1/verifications', { body, headers });
    const again = await system.v1('/v1/verifications', { body, headers });
    expect(again.status).toBe(201);
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(again.headers['gatehouse-record']).not.toBe(first.headers['gatehouse-record']);
    const other = await system.v1<Problem>('/v1/verifications', { body: bodyFor('another'), headers });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency-key-reused']);
  });

  it('lets one of many with the same key through at a time', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = bodyFor(`e2e-${randomUUID()}`);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => system.v1<Verification & Problem>('/v1/verifications', { body, headers })),
    );
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map((answer) => answer.body.id)).size).toBe(1);
    for (const { status, body: problem } of answers)
      if (status !== 201) expect([status, problem.code]).toEqual([409, 'idempotency-in-progress']);
  });

  it('needs a key, before it looks at the body', async () => {
    const token = await system.token();
    const answer = await system.call<Problem>(`${credentials.publicUrl}/v1/verifications`, {
      body: { nonsense: true },
      headers: { 'x-api-key': credentials.apiKey, authorization: `Bearer ${token}` },
    });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
    expect(answer.body.errors).toEqual([{ pointer: '', message: expect.any(String) as string }]);
  });

  it('names each member that is wrong, and lets the same key come again', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const wrong = { workflow: 'onboarding', subject: { reference: '', relationship: 'prospect' }, more: 1 };
    const answer = await system.v1<Problem>('/v1/verifications', { body: wrong, headers });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid-request']);
    expect(answer.body.errors?.map(({ pointer }) => pointer).sort()).toEqual(['/more', '/subject/reference']);
    const right = await system.v1('/v1/verifications', { body: bodyFor(`e2e-${randomUUID()}`), headers });
    expect(right.status).toBe(201);
  });

  it('tells which member the vendor refused', async () => {
    const answer = await system.v1<Problem>('/v1/verifications', {
      body: bodyFor(`e2e-${randomUUID()}`, { language: 'xx' }),
    });
    expect([answer.status, answer.body.code]).toEqual([422, 'unprocessable']);
    expect(answer.body.errors?.map(({ pointer }) => pointer)).toEqual(['/language']);
  });

  it('gives the unfinished session of a subject again', async () => {
    const reference = `e2e-${randomUUID()}`;
    const one = await create(reference);
    const two = await create(reference);
    expect(two.id).not.toBe(one.id);
    expect(two.vendor.sessionId).toBe(one.vendor.sessionId);
    await finish(one.vendor.sessionId, 'Approved');
    await decided(one.id, 'approved');
    await decided(two.id, 'approved');
  });
});

describe('GET /v1/verifications/{id}', () => {
  it('brings the decision, masked', async () => {
    const { id, vendor } = await create();
    const before = await system.v1<Verification>(`/v1/verifications/${id}`);
    expect(before.body).toMatchObject({ status: 'pending', result: null, warnings: [] });
    await finish(vendor.sessionId, 'Approved');
    const after = await decided(id, 'approved');
    expect(after.steps.every(({ status }) => status === 'passed')).toBe(true);
    const [document] = after.result?.idVerifications ?? [];
    expect(document).toMatchObject({ status: 'Approved', dateOfBirth: expect.stringMatching(/^\d{4}$/) as string });
    expect(document).not.toHaveProperty('firstName');
    const { body: person } = await system.sandbox(`sessions/${vendor.sessionId}`);
    expect(JSON.stringify(person)).toContain('first_name');
  });

  it('shows persons to those who may see them, and media links to those who may see media', async () => {
    const { piiClient } = credentials;
    const { id, vendor } = await create(undefined, piiClient);
    await finish(vendor.sessionId, 'Declined', 'spoof');
    const after = await decided(id, 'declined', piiClient);
    expect(after.result?.idVerifications[0]).toHaveProperty('firstName');
    expect(after.warnings.length).toBeGreaterThan(0);
  });

  it('follows an approval that lapses', async () => {
    const { id, vendor } = await create();
    await finish(vendor.sessionId, 'Approved');
    await decided(id, 'approved');
    await finish(vendor.sessionId, 'Kyc Expired');
    await decided(id, 'expired');
  });

  it.each([randomUUID(), 'nonsense', randomUUID().toUpperCase()])('is 404 for %s', async (id) => {
    const answer = await system.v1<Problem>(`/v1/verifications/${id}`);
    expect([answer.status, answer.body.code]).toEqual([404, 'not-found']);
  });
});

describe('GET /v1/verifications', () => {
  it('pages through what a subject has, newest first', async () => {
    const reference = `e2e-${randomUUID()}`;
    const made = [await create(reference), await create(reference), await create(reference)].map(({ id }) => id);
    const path = `/v1/verifications?subject=${reference}&limit=2`;
    const first = await system.v1<Page>(path);
    const second = await system.v1<Page>(`${path}&cursor=${first.body.nextCursor}`);
    expect([...first.body.items, ...second.body.items].map(({ id }) => id)).toEqual(made.reverse());
    expect(second.body.nextCursor).toBeNull();
    const broken = await system.v1<Problem>(`${path}&cursor=AAAA`);
    expect([broken.status, broken.body.code]).toEqual([400, 'invalid-cursor']);
    const wrong = await system.v1<Problem>('/v1/verifications?limit=0');
    expect([wrong.status, wrong.body.errors?.[0]?.pointer]).toEqual([400, '/limit']);
  });
});

describe('POST /v1/verifications/{id}/cancel', () => {
  it('stops following, and keeps the late answer to itself', async () => {
    const { id, vendor } = await create();
    const answer = await system.v1<Verification>(`/v1/verifications/${id}/cancel`, { method: 'POST' });
    expect([answer.status, answer.body.status]).toEqual([200, 'cancelled']);
    await finish(vendor.sessionId, 'Approved');
    const { body } = await system.v1<Verification>(`/v1/verifications/${id}`);
    expect(body).toMatchObject({ status: 'cancelled', result: null });
  });

  it('is too late once it is decided', async () => {
    const { id, vendor } = await create();
    await finish(vendor.sessionId, 'Declined');
    await decided(id, 'declined');
    const answer = await system.v1<Problem>(`/v1/verifications/${id}/cancel`, { method: 'POST' });
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
  });
});
