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
  phone: string;
  email: string;
  /** Of a company that a search found. */
  choice: string;
  business: string;
  /** The client's own reference of it. */
  company: string;
  transaction: string;
  endpoint: string;
  delivery: string;
}

const ids = (answer: Answer<Json>, list: 'items' | 'results', member: string) =>
  (answer.body[list] as Json[]).map((row) => row[member]);

/** A form with pictures that any of the checks takes. */
function pictures(vendorData: string, file = 'a.png'): { body: Buffer; headers: Record<string, string> } {
  const bytes = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(2_000)]);
  const parts = ['user_image', 'ref_image', 'front_image', 'document'].flatMap((name) => [
    Buffer.from(
      `--b\r\nContent-Disposition: form-data; name="${name}"; filename="${file}"\r\nContent-Type: image/png\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
  const text = (name: string, value: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const field = `${text('vendor_data', vendorData)}${text('fields', '["name"]')}--b--\r\n`;
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

const WINDOW = { from: '2026-01-01T00:00:00Z', to: '2126-01-01T00:00:00Z' };

/** An act on the owner's endpoint. */
const endpointAct = (act: string, body: Json = {}) => [
  `POST /v1/webhook-endpoints/{id}/${act}`,
  async ({ endpoint }: Owned) => notFound(await v1(`/v1/webhook-endpoints/${endpoint}/${act}`, { body })),
];
const endpointActs: Record<string, (owned: Owned) => Promise<void>> = Object.fromEntries([
  ...['rotate', 'test', 'pause', 'resume', 'drain', 'disable'].map((act) => endpointAct(act)),
  endpointAct('resend', WINDOW),
]);

/** What a stranger is told, for every operation of a client on the public listener. */
const OPERATIONS: Record<string, (owned: Owned) => Promise<void>> = {
  ...endpointActs,
  'GET /v1/webhook-endpoints': async ({ endpoint }) =>
    expect(ids(await v1('/v1/webhook-endpoints?limit=200'), 'items', 'id')).not.toContain(endpoint),
  'POST /v1/webhook-endpoints': async ({ endpoint }) => {
    const { status, body } = await v1('/v1/webhook-endpoints', { body: { url: 'https://receiver.example/' } });
    expect([status, body['id'] === endpoint]).toEqual([201, false]);
    await v1(`/v1/webhook-endpoints/${String(body['id'])}`, { method: 'DELETE' });
  },
  'GET /v1/webhook-endpoints/{id}': async ({ endpoint }) => notFound(await v1(`/v1/webhook-endpoints/${endpoint}`)),
  'PATCH /v1/webhook-endpoints/{id}': async ({ endpoint }) =>
    notFound(
      await v1(`/v1/webhook-endpoints/${endpoint}`, {
        method: 'PATCH',
        body: { description: 'mine' },
        headers: { 'if-match': '"1"' },
      }),
    ),
  'DELETE /v1/webhook-endpoints/{id}': async ({ endpoint }) =>
    notFound(await v1(`/v1/webhook-endpoints/${endpoint}`, { method: 'DELETE' })),
  'GET /v1/webhook-deliveries': async ({ delivery, endpoint }) =>
    expect(ids(await v1(`/v1/webhook-deliveries?endpoint=${endpoint}`), 'items', 'id')).not.toContain(delivery),
  'GET /v1/webhook-deliveries/{id}': async ({ delivery }) => notFound(await v1(`/v1/webhook-deliveries/${delivery}`)),
  'POST /v1/webhook-deliveries/{id}/resend': async ({ delivery }) =>
    notFound(await v1(`/v1/webhook-deliveries/${delivery}/resend`, { body: {} })),
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
  'PUT /v1/verifications/{id}/uploads/{name}': async ({ verification }) =>
    notFound(
      await v1(`/v1/verifications/${verification}/uploads/document-front`, {
        method: 'PUT',
        headers: { 'content-type': 'image/jpeg' },
        body: Buffer.from('ffd8ffe0', 'hex'),
      }),
    ),
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
  'POST /didit/v3/age-estimation': checkBy('age-estimation/'),
  'POST /didit/v3/poa': checkBy('poa/'),
  'POST /didit/v3/document-ai': checkBy('document-ai/'),
  'POST /didit/v3/face-search': async (owned) => {
    // Every face of the application looks like this one, the owner's check among them.
    const made = await dropIn('face-search/', { method: 'POST', ...pictures(owned.reference, 'known.png') });
    const search = made.body['face_search'] as { matches: Json[]; total_matches: number; warnings: Json[] };
    expect(search.matches.map((match) => match['session_id'])).not.toContain(owned.check);
    expect(search.total_matches).toBe(search.matches.length);
    expect(made.text).not.toContain(owned.check);
    notFound(await system.didit<Json>(`session/${String(made.body['request_id'])}/decision/`, {}, owner));
  },
  'POST /didit/v3/database-validation': async ({ reference }) => {
    const body = { issuing_state: 'ESP', first_name: 'Nuria', vendor_data: reference };
    const made = await dropIn('database-validation/', { body });
    expect(made.body).toMatchObject({ vendor_data: reference, database_validation: { status: 'Approved' } });
    notFound(await system.didit<Json>(`session/${String(made.body['request_id'])}/decision/`, {}, owner));
  },
  'POST /didit/v3/wallet-screening': async () => {
    const body = { wallet_address: '0x28c6c06298d514db089934071355e5743bf21d60', blockchain: 'ETH' };
    expect((await dropIn('wallet-screening/', { body })).body).toMatchObject({ status: 'SCREENED' });
  },
  'POST /didit/v3/phone/send': ({ phone }) => codeTaken('phone/send/', { phone_number: phone }),
  'POST /didit/v3/phone/check': async ({ phone }) =>
    notFound(await dropIn('phone/check/', { body: { phone_number: phone, code: '123456' } })),
  'POST /didit/v3/email/send': ({ email }) => codeTaken('email/send/', { email: email.toUpperCase() }),
  'POST /didit/v3/email/check': async ({ email }) =>
    notFound(await dropIn('email/check/', { body: { email, code: '123456' } })),
  'POST /didit/v3/kyb/search': async ({ choice }) => {
    const found = await dropIn('kyb/search/', { body: { country_code: 'GB', name: 'acme' } });
    expect(found.text).not.toContain(choice);
  },
  'POST /didit/v3/kyb/select': async ({ choice }) =>
    notFound(await dropIn('kyb/select/', { body: { kyb_response_id: choice } })),
  'POST /didit/v3/businesses/create': async ({ reference, business }) => {
    // The same reference is another business for another client.
    const made = await dropIn('businesses/create/', { body: { vendor_data: reference, legal_name: 'Mine' } });
    expect([made.status, made.body['vendor_data']]).toEqual([201, reference]);
    expect(made.body['didit_internal_id']).not.toBe(business);
  },
  'GET /didit/v3/businesses': async ({ business }) => {
    const seen = ids(await dropIn('businesses/?limit=100'), 'results', 'didit_internal_id');
    expect(seen).not.toContain(business);
  },
  'GET /didit/v3/businesses/{vendorData}': async ({ company }) => {
    const answer = await dropIn(`businesses/${company}/`);
    expect([answer.status, answer.headers['gatehouse-code']]).toEqual([404, 'not-found']);
  },
  'PATCH /didit/v3/businesses/{vendorData}': async ({ company }) => {
    const body = { legal_name: 'Taken over' };
    expect((await dropIn(`businesses/${company}/`, { method: 'PATCH', body })).status).toBe(404);
  },
  'PATCH /didit/v3/businesses/{vendorData}/update-status': async ({ company }) => {
    const body = { status: 'BLOCKED' };
    expect((await dropIn(`businesses/${company}/update-status/`, { method: 'PATCH', body })).status).toBe(404);
  },
  'POST /didit/v3/transactions': async ({ reference, transaction }) => {
    // The same id is another transaction for another client.
    const made = await dropIn('transactions/', { body: payment(reference) });
    expect([made.status, made.body['txn_id']]).toEqual([201, reference]);
    expect(made.body['uuid']).not.toBe(transaction);
    expect(made.body['vendor_data']).toBe(reference);
  },
  'GET /didit/v3/transactions': async ({ transaction }) =>
    expect(ids(await dropIn('transactions/?limit=100'), 'results', 'uuid')).not.toContain(transaction),
  'GET /didit/v3/transactions/{transactionId}': async ({ transaction }) =>
    notFound(await dropIn(`transactions/${transaction}/`)),
};

/** Another client awaits a code there. */
async function codeTaken(path: string, body: Json): Promise<void> {
  const answer = await dropIn(path, { body });
  expect([answer.status, answer.body['code']]).toEqual([409, 'conflict']);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
}

const payment = (reference: string) => ({
  transaction_id: reference,
  transaction_category: 'finance',
  transaction_details: { direction: 'outbound', amount: 12, currency: 'EUR' },
  subject: { vendor_data: reference, full_name: 'Nuria Ferrer' },
  counterparty: { vendor_data: `${reference}-other`, full_name: 'Nobody Inparticular' },
});

describe('what a client made', () => {
  let owned: Owned;

  beforeAll(async () => {
    const reference = `owned-${randomUUID()}`;
    const made = await system.v1<{ id: string; vendor: { sessionId: string } }>('/v1/verifications', {
      body: { workflow: 'onboarding', subject: { reference, relationship: 'customer' } },
    });
    const check = await system.didit<Json>('passive-liveness/', { method: 'POST', ...pictures(reference) }, owner);
    const phone = `+346${randomBytes(4).readUInt32BE().toString().padStart(10, '0').slice(0, 8)}`;
    const email = `${reference}@mail.example`;
    const company = `company-${randomUUID()}`;
    const ask = (path: string, body: Json) => system.didit<Json>(path, { body }, owner);
    await ask('phone/send/', { phone_number: phone, vendor_data: reference });
    await ask('email/send/', { email, vendor_data: reference });
    const found = await system.didit<{ kyb_registry: { companies: Json[] } }>(
      'kyb/search/',
      { body: { country_code: 'GB', name: 'acme' } },
      owner,
    );
    const { body: business } = await ask('businesses/create/', { vendor_data: company, legal_name: 'Acme' });
    const { body: transaction } = await ask('transactions/', payment(reference));
    const endpoint = await system.v1<Json>(
      '/v1/webhook-endpoints',
      { body: { url: 'https://receiver.example/' } },
      owner,
    );
    const test = await system.v1<Json>(
      `/v1/webhook-endpoints/${String(endpoint.body['id'])}/test`,
      { body: {} },
      owner,
    );
    owned = {
      endpoint: String(endpoint.body['id']),
      delivery: String(test.body['delivery']),
      phone,
      email,
      company,
      choice: String(found.body.kyb_registry.companies[0]?.['kyb_response_id']),
      business: String(business['didit_internal_id']),
      transaction: String(transaction['uuid']),
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
    const endpoint = await system.v1<Json>(`/v1/webhook-endpoints/${owned.endpoint}`);
    expect(endpoint.body).toMatchObject({ state: 'active', description: '', version: 1 });
    const decision = await system.didit<Json>(`session/${owned.session}/decision/`, {}, owner);
    expect(decision.body).toMatchObject({ status: 'Not Started', vendor_data: owned.reference });
    const list = await system.didit<Json>(`sessions/?vendor_data=${owned.reference}`, {}, owner);
    expect(ids(list, 'results', 'session_id')).toEqual([owned.check, owned.session]);
    expect((await system.didit(`session/${owned.check}/decision/`, {}, owner)).status).toBe(200);
  });

  it('is still usable for its owner, whatever others tried', async () => {
    const ask = (path: string, body?: Json) => system.didit<Json>(path, body === undefined ? {} : { body }, owner);
    const tried = { phone_number: owned.phone, code: '123456' };
    expect((await ask('phone/check/', tried)).body).toMatchObject({ status: 'Approved', vendor_data: owned.reference });
    expect((await ask('email/check/', { email: owned.email, code: '123456' })).body['status']).toBe('Approved');
    const selected = await ask('kyb/select/', { kyb_response_id: owned.choice });
    expect((await ask(`session/${String(selected.body['request_id'])}/decision/`)).status).toBe(200);
    const business = await ask(`businesses/${owned.company}/`);
    expect(business.body).toMatchObject({ vendor_data: owned.company, status: 'ACTIVE' });
    expect(ids(await ask('businesses/?limit=100'), 'results', 'didit_internal_id')).toContain(owned.business);
    expect((await ask(`transactions/${owned.transaction}/`)).body).toMatchObject({
      txn_id: owned.reference,
      vendor_data: owned.reference,
    });
    const list = await ask('transactions/?limit=100');
    expect(ids(list, 'results', 'uuid')).toContain(owned.transaction);
    expect(list.text).toContain(`"counterparty_vendor_data":"${owned.reference}-other"`);
    // Once it is used up, the number is anybody's again.
    expect((await dropIn('phone/send/', { body: { phone_number: owned.phone } })).status).toBe(200);
  });
});
