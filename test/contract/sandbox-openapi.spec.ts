import { FormData } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBench, workflowId, type Bench, type Reply } from '../../src/sandbox/testing/fixture.js';
import { described, Description } from '../support/didit-description.js';

/** Why an answer differs from the description of July 2026. Each row must be needed: one that is not fails its test. */
const deviations: Readonly<Record<string, string>> = {
  // The document of these tests is captured with one camera, in which case the standalone schema says null.
  'decision /id_verifications/0/front_image_camera_front must be string': 'null, as in the standalone schema',
  'decision /id_verifications/0/back_image_camera_front must be string': 'null, as in the standalone schema',
  // The person in these tests has a passport, and a passport has no back.
  'decision /id_verifications/0/back_image must be string': 'null, as in the standalone schema',
  'decision /id_verifications/0/back_video must be string': 'null where there is no back',
  'decision /id_verifications/0/full_back_image must be string': 'null where there is no back',
  // The description shows them in an example; a geocoder's answer need not have them.
  'decision lacks id_verifications[].parsed_address.raw_results.place_id': 'the geocoder is not played in full',
  'decision lacks id_verifications[].parsed_address.raw_results.navigation_points':
    'the geocoder is not played in full',
  'decision lacks id_verifications[].parsed_address.raw_results.geometry.viewport':
    'the geocoder is not played in full',
  // Names as on Spanish documents: the standalone example has them under extra_fields, and no schema lists them.
  'decision has id_verifications[].extra_fields.first_surname': 'shown by the standalone example',
  'decision has id_verifications[].extra_fields.second_surname': 'shown by the standalone example',
};

describe.skipIf(!described)('the sandbox against Didit’s OpenAPI description', () => {
  let bench: Bench;
  let didit: Description;

  beforeAll(async () => {
    didit = new Description(deviations);
    bench = await openBench({ webhookUrl: null, rateLimits: 'off' });
  });
  afterAll(() => bench.close());

  const decided = async (status: string, scenario: string): Promise<string> => {
    const id = await bench.create({
      vendor_data: `contract-${scenario}`,
      metadata: { user_type: 'premium' },
      callback: 'https://bank.example/done',
      expected_details: { first_name: 'Zoë', last_name: 'Müller' },
      contact_details: {
        email: 'zoe@example.org',
        email_lang: 'de',
        send_notification_emails: false,
        phone: '+4915100000',
      },
    });
    await bench.finish(id, status, scenario);
    return id;
  };

  const upload = (path: string, ...names: string[]): Promise<Reply> => {
    const form = new FormData();
    for (const name of names) form.set(name, new File([Buffer.alloc(64, 1)], `${name}.jpg`, { type: 'image/jpeg' }));
    form.set('metadata', '{"flow":"login"}');
    return bench.call('POST', path, { form });
  };

  it('creates a session', async () => {
    const reply = await bench.call('POST', '/v3/session/', {
      body: { workflow_id: workflowId, vendor_data: 'contract' },
    });
    expect(reply.status).toBe(201);
    didit.holds('create', reply, '/v3/session/', 'post');
  });

  it.each([
    ['clean', 'Approved'],
    ['sanctions-hit', 'In Review'],
    ['spoof', 'Declined'],
    ['mismatch', 'Declined'],
    ['expired-document', 'Declined'],
  ])('decides: %s', async (scenario, status) => {
    const id = await decided(status, scenario);
    const reply = await bench.call('GET', `/v3/session/${id}/decision/`);
    didit.holds('decision', reply, '/v3/session/{sessionId}/decision/', 'get');
  });

  it.each(['Not Started', 'Abandoned', 'Expired', 'Kyc Expired'])(
    'decides nothing, or no longer: %s',
    async (status) => {
      const id = await bench.create();
      if (status !== 'Not Started') await bench.finish(id, status);
      const reply = await bench.call('GET', `/v3/session/${id}/decision/`);
      didit.holds('decision', reply, '/v3/session/{sessionId}/decision/', 'get');
    },
  );

  it('lists sessions', async () => {
    await decided('In Review', 'sanctions-hit');
    await bench.create();
    const reply = await bench.call('GET', '/v3/sessions/?limit=3');
    expect(reply.at('results.length')).toBe(3);
    const schema = didit.media('/v3/sessions/', 'get', 200).schema;
    const row = schema?.properties?.['results']?.items?.oneOf?.[0];
    if (schema === undefined || row === undefined) throw new Error('the list is described otherwise');
    expect(
      didit.differences(
        'list',
        { ...schema, properties: { ...schema.properties, results: {} } },
        { ...Object(reply.json) },
      ),
    ).toEqual([]);
    for (const item of reply.at('results') as unknown[]) expect(didit.differences('row', row, item)).toEqual([]);
  });

  it('updates a status', async () => {
    const id = await decided('In Review', 'mismatch');
    const reply = await bench.call('PATCH', `/v3/session/${id}/update-status/`, {
      body: { new_status: 'Declined', comment: 'no' },
    });
    expect(reply.status).toBe(200);
    didit.holds('update', reply, '/v3/session/{sessionId}/update-status/', 'patch');
    const after = await bench.call('GET', `/v3/session/${id}/decision/`);
    didit.holds('decision', after, '/v3/session/{sessionId}/decision/', 'get');
  });

  it('makes the report that the description promises', async () => {
    const id = await decided('Approved', 'clean');
    const reply = await bench.call('GET', `/v3/session/${id}/generate-pdf/`);
    const described = didit.paths['/v3/session/{sessionId}/generate-pdf/']?.['get']?.responses['200'];
    expect(Object.keys(described?.content ?? {})).toEqual([reply.headers['content-type']]);
    for (const header of Object.keys(described?.headers ?? {}))
      expect(reply.headers).toHaveProperty(header.toLowerCase());
    expect(reply.headers['content-disposition']).toBe(`attachment; filename=session_${id}.pdf`);
  });

  it('deletes with a body since autumn, where the description of July has an empty 204', async () => {
    const reply = await bench.call('DELETE', `/v3/session/${await bench.create()}/delete/`);
    expect(didit.paths['/v3/session/{sessionId}/delete/']?.['delete']?.responses).not.toHaveProperty('200');
    expect([reply.status, Object.keys(Object(reply.json))]).toEqual([
      200,
      ['session_id', 'session_number', 'face_retention_outcome', 'biometric_template_uuid'],
    ]);
  });

  it.each([
    ['/v3/id-verification/', ['front_image', 'back_image']],
    ['/v3/passive-liveness/', ['user_image']],
    ['/v3/face-match/', ['user_image', 'ref_image']],
  ])('checks by itself: %s', async (path, names) => {
    const reply = await upload(path, ...names);
    expect(reply.status).toBe(200);
    didit.holds(path, reply, path, 'post');
  });

  it.each(['Maria Embargo', 'Nobody Inparticular'])('screens %s', async (name) => {
    const body = { full_name: name, date_of_birth: '1980-01-01', nationality: 'ES' };
    didit.holds('aml', await bench.call('POST', '/v3/aml/', { body }), '/v3/aml/', 'post');
  });

  it('is healthy', async () => {
    didit.holds('health', await bench.call('GET', '/system/healthcheck'), '/system/healthcheck', 'get');
  });

  describe('errors, to the letter', () => {
    it.each([
      ['Missing workflow_id', {}],
      ['Invalid workflow_id', { workflow_id: '00000000-0000-4000-8000-000000000000' }],
      ['Portrait image too large', { workflow_id: workflowId, portrait_image: 'A'.repeat(3_000_000) }],
    ])('create: %s', async (name, body) => {
      const reply = await bench.call('POST', '/v3/session/', { body });
      expect([reply.status, reply.json]).toEqual([400, didit.example('/v3/session/', 'post', 400, name)]);
    });

    it('create: no credit, no key', async () => {
      await bench.call('POST', '/_sandbox/faults', { body: { kind: 'no-credit' } });
      const poor = await bench.call('POST', '/v3/session/', { body: { workflow_id: workflowId } });
      await bench.call('DELETE', '/_sandbox/faults');
      expect([poor.status, poor.json]).toEqual([
        400,
        didit.example('/v3/session/', 'post', 400, 'Insufficient credits'),
      ]);
      const nobody = await bench.call('POST', '/v3/session/', { body: {}, key: null });
      expect([nobody.status, nobody.json]).toEqual([403, didit.example('/v3/session/', 'post', 403, 'No permission')]);
    });

    it('a wrong key: 401 since November, with the words that July had under 403', async () => {
      const path = '/v3/session/{sessionId}/decision/';
      const reply = await bench.call('GET', `/v3/session/${await bench.create()}/decision/`, { key: 'wrong' });
      expect(didit.paths[path]?.['get']?.responses).not.toHaveProperty('401');
      expect([reply.status, reply.json]).toEqual([
        401,
        didit.example(path, 'get', 403, 'Missing or invalid credentials'),
      ]);
    });

    it.each([
      ['Missing new_status', 'Approved', {}],
      ['Invalid Status Value', 'Approved', { new_status: 'In Review' }],
      ['Invalid Status Value (not a status at all)', 'Approved', { new_status: 'Bogus' }],
      ['Same Status', 'Approved', { new_status: 'Approved' }],
      ['Email Address Required', 'Approved', { new_status: 'Declined', send_email: true }],
      ['Nothing To Resubmit', 'Approved', { new_status: 'Resubmitted' }],
      [
        'Non-resubmittable Feature',
        'Approved',
        { new_status: 'Resubmitted', nodes_to_resubmit: [{ node_id: 'n', feature: 'KYB_REGISTRY' }] },
      ],
    ])('update-status: %s', async (name, status, body) => {
      const id = await decided(status, 'clean');
      const path = '/v3/session/{sessionId}/update-status/';
      const reply = await bench.call('PATCH', `/v3/session/${id}/update-status/`, { body });
      expect([reply.status, reply.json]).toEqual([400, didit.example(path, 'patch', 400, name)]);
    });

    it('update-status: Wrong Current Status', async () => {
      const id = await bench.create();
      await bench.call(
        'GET',
        new URL(String((await bench.call('GET', `/_sandbox/sessions/${id}`)).at('url'))).pathname,
      );
      const reply = await bench.call('PATCH', `/v3/session/${id}/update-status/`, { body: {} });
      const expected = didit.example('/v3/session/{sessionId}/update-status/', 'patch', 400, 'Wrong Current Status');
      expect([reply.status, reply.json]).toEqual([400, expected]);
    });

    it('generate-pdf: unfinished, unknown', async () => {
      const path = '/v3/session/{sessionId}/generate-pdf/';
      const early = await bench.call('GET', `/v3/session/${await bench.create()}/generate-pdf/`);
      expect([early.status, early.json]).toEqual([403, didit.example(path, 'get', 403, 'KYC session not finished')]);
      const unknown = await bench.call('GET', '/v3/session/00000000-0000-4000-8000-000000000000/generate-pdf/');
      expect([unknown.status, unknown.json]).toEqual([404, didit.example(path, 'get', 404, 'Unknown session')]);
    });

    it.each([
      ['Invalid session_kind', 'session_kind=x'],
      ['Invalid date', 'date_from=x'],
      ['Invalid didit_internal_id', 'didit_internal_id=x'],
      ['Invalid api_service', 'api_service=FOO'],
    ])('list: %s', async (name, query) => {
      const reply = await bench.call('GET', `/v3/sessions/?${query}`);
      expect([reply.status, reply.json]).toEqual([400, didit.example('/v3/sessions/', 'get', 400, name)]);
    });

    it.each([
      ['Missing full_name', {}],
      ['Invalid nationality', { full_name: 'A', nationality: 'ESP' }],
      ['Weights do not sum to 100', { full_name: 'A', aml_name_weight: 50 }],
      ['Thresholds out of order', { full_name: 'A', aml_score_approve_threshold: 90, aml_score_review_threshold: 80 }],
      ['Monitoring without saving', { full_name: 'A', include_ongoing_monitoring: true, save_api_request: false }],
    ])('aml: %s', async (name, body) => {
      const reply = await bench.call('POST', '/v3/aml/', { body });
      expect([reply.status, reply.json]).toEqual([400, didit.example('/v3/aml/', 'post', 400, name)]);
    });

    it.each([
      ['/v3/id-verification/', 'Missing front image', {}],
      ['/v3/id-verification/', 'Unsupported file extension', { front_image: ['a.txt', 10] }],
      ['/v3/id-verification/', 'File too large', { front_image: ['a.jpg', 11_000_000] }],
      ['/v3/id-verification/', 'Document not recognized', { front_image: ['unreadable.jpg', 10] }],
      ['/v3/passive-liveness/', 'Missing image', {}],
      ['/v3/passive-liveness/', 'Invalid image format', { user_image: ['unreadable.jpg', 10] }],
      ['/v3/passive-liveness/', 'File too large', { user_image: ['a.jpg', 6_000_000] }],
      ['/v3/face-match/', 'Missing required image', { user_image: ['a.jpg', 10] }],
    ] as const)('%s %s', async (path, name, files) => {
      const form = new FormData();
      form.set('vendor_data', 'v');
      for (const [part, [title, size]] of Object.entries<readonly [string, number]>(files)) {
        form.set(part, new File([Buffer.alloc(size)], title));
      }
      const reply = await bench.call('POST', path, { form });
      expect([reply.status, reply.json]).toEqual([400, didit.example(path, 'post', 400, name)]);
    });

    it.each([
      ['/v3/session/', 'post', 'session.create', 'POST'],
      ['/v3/session/{sessionId}/generate-pdf/', 'get', 'session.pdf', 'GET'],
    ] as const)('429 of %s has every header that is described', async (path, method, operation, verb) => {
      await bench.call('POST', '/_sandbox/faults', { body: { kind: 'rate-limited', operations: [operation] } });
      const reply = await bench.call(verb, path.replace('{sessionId}', '00000000-0000-4000-8000-000000000000'));
      await bench.call('DELETE', '/_sandbox/faults');
      didit.holds('limited', reply, path, method);
      const headers = Object.keys(didit.paths[path]?.[method]?.responses['429']?.headers ?? {});
      for (const header of headers) expect(reply.headers[header.toLowerCase()]).toMatch(/^\d+$/);
    });
  });

  it('needs each of its deviations', () => {
    expect(didit.unneeded()).toEqual([]);
  });
});
