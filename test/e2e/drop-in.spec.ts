import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sharedSystem } from '../support/shared.js';
import { type Answer, until } from '../support/system.js';

const system = sharedSystem();
const { piiClient, publicUrl, diditWorkflowId, ...bank } = system.credentials;

type Json = Record<string, unknown>;
interface Page {
  count: number;
  next: string | null;
  previous: string | null;
  results: { session_id: string; vendor_data: string | null; status: string }[];
}

const wanted = (vendorData: string, more: Json = {}) => ({
  workflow_id: diditWorkflowId,
  vendor_data: vendorData,
  ...more,
});

async function create(vendorData = `drop-${randomUUID()}`, client = piiClient): Promise<Json & { session_id: string }> {
  const answer = await system.didit<Json & { session_id: string }>('session/', { body: wanted(vendorData) }, client);
  expect(answer.status).toBe(201);
  return answer.body;
}

const finish = (sessionId: string, status = 'Approved') =>
  system.sandbox(`sessions/${sessionId}/finish`, { body: { status } });

function form(
  fields: Record<string, string>,
  files: Record<string, Buffer>,
): { body: Buffer; headers: Record<string, string> } {
  const boundary = `b-${randomUUID()}`;
  const parts = [
    ...Object.entries(fields).map(([name, value]) =>
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
    ),
    ...Object.entries(files).map(([name, bytes]) =>
      Buffer.concat([
        Buffer.from(
          `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}.png"\r\nContent-Type: image/png\r\n\r\n`,
        ),
        bytes,
        Buffer.from('\r\n'),
      ]),
    ),
    Buffer.from(`--${boundary}--\r\n`),
  ];
  return { body: Buffer.concat(parts), headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } };
}

const picture = () => Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(20_000)]);
const upload = (path: string, fields: Record<string, string>, files: Record<string, Buffer>, client = piiClient) =>
  system.didit<Json>(path, { method: 'POST', ...form(fields, files) }, client);

describe('POST /didit/v3/session', () => {
  it.each(['session', 'session/'])('makes a session as Didit would (%s)', async (path) => {
    const vendorData = `drop-${randomUUID()}`;
    const answer = await system.didit<Json>(path, { body: wanted(vendorData, { metadata: { a: 1 } }) });
    expect(answer.status).toBe(201);
    expect(answer.headers['gatehouse-record']).toBeDefined();
    expect(answer.body).toMatchObject({ status: 'Not Started', vendor_data: vendorData, workflow_id: diditWorkflowId });
    expect(answer.body['url']).toContain(String(answer.body['session_token']));
    const { body: seen } = await system.sandbox<Json>(`sessions/${String(answer.body['session_id'])}`);
    expect(JSON.stringify(seen)).toContain(`:${vendorData}`);
  });

  it('makes two sessions for two that name nobody', async () => {
    const one = await system.didit<Json>('session/', { body: { workflow_id: diditWorkflowId } });
    const two = await system.didit<Json>('session/', { body: { workflow_id: diditWorkflowId } });
    expect(one.body['session_id']).not.toBe(two.body['session_id']);
    expect(one.body['vendor_data']).toBeNull();
  });

  it('hands on what Didit refuses, with our code', async () => {
    const answer = await system.didit<Json>('session/', { body: { workflow_id: randomUUID() } });
    expect([answer.status, answer.headers['gatehouse-code']]).toEqual([400, 'invalid-request']);
    expect(answer.body).toEqual({ workflow_id: 'Invalid workflow_id.' });
  });

  it.each([
    [{ callback: 'javascript:alert(1)' }, '/callback'],
    [{ callback: 'https://u:p@bank.example' }, '/callback'],
    [{ vendor_data: 7 }, '/vendor_data'],
  ])('refuses %j itself', async (more, pointer) => {
    const answer = await system.didit<Json>('session/', { body: wanted('x', more) });
    expect([answer.status, answer.body['code']]).toEqual([400, 'invalid-request']);
    expect(answer.body['errors']).toEqual([{ pointer, message: expect.any(String) as string }]);
  });

  it('takes an app’s own scheme to come back to', async () => {
    const body = wanted(`drop-${randomUUID()}`, { callback: 'bankapp://verified' });
    expect((await system.didit('session/', { body })).status).toBe(201);
  });

  it('refuses a foreign key as Gatehouse does', async () => {
    const answer = await system.didit<Json>('session/', { body: wanted('x'), headers: { 'x-api-key': 'nonsense' } });
    expect([answer.status, answer.body['code']]).toEqual([401, 'unauthenticated']);
    expect(answer.body['detail']).toEqual(expect.any(String));
  });
});

describe('GET /didit/v3/session/{id}/decision', () => {
  it.each(['decision', 'decision/'])('is masked for who may not see persons (%s)', async (last) => {
    const vendorData = `drop-${randomUUID()}`;
    const { session_id: id } = await create(vendorData, bank);
    await finish(id);
    const { status, body, text } = await system.didit<Json>(`session/${id}/${last}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ session_id: id, status: 'Approved', vendor_data: vendorData });
    expect(text).not.toContain('first_name');
    expect(text).not.toContain('_image"');
  });

  it('shows persons and pictures to who may see them', async () => {
    const { session_id: id } = await create();
    await finish(id);
    const { body } = await system.didit<{ id_verifications: Json[] }>(`session/${id}/decision/`, {}, piiClient);
    expect(body.id_verifications[0]).toMatchObject({
      first_name: expect.any(String) as string,
      front_image: expect.stringContaining('https://') as string,
    });
  });

  it.each([randomUUID(), 'nonsense'])('is 404 for %s', async (id) => {
    const answer = await system.didit<Json>(`session/${id}/decision/`);
    expect([answer.status, answer.body['code']]).toEqual([404, 'not-found']);
  });

  it('is 404 for an own id in upper case', async () => {
    const { session_id: id } = await create();
    const answer = await system.didit(`session/${id.toUpperCase()}/decision/`, {}, piiClient);
    expect(answer.status).toBe(404);
  });
});

describe('GET /didit/v3/sessions', () => {
  it('lists, counts and pages own sessions alone, under the address of the gateway', async () => {
    const vendorData = `list-${randomUUID()}`;
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      const { session_id: id } = await create(vendorData, bank);
      await finish(id, 'Declined');
      ids.unshift(id);
    }
    await create(vendorData);
    const first = await system.didit<Page>(`sessions/?vendor_data=${vendorData}&limit=2`);
    expect(first.body).toMatchObject({ count: 3, previous: null });
    expect(first.body.next?.startsWith(`${publicUrl}/didit/v3/sessions/?`)).toBe(true);
    const second = await system.call<Page>(first.body.next ?? '', { headers: { 'x-api-key': bank.apiKey } });
    expect(second.body.next).toBeNull();
    expect(second.body.previous?.startsWith(`${publicUrl}/didit/v3/sessions/?`)).toBe(true);
    const rows = [...first.body.results, ...second.body.results];
    expect(rows.map((row) => row.session_id)).toEqual(ids);
    expect(rows.every((row) => row.vendor_data === vendorData)).toBe(true);
  });

  it('passes other filters on', async () => {
    const { session_id: id } = await create(`list-${randomUUID()}`, bank);
    await finish(id, 'In Review');
    const { body } = await system.didit<Page>('sessions?status=In%20Review');
    expect(body.results.map((row) => row.session_id)).toContain(id);
    expect(body.results.every((row) => row.status === 'In Review')).toBe(true);
    const wrong = await system.didit<Json>('sessions/?date_from=yesterday');
    expect([wrong.status, wrong.headers['gatehouse-code']]).toEqual([400, 'invalid-request']);
  });
});

describe('changes of a session', () => {
  it('updates its status, and a verification follows', async () => {
    const made = await system.v1<{ id: string; vendor: { sessionId: string } }>(
      '/v1/verifications',
      { body: { workflow: 'onboarding', subject: { reference: `up-${randomUUID()}`, relationship: 'customer' } } },
      piiClient,
    );
    const { id, vendor } = made.body;
    await finish(vendor.sessionId, 'In Review');
    const answer = await system.didit<Json>(
      `session/${vendor.sessionId}/update-status`,
      { method: 'PATCH', body: { new_status: 'Approved', comment: 'seen' } },
      piiClient,
    );
    expect([answer.status, answer.body]).toEqual([200, { session_id: vendor.sessionId }]);
    const after = await system.v1<{ status: string }>(`/v1/verifications/${id}`, {}, piiClient);
    expect(after.body.status).toBe('approved');
    const again = await system.didit<Json>(
      `session/${vendor.sessionId}/update-status/`,
      { method: 'PATCH', body: { new_status: 'Approved' } },
      piiClient,
    );
    expect([again.status, again.headers['gatehouse-code'], Array.isArray(again.body)]).toEqual([
      400,
      'invalid-request',
      true,
    ]);
  });

  it('deletes it once', async () => {
    const { session_id: id } = await create();
    const answer = await system.didit(`session/${id}/delete/`, { method: 'DELETE' }, piiClient);
    expect([200, 204]).toContain(answer.status);
    const again = await system.didit(`session/${id}/delete`, { method: 'DELETE' }, piiClient);
    expect([again.status, again.headers['gatehouse-code']]).toEqual([404, 'not-found']);
  });
});

describe('GET /didit/v3/session/{id}/generate-pdf', () => {
  it('streams the report, or hands on why there is none', async () => {
    const { session_id: id } = await create();
    const early = await system.didit<Json>(`session/${id}/generate-pdf/`, {}, piiClient);
    expect([early.status, early.headers['gatehouse-code']]).toEqual([403, 'conflict']);
    expect(early.body['detail']).toEqual(expect.any(String));
    await finish(id);
    const report = await system.didit(`session/${id}/generate-pdf`, {}, piiClient);
    expect([report.status, report.headers['content-type']]).toEqual([200, 'application/pdf']);
    expect(report.headers['content-disposition']).toContain(id);
    expect(report.text.startsWith('%PDF')).toBe(true);
    expect(report.headers['gatehouse-record']).toBeDefined();
  });
});

describe('standalone checks', () => {
  const readBack = async (answer: Answer<Json>) => {
    const id = String(answer.body['request_id']);
    return until(async () => {
      const read = await system.didit<Json>(`session/${id}/decision/`, {}, piiClient);
      return read.status === 200 ? read.body : undefined;
    });
  };

  it.each([
    ['id-verification/', 'id_verification', { front_image: picture(), back_image: picture() }],
    ['passive-liveness', 'liveness', { user_image: picture() }],
    ['face-match/', 'face_match', { user_image: picture(), ref_image: picture() }],
  ])('%s streams pictures through, and its result is the client’s own', async (path, key, files) => {
    const vendorData = `check-${randomUUID()}`;
    const answer = await upload(path, { vendor_data: vendorData }, files);
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining(`"${key}"`)]);
    expect(answer.body).toMatchObject({ vendor_data: vendorData, [key]: { status: expect.any(String) as string } });
    expect(await readBack(answer)).toMatchObject({ vendor_data: vendorData });
  });

  it('aml takes JSON', async () => {
    const vendorData = `check-${randomUUID()}`;
    const body = { full_name: 'Nuria Ferrer', vendor_data: vendorData };
    const answer = await system.didit<Json>('aml/', { body }, piiClient);
    expect(answer.body).toMatchObject({ vendor_data: vendorData, aml: { status: expect.any(String) as string } });
  });

  it('aml honours an Idempotency-Key, each client’s own', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { full_name: 'Nuria Ferrer' };
    const one = await system.didit<Json>('aml/', { body, headers }, piiClient);
    const same = await system.didit<Json>('aml/', { body, headers }, piiClient);
    const other = await system.didit<Json>('aml/', { body: { full_name: 'Somebody Else' }, headers }, bank);
    expect(same.body['request_id']).toBe(one.body['request_id']);
    expect(other.status).toBe(200);
    expect(other.body['request_id']).not.toBe(one.body['request_id']);
    const reused = await system.didit<Json>('aml/', { body: { full_name: 'Another' }, headers }, piiClient);
    expect([reused.status, reused.headers['gatehouse-code']]).toEqual([409, 'conflict']);
  });

  it('hand on what Didit refuses', async () => {
    const answer = await upload('passive-liveness/', {}, {});
    expect([answer.status, answer.headers['gatehouse-code']]).toEqual([400, 'invalid-request']);
    expect(answer.body).toHaveProperty('user_image');
  });

  it('refuse what is no form, or too large a one', async () => {
    const json = await system.didit<Json>('passive-liveness/', { body: { user_image: 'x' } }, piiClient);
    expect([json.status, json.body['code']]).toEqual([415, 'unsupported-media-type']);
    const large = await upload('passive-liveness/', {}, { user_image: Buffer.alloc(7 * 1024 * 1024) });
    expect([large.status, large.body['code']]).toEqual([413, 'body-too-large']);
    const cut = form({}, { user_image: picture() });
    const broken = await system.didit<Json>(
      'passive-liveness/',
      { method: 'POST', body: cut.body.subarray(0, 5_000), headers: cut.headers },
      piiClient,
    );
    expect([broken.status, broken.body['code']]).toEqual([400, 'malformed-request']);
  });
});

describe('paths that no route takes', () => {
  it.each(['users/', 'session/', `session/${randomUUID()}/reviews/`, 'workflows/'])(
    'GET %s answers as ours',
    async (path) => {
      const answer = await system.didit<Json>(path);
      expect([404, 405]).toContain(answer.status);
      expect(answer.body['code']).toMatch(/^(?:not-found|method-not-allowed)$/);
    },
  );
});
