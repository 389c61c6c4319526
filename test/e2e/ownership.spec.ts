import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';
import type { Answer, CallOptions } from '../support/system.js';

const system = sharedSystem();
const { credentials } = system;
const owner = credentials;
/** Another client with every right there is: nothing but ownership stands in its way. */
const stranger = credentials.piiClient;

type Json = Record<string, unknown>;

interface Owned {
  reference: string;
  verification: string;
  session: string;
  check: string;
}

const ids = (answer: Answer<Json>, list: 'items' | 'results', member: string) =>
  (answer.body[list] as Json[]).map((row) => row[member]);

/** A form with pictures that any of the checks takes. */
function pictures(vendorData: string): { body: Buffer; headers: Record<string, string> } {
  const bytes = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(2_000)]);
  const parts = ['user_image', 'ref_image', 'front_image'].flatMap((name) => [
    Buffer.from(
      `--b\r\nContent-Disposition: form-data; name="${name}"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
  const field = `--b\r\nContent-Disposition: form-data; name="vendor_data"\r\n\r\n${vendorData}\r\n--b--\r\n`;
  return {
    body: Buffer.concat([...parts, Buffer.from(field)]),
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  };
}

const dropIn = (path: string, options: CallOptions = {}) => system.didit<Json>(path, options, stranger);
const v1 = (path: string, options: CallOptions = {}) => system.v1<Json>(path, options, stranger);
const notFound = (answer: Answer<Json>) => expect([answer.status, answer.body['code']]).toEqual([404, 'not-found']);

/** A stranger's check of the same subject is the stranger's, and the owner sees nothing of it. */
const checkBy = (path: string) => async (owned: Owned) => {
  const made = await dropIn(path, { method: 'POST', ...pictures(owned.reference) });
  expect(made.body).toMatchObject({ vendor_data: owned.reference });
  const id = String(made.body['request_id']);
  expect((await dropIn(`session/${id}/decision/`)).status).toBe(200);
  notFound(await system.didit<Json>(`session/${id}/decision/`, {}, owner));
};

/** What a stranger is told, for every operation of a client on the public listener. */
const OPERATIONS: Record<string, (owned: Owned) => Promise<void>> = {
  'GET /v1/verifications/{id}/receipts': async ({ verification }) =>
    notFound(await v1(`/v1/verifications/${verification}/receipts`)),
  'POST /v1/verifications': async ({ reference, session }) => {
    const body = { workflow: 'onboarding', subject: { reference, relationship: 'customer' } };
    const { body: made } = await v1('/v1/verifications', { body });
    expect(made['vendor']).not.toMatchObject({ sessionId: session });
  },
  'GET /v1/verifications': async ({ reference, verification }) => {
    expect(ids(await v1('/v1/verifications?limit=100'), 'items', 'id')).not.toContain(verification);
    expect(ids(await v1(`/v1/verifications?subject=${reference}`), 'items', 'id')).not.toContain(verification);
  },
  'GET /v1/verifications/{id}': async ({ verification }) => notFound(await v1(`/v1/verifications/${verification}`)),
  'POST /v1/verifications/{id}/cancel': async ({ verification }) =>
    notFound(await v1(`/v1/verifications/${verification}/cancel`, { method: 'POST' })),
  'POST /didit/v3/session': async ({ reference, session }) => {
    const body = { workflow_id: credentials.diditWorkflowId, vendor_data: reference };
    expect((await dropIn('session/', { body })).body['session_id']).not.toBe(session);
  },
  'GET /didit/v3/session/{sessionId}/decision': async ({ session, check }) => {
    notFound(await dropIn(`session/${session}/decision/`));
    notFound(await dropIn(`session/${check}/decision/`));
  },
  'GET /didit/v3/sessions': async ({ reference, session, check }) => {
    const queries = ['', '?session_type=ALL', `?vendor_data=${reference}`, `?search=${session}`];
    for (const query of queries) {
      const seen = ids(await dropIn(`sessions/${query}`), 'results', 'session_id');
      expect(seen).not.toContain(session);
      expect(seen).not.toContain(check);
    }
  },
  'PATCH /didit/v3/session/{sessionId}/update-status': async ({ session }) =>
    notFound(await dropIn(`session/${session}/update-status/`, { method: 'PATCH', body: { new_status: 'Approved' } })),
  'DELETE /didit/v3/session/{sessionId}/delete': async ({ session }) =>
    notFound(await dropIn(`session/${session}/delete/`, { method: 'DELETE' })),
  'GET /didit/v3/session/{sessionId}/generate-pdf': async ({ session }) =>
    notFound(await dropIn(`session/${session}/generate-pdf/`)),
  'POST /didit/v3/id-verification': checkBy('id-verification/'),
  'POST /didit/v3/passive-liveness': checkBy('passive-liveness/'),
  'POST /didit/v3/face-match': checkBy('face-match/'),
  'POST /didit/v3/aml': async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await system.didit<Json>('aml/', { body: { full_name: 'Nuria Ferrer' }, headers }, owner);
    const other = await dropIn('aml/', { body: { full_name: 'Nuria Ferrer' }, headers });
    expect(other.body['request_id']).not.toBe(first.body['request_id']);
  },
};

describe('what a client made', () => {
  let owned: Owned;

  beforeAll(async () => {
    const reference = `owned-${randomUUID()}`;
    const made = await system.v1<{ id: string; vendor: { sessionId: string } }>('/v1/verifications', {
      body: { workflow: 'onboarding', subject: { reference, relationship: 'customer' } },
    });
    const check = await system.didit<Json>('passive-liveness/', { method: 'POST', ...pictures(reference) }, owner);
    owned = {
      reference,
      verification: made.body.id,
      session: made.body.vendor.sessionId,
      check: String(check.body['request_id']),
    };
  });

  it('is walked in every operation that a client has', async () => {
    const document = await system.call<{ paths: Record<string, Record<string, Json>> }>(
      `${credentials.publicUrl}/openapi.json`,
    );
    const operations = Object.entries(document.body.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, operation]) => {
        const rights = operation['x-gatehouse-rights'] as string[] | undefined;
        return rights?.some((right) => right.includes(':')) ? [`${method.toUpperCase()} ${path}`] : [];
      }),
    );
    expect(operations.sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  it.each(Object.keys(OPERATIONS))('is not there for another client: %s', async (operation) => {
    await OPERATIONS[operation]?.(owned);
  });

  it('is still there for its owner, untouched', async () => {
    const verification = await system.v1<Json>(`/v1/verifications/${owned.verification}`);
    expect(verification.body).toMatchObject({ status: 'pending', subject: { reference: owned.reference } });
    const decision = await system.didit<Json>(`session/${owned.session}/decision/`, {}, owner);
    expect(decision.body).toMatchObject({ status: 'Not Started', vendor_data: owned.reference });
    const list = await system.didit<Json>(`sessions/?vendor_data=${owned.reference}`, {}, owner);
    expect(ids(list, 'results', 'session_id')).toEqual([owned.check, owned.session]);
    expect((await system.didit(`session/${owned.check}/decision/`, {}, owner)).status).toBe(200);
  });
});
