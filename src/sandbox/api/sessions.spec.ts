import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openBench, workflowId, type Bench } from '../testing/fixture.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ webhookUrl: null, rateLimits: 'off' });
});
afterAll(() => bench.close());
beforeEach(async () => {
  await bench.call('POST', '/_sandbox/reset');
});

const unknownId = '00000000-0000-4000-8000-000000000000';

describe('creating a session', () => {
  it('answers 201 with everything the person needs', async () => {
    const reply = await bench.call('POST', '/v3/session/', {
      body: { workflow_id: workflowId.toUpperCase(), vendor_data: 'ñ-1', callback: 'myapp://done', metadata: [1, 'a'] },
    });
    expect(reply.status).toBe(201);
    expect(reply.json).toMatchObject({
      vendor_data: 'ñ-1',
      callback: 'myapp://done',
      metadata: [1, 'a'],
      status: 'Not Started',
      workflow_id: workflowId,
      workflow_version: 1,
    });
    expect(reply.at('session_token')).toMatch(/^[\w-]{12}$/);
    expect(reply.at('url')).toBe(`${bench.url}/session/${String(reply.at('session_token'))}`);
  });

  it('puts the language into the address', async () => {
    const reply = await bench.call('POST', '/v3/session/', { body: { workflow_id: workflowId, language: 'pt-BR' } });
    expect(reply.at('url')).toContain('/pt-BR/session/');
  });

  it('gives metadata back as Python would: floats with their point, integers of any size', async () => {
    const body = `{"workflow_id":"${workflowId}","metadata":{"n":90.0,"big":12345678901234567890,"tiny":0.00001}}`;
    const reply = await bench.call('POST', '/v3/session/', { body });
    expect(reply.text).toContain('"metadata":{"n":90.0,"big":12345678901234567890,"tiny":1e-05}');
  });

  it('gives an unfinished session of the same vendor_data again, with the new callback and metadata', async () => {
    const first = await bench.create({ vendor_data: 'u', callback: 'https://a.example/', metadata: { a: 1 } });
    const second = await bench.call('POST', '/v3/session/', {
      body: { workflow_id: workflowId, vendor_data: 'u', metadata: { b: 2 } },
    });
    expect(second.status).toBe(201);
    expect(second.json).toMatchObject({ session_id: first, callback: null, metadata: { b: 2 } });
  });

  it('never gives a finished one again, nor one without vendor_data, nor one of an older workflow version', async () => {
    const finished = await bench.create({ vendor_data: 'u' });
    await bench.finish(finished, 'In Review');
    const next = await bench.create({ vendor_data: 'u' });
    expect(next).not.toBe(finished);
    expect(await bench.create()).not.toBe(await bench.create());
    await bench.call('POST', '/_sandbox/configure', { body: { workflowVersion: 2 } });
    expect(await bench.create({ vendor_data: 'u' })).not.toBe(next);
    await bench.call('POST', '/_sandbox/configure', { body: { workflowVersion: 1 } });
  });

  it.each([
    ['no workflow', {}, { workflow_id: ['This field is required.'] }],
    ['another workflow', { workflow_id: unknownId }, { workflow_id: 'Invalid workflow_id.' }],
    ['no uuid', { workflow_id: 'x' }, { workflow_id: ['Must be a valid UUID.'] }],
    [
      'a language nobody has',
      { workflow_id: workflowId, language: 'xx' },
      { language: ['"xx" is not a valid choice.'] },
    ],
    [
      'a wrong nested member',
      { workflow_id: workflowId, expected_details: { gender: 'Q', date_of_birth: '1990-13-01' } },
      {
        expected_details: {
          gender: ['"Q" is not a valid choice.'],
          date_of_birth: ['Date has wrong format. Use one of these formats instead: YYYY-MM-DD.'],
        },
      },
    ],
    [
      'contact details that are a text',
      { workflow_id: workflowId, contact_details: 'me' },
      { contact_details: { non_field_errors: ['Invalid data. Expected a dictionary, but got str.'] } },
    ],
    [
      'a portrait too big',
      { workflow_id: workflowId, portrait_image: 'A'.repeat(3_000_000) },
      { portrait_image: ['Image size exceeds 2MB.'] },
    ],
  ])('refuses %s', async (_name, body, error) => {
    const reply = await bench.call('POST', '/v3/session/', { body });
    expect([reply.status, reply.json]).toEqual([400, error]);
  });

  it('refuses what is no JSON, no object, or another media type', async () => {
    const broken = await bench.call('POST', '/v3/session/', { body: '{"a":' });
    expect(broken.status).toBe(400);
    expect(broken.at('detail')).toMatch(/^JSON parse error - /);
    const list = await bench.call('POST', '/v3/session/', { body: '[]' });
    expect(list.json).toEqual({ non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] });
    const text = await bench.call('POST', '/v3/session/', { body: 'a', headers: { 'content-type': 'text/plain' } });
    expect([text.status, text.at('detail')]).toEqual([415, 'Unsupported media type "text/plain" in request.']);
  });
});

describe('who may call', () => {
  it('answers 403 without a key and 401 with a wrong one', async () => {
    const id = await bench.create();
    const path = `/v3/session/${id}/decision/`;
    expect((await bench.call('GET', path, { key: null })).json).toEqual({
      detail: 'You do not have permission to perform this action.',
    });
    expect((await bench.call('GET', path, { key: null })).status).toBe(403);
    expect((await bench.call('GET', path, { key: 'sk_test_wrong' })).status).toBe(401);
    expect((await bench.call('POST', '/v3/session/', { key: 'wrong', body: '{"a":' })).status).toBe(401);
  });

  it.each([
    ['GET', 'decision'],
    ['PATCH', 'update-status'],
    ['DELETE', 'delete'],
    ['GET', 'generate-pdf'],
  ] as const)('looks for the session before the key: %s %s', async (method, name) => {
    const reply = await bench.call(method, `/v3/session/${unknownId}/${name}/`, { key: 'wrong' });
    expect([reply.status, reply.json]).toEqual([404, { detail: 'Not found.' }]);
  });

  it('leaves the health check open', async () => {
    expect((await bench.call('GET', '/system/healthcheck', { key: null })).json).toMatchObject({ status: 'ok' });
  });
});

describe('the last slash', () => {
  it('is put on by a redirect that keeps the query, for GET only', async () => {
    const reply = await bench.call('GET', '/v3/sessions?limit=2&vendor_data=a%20b');
    expect([reply.status, reply.headers['location']]).toEqual([301, '/v3/sessions/?limit=2&vendor_data=a%20b']);
    const post = await bench.call('POST', '/v3/session', { body: { workflow_id: workflowId } });
    expect(post.status).toBe(404);
    expect(post.headers['content-type']).toContain('text/html');
  });

  it('does not redirect to where nothing is', async () => {
    expect((await bench.call('GET', '/v3/nothing')).status).toBe(404);
  });

  it.each(['NOT-A-UUID', unknownId.replace('8000', 'AB00')])('is a page of HTML for %s', async (id) => {
    const reply = await bench.call('GET', `/v3/session/${id}/generate-pdf/`);
    expect(reply.status).toBe(404);
    expect(reply.headers['content-type']).toContain('text/html');
  });

  it('refuses other methods of a route in JSON', async () => {
    const reply = await bench.call('PUT', '/v3/sessions/');
    expect([reply.status, reply.json]).toEqual([405, { detail: 'Method "PUT" not allowed.' }]);
  });
});

describe('a decision', () => {
  it('has null and not [] for what has not run', async () => {
    const reply = await bench.call('GET', `/v3/session/${await bench.create()}/decision/`);
    expect(reply.json).toMatchObject({
      status: 'Not Started',
      id_verifications: null,
      aml_screenings: null,
      reviews: [],
    });
  });

  it.each([
    ['clean', 'Approved', [], ['Approved', 'Approved', 'Approved', 'Approved']],
    ['sanctions-hit', 'In Review', ['POSSIBLE_MATCH_FOUND'], ['Approved', 'Approved', 'Approved', 'In Review']],
    [
      'spoof',
      'Declined',
      ['LOW_LIVENESS_SCORE', 'LIVENESS_FACE_ATTACK'],
      ['Approved', 'Declined', 'Approved', 'Approved'],
    ],
    ['mismatch', 'Declined', ['LOW_FACE_MATCH_SIMILARITY'], ['Approved', 'Approved', 'Declined', 'Approved']],
    ['expired-document', 'Declined', ['DOCUMENT_EXPIRED'], ['Declined', 'Approved', 'Approved', 'Approved']],
  ])('tells of %s', async (scenario, status, risks, verdicts) => {
    const id = await bench.create();
    await bench.finish(id, status, scenario);
    const reply = await bench.call('GET', `/v3/session/${id}/decision/`);
    const modules = ['id_verifications', 'liveness_checks', 'face_matches', 'aml_screenings'];
    expect(reply.at('status')).toBe(status);
    expect(modules.map((name) => reply.at(`${name}.0.status`))).toEqual(verdicts);
    const raised = modules.flatMap((name) => reply.at(`${name}.0.warnings`) as { risk: string; node_id: string }[]);
    expect(raised.map(({ risk }) => risk).filter((risk) => risk !== 'QR_NOT_DETECTED')).toEqual(risks);
    expect(raised.every(({ node_id: node }) => node.startsWith('feature_'))).toBe(true);
    expect(reply.at('aml_screenings.0.total_hits')).toBe(scenario === 'sanctions-hit' ? 1 : 0);
  });

  it('links to pictures that open with their signature only', async () => {
    const id = await bench.create();
    await bench.finish(id, 'Approved');
    const link = new URL(
      String((await bench.call('GET', `/v3/session/${id}/decision/`)).at('id_verifications.0.portrait_image')),
    );
    const picture = await bench.call('GET', link.pathname + link.search, { key: null });
    expect([picture.status, picture.headers['content-type']]).toEqual([200, 'image/png']);
    const other = `${link.pathname.replace('portrait', 'front')}${link.search}`;
    expect((await bench.call('GET', other, { key: null })).status).toBe(403);
    await bench.call('DELETE', `/v3/session/${id}/delete/`);
    expect((await bench.call('GET', link.pathname + link.search)).status).toBe(404);
  });

  it('meets whom the caller expected', async () => {
    const id = await bench.create({
      expected_details: { first_name: 'Ørjan', last_name: 'Åsgård', date_of_birth: '1970-01-02' },
    });
    await bench.finish(id, 'Approved');
    const reply = await bench.call('GET', `/v3/session/${id}/decision/`);
    expect(reply.at('id_verifications.0')).toMatchObject({ full_name: 'Ørjan Åsgård', date_of_birth: '1970-01-02' });
  });
});

describe('the list', () => {
  it('pages newest first, with absolute addresses beside', async () => {
    const ids = [];
    for (let n = 0; n < 5; n += 1) ids.push(await bench.create({ vendor_data: `user ${n}` }));
    const page = await bench.call('GET', '/v3/sessions/?limit=2&offset=2&status=Not%20Started');
    expect(page.at('count')).toBe(5);
    expect([page.at('results.0.session_id'), page.at('results.1.session_id')]).toEqual([ids[2], ids[1]]);
    expect(page.at('next')).toBe(`${bench.url}/v3/sessions/?limit=2&offset=4&status=Not+Started`);
    expect(page.at('previous')).toBe(`${bench.url}/v3/sessions/?limit=2&status=Not+Started`);
    const last = await bench.call('GET', '/v3/sessions/?limit=2&offset=4');
    expect([last.at('next'), last.at('results.length')]).toEqual([null, 1]);
  });

  it('filters by every word of it', async () => {
    const approved = await bench.create({ vendor_data: 'anna' });
    const open = await bench.create({ vendor_data: 'anna-2', contact_details: { email: 'Anna@example.org' } });
    await bench.finish(approved, 'Approved');
    const found = async (query: string): Promise<unknown[]> => {
      const results = (await bench.call('GET', `/v3/sessions/?${query}`)).at('results');
      return (results as { session_id: string }[]).map(({ session_id: id }) => id);
    };
    expect(await found('vendor_data=anna')).toEqual([approved]);
    expect(await found('status=Approved,Declined')).toEqual([approved]);
    expect(await found('status=approved')).toEqual([]);
    expect(await found('search=anna')).toEqual([open, approved]);
    expect(await found('search=anna%40ex')).toEqual([open]);
    expect(await found(`search=${open}`)).toEqual([open]);
    expect(await found('session_kind=BUSINESS')).toEqual([]);
    expect(await found(`workflow_id=x,${workflowId}`)).toEqual([open, approved]);
    expect(await found('session_type=API')).toEqual([]);
    expect(await found('date_from=2020-01-01&date_to=2020-01-02')).toEqual([]);
    expect(await found(`date_to=${new Date().toISOString().slice(0, 10)}`)).toEqual([open, approved]);
  });

  it.each([
    ['session_kind=x', { session_kind: 'Must be "user", "business", or "all".' }],
    ['date_from=yesterday', { date_from: ['Enter a valid date.'] }],
    ['didit_internal_id=1', { didit_internal_id: ['Enter a valid UUID.'] }],
    ['api_service=FOO', { api_service: ['Select a valid choice. FOO is not one of the available choices.'] }],
  ])('refuses %s', async (query, error) => {
    const reply = await bench.call('GET', `/v3/sessions/?${query}`);
    expect([reply.status, reply.json]).toEqual([400, error]);
  });
});

describe('a reviewer', () => {
  const review = (id: string, body: unknown) => bench.call('PATCH', `/v3/session/${id}/update-status/`, { body });

  it('moves a session and leaves a trace', async () => {
    const id = await bench.create();
    await bench.finish(id, 'In Review');
    const reply = await review(id, { new_status: 'Approved', comment: 'looked twice' });
    expect([reply.status, reply.json]).toEqual([200, { session_id: id }]);
    const decision = await bench.call('GET', `/v3/session/${id}/decision/`);
    expect(decision.at('status')).toBe('Approved');
    expect(decision.at('reviews.0')).toMatchObject({
      user: 'API Client',
      new_status: 'Approved',
      comment: 'looked twice',
    });
  });

  it('is told in a bare array that the status is the same', async () => {
    const id = await bench.create();
    await bench.finish(id, 'Declined');
    const reply = await review(id, { new_status: 'Declined' });
    expect([reply.status, reply.json]).toEqual([400, ['The new status is the same as the current status.']]);
  });

  it('hears of the state before the body is read', async () => {
    const reply = await review(await bench.create(), '{"broken');
    expect(reply.status).toBe(400);
    expect(reply.at('detail')).toBe(
      'Only sessions with status Approved, Declined, In Review, Kyc Expired, Abandoned, Resubmitted can be updated. Current status: Not Started',
    );
  });

  it.each([
    [{}, { new_status: ['This field is required.'] }],
    [{ new_status: 'Bogus' }, { new_status: ['"Bogus" is not a valid choice.'] }],
    [
      { new_status: 'Expired' },
      { new_status: ["You can only update the status to 'Approved', 'Declined', or 'Resubmitted'."] },
    ],
    [
      { new_status: 'Declined', send_email: true },
      { email_address: ['Email address is required when send_email is true.'] },
    ],
    [
      { new_status: 'Resubmitted' },
      { nodes_to_resubmit: 'No features found that need resubmission. All features are already approved.' },
    ],
  ])('is refused %j', async (body, error) => {
    const id = await bench.create();
    await bench.finish(id, 'Approved');
    const reply = await review(id, body);
    expect([reply.status, reply.json]).toEqual([400, error]);
  });

  it('sends a session back: its steps are empty and it is given again', async () => {
    const id = await bench.create({ vendor_data: 'again' });
    await bench.finish(id, 'Declined', 'spoof');
    const nodes = [{ node_id: 'feature_liveness_1', feature: 'LIVENESS' }];
    expect((await review(id, { new_status: 'Resubmitted', nodes_to_resubmit: nodes })).status).toBe(200);
    const decision = await bench.call('GET', `/v3/session/${id}/decision/`);
    expect(decision.json).toMatchObject({ status: 'Resubmitted', liveness_checks: null });
    expect(decision.at('id_verifications.0.status')).toBe('Approved');
    expect(await bench.create({ vendor_data: 'again' })).toBe(id);
  });
});

describe('deleting', () => {
  it('answers once, and then there is nothing', async () => {
    const id = await bench.create({ vendor_data: 'gone' });
    const first = await bench.call('DELETE', `/v3/session/${id}/delete/`);
    expect(first.status).toBe(200);
    expect(first.json).toMatchObject({ session_id: id, biometric_template_uuid: null });
    expect((await bench.call('DELETE', `/v3/session/${id}/delete/`)).status).toBe(404);
    expect((await bench.call('GET', `/v3/session/${id}/decision/`)).status).toBe(404);
    expect((await bench.call('GET', '/v3/sessions/?vendor_data=gone')).at('count')).toBe(0);
  });
});

describe('the report', () => {
  it('is another PDF each time', async () => {
    const id = await bench.create();
    await bench.finish(id, 'Approved');
    const [one, two] = [
      await bench.call('GET', `/v3/session/${id}/generate-pdf/`),
      await bench.call('GET', `/v3/session/${id}/generate-pdf/`),
    ];
    expect(one.headers).toMatchObject({
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename=session_${id}.pdf`,
    });
    expect(one.headers['content-length']).toBeDefined();
    expect(one.text).toMatch(/^%PDF-1\.7[\s\S]*%%EOF\n$/);
    expect(one.text).not.toBe(two.text);
  });

  it('is refused until there is something to tell', async () => {
    const reply = await bench.call('GET', `/v3/session/${await bench.create()}/generate-pdf/`);
    expect([reply.status, reply.at('detail')]).toEqual([
      403,
      'You can only generate a PDF for sessions in review, declined, approved or kyc expired',
    ]);
  });
});

describe('limits', () => {
  it('tell of themselves on the 429 and never before', async () => {
    const small = { reads: 2, writes: 300, creates: 600, pdfs: 50 };
    await bench.call('POST', '/_sandbox/configure', { body: { rateLimits: small } });
    const first = await bench.call('GET', '/v3/sessions/');
    expect(Object.keys(first.headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
    await bench.call('GET', '/v3/sessions/');
    const third = await bench.call('GET', '/v3/sessions/');
    await bench.call('POST', '/_sandbox/configure', { body: { rateLimits: 'off' } });
    expect(third.status).toBe(429);
    expect(third.headers).toMatchObject({ 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': '0' });
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(third.headers['x-ratelimit-reset'])).toBeGreaterThan(Date.now() / 1000);
    expect(third.at('detail')).toBe('Read request rate limit exceeded. You can make up to 2 requests per minute.');
  });
});
