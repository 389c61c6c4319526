import { FormData } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openBench, type Bench } from '../testing/fixture.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench({ rateLimits: 'off' });
});
afterAll(() => bench.close());
beforeEach(async () => {
  await bench.call('POST', '/_sandbox/reset');
  bench.receiver.received.length = 0;
});

const picture = (name: string, bytes = 100, type = 'image/jpeg'): File =>
  new File([Buffer.alloc(bytes, 1)], name, { type });

const post = (path: string, parts: Record<string, string | File>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) form.set(name, value);
  return bench.call('POST', path, { form });
};

describe('a document', () => {
  it('is read, kept and told of', async () => {
    const reply = await post('/v3/id-verification/', {
      front_image: picture('front.jpg'),
      back_image: picture('back.png'),
      vendor_data: 'u-9',
      metadata: '{"flow":"onboarding"}',
    });
    expect(reply.status).toBe(200);
    expect(reply.at('id_verification.status')).toBe('Approved');
    expect(reply.json).toMatchObject({ vendor_data: 'u-9', metadata: { flow: 'onboarding' } });
    const id = String(reply.at('request_id'));
    const decision = await bench.call('GET', `/v3/session/${id}/decision/`);
    expect(decision.json).toMatchObject({
      status: 'Approved',
      features: ['ID_VERIFICATION'],
      session_url: null,
      workflow_id: null,
    });
    expect(decision.at('id_verifications.0.document_number')).toBe(reply.at('id_verification.document_number'));
    const [received] = await bench.receiver.until(1);
    expect(received?.body).toMatchObject({ webhook_type: 'status.updated', session_id: id, status: 'Approved' });
    const listed = await bench.call('GET', '/v3/sessions/?session_type=API&api_service=ID_VERIFICATION');
    expect(listed.at('results.0.session_id')).toBe(id);
  });

  it('that has expired is a 200 that says Declined', async () => {
    const reply = await post('/v3/id-verification/', { front_image: picture('my-expired-document.jpg') });
    expect([reply.status, reply.at('id_verification.status')]).toEqual([200, 'Declined']);
    expect(reply.at('id_verification.warnings.0')).toMatchObject({ risk: 'DOCUMENT_EXPIRED', log_type: 'error' });
    expect(reply.at('id_verification.warnings.0.node_id')).toBeUndefined();
    expect(reply.at('id_verification.back_image')).toBeNull();
  });

  it('leaves no trace when it is not to be kept', async () => {
    const reply = await post('/v3/id-verification/', { front_image: picture('a.jpg'), save_api_request: 'false' });
    expect(reply.at('id_verification.portrait_image')).toMatch(/^iVBORw0KGgo/);
    expect((await bench.call('GET', `/v3/session/${String(reply.at('request_id'))}/decision/`)).status).toBe(404);
    expect((await bench.call('GET', '/v3/sessions/')).at('count')).toBe(0);
  });

  it.each([
    [{}, { front_image: ['No file was submitted.'] }],
    [
      { front_image: 'text' },
      { front_image: ['The submitted data was not a file. Check the encoding type on the form.'] },
    ],
    [{ front_image: picture('a.jpg', 0) }, { front_image: ['The submitted file is empty.'] }],
    [{ front_image: picture('a.jpg', 10 * 1024 * 1024 + 1) }, { front_image: ['File size should not exceed 10 MB'] }],
    [
      { front_image: picture('a.txt') },
      {
        front_image: ['File extension “txt” is not allowed. Allowed extensions are: tiff, jpg, jpeg, png, webp, pdf.'],
      },
    ],
    [
      { front_image: picture('a.jpg'), invalid_mrz_action: 'REVIEW' },
      { invalid_mrz_action: ['"REVIEW" is not a valid choice.'] },
    ],
    [{ front_image: picture('unreadable.jpg') }, { error: 'COULD_NOT_RECOGNIZE_DOCUMENT' }],
  ])('case %# is refused', async (parts, error) => {
    const reply = await post('/v3/id-verification/', parts);
    expect([reply.status, reply.json]).toEqual([400, error]);
  });

  it('is refused when the body is no form, or too big', async () => {
    const json = await bench.call('POST', '/v3/id-verification/', { body: { front_image: 'x' } });
    expect([json.status, json.at('detail')]).toEqual([
      400,
      'Multipart form parse error - Invalid boundary in multipart: None',
    ]);
    const huge = await post('/v3/id-verification/', { front_image: picture('a.jpg', 33 * 1024 * 1024) });
    expect([huge.status, huge.headers['content-type']]).toEqual([413, 'text/html; charset=utf-8']);
  });
});

describe('a face', () => {
  it('is alive, or not', async () => {
    expect((await post('/v3/passive-liveness/', { user_image: picture('me.jpg') })).text).toContain('"score":95.0');
    const spoof = await post('/v3/passive-liveness/', { user_image: picture('spoof.jpg') });
    expect(spoof.json).toMatchObject({
      liveness: {
        status: 'Declined',
        method: 'PASSIVE',
        score: 12.5,
        warnings: [{ risk: 'LOW_LIVENESS_SCORE' }, { risk: 'LIVENESS_FACE_ATTACK' }],
      },
    });
  });

  it('is declined at the threshold, not only below it', async () => {
    const reply = await post('/v3/passive-liveness/', {
      user_image: picture('me.jpg'),
      face_liveness_score_decline_threshold: '95',
    });
    expect(reply.at('liveness.status')).toBe('Declined');
    const wrong = await post('/v3/passive-liveness/', {
      user_image: picture('me.jpg'),
      face_liveness_score_decline_threshold: '101',
    });
    expect(wrong.json).toEqual({
      face_liveness_score_decline_threshold: ['Ensure this value is less than or equal to 100.'],
    });
  });

  it('matches, with two decimals when kept and all of them when not', async () => {
    const images = { user_image: picture('me.jpg'), ref_image: picture('id.jpg') };
    const kept = await post('/v3/face-match/', images);
    expect(kept.at('face_match')).toMatchObject({ status: 'Approved', score: 99.41 });
    const raw = await post('/v3/face-match/', { ...images, save_api_request: 'false' });
    expect(String(raw.at('face_match.score')).length).toBeGreaterThan(8);
    const other = await post('/v3/face-match/', { ...images, ref_image: picture('mismatch.jpg') });
    expect(other.at('face_match')).toMatchObject({
      status: 'Declined',
      warnings: [{ risk: 'LOW_FACE_MATCH_SIMILARITY' }],
    });
    expect((await post('/v3/face-match/', { user_image: picture('me.jpg') })).json).toEqual({
      ref_image: ['No file was submitted.'],
    });
  });
});

describe('a name', () => {
  const screen = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
    bench.call('POST', '/v3/aml/', { body, headers });

  it('is on no list', async () => {
    const reply = await screen({ full_name: 'Zoë Müller', nationality: 'DE', date_of_birth: '1992-03-14' });
    expect(reply.json).toMatchObject({
      aml: {
        status: 'Approved',
        total_hits: 0,
        score: 0,
        screened_data: { full_name: 'Zoë Müller', nationality: 'DE' },
      },
    });
  });

  it('is on the list, and the thresholds say what comes of it', async () => {
    const name = { full_name: 'MARÍA Embargo' };
    expect((await screen(name)).at('aml')).toMatchObject({ status: 'In Review', total_hits: 1 });
    expect((await screen({ ...name, aml_score_review_threshold: 90 })).at('aml.status')).toBe('Declined');
    expect((await screen({ ...name, aml_score_approve_threshold: 95 })).at('aml.status')).toBe('Approved');
  });

  it.each([
    [{}, { full_name: ['This field is required.'] }],
    [{ full_name: 'A', nationality: 'ZZ' }, { nationality: ['Invalid ISO 3166-1 alpha-2 country code.'] }],
    [
      { full_name: 'A', aml_name_weight: 50 },
      { error: ['AML weights must sum to 100. Current sum: 90 (name: 50, dob: 25, country: 15)'] },
    ],
    [
      { full_name: 'A', aml_score_approve_threshold: 90, aml_score_review_threshold: 80 },
      { error: ['Approve threshold (90.0) cannot be greater than review threshold (80.0)'] },
    ],
    [
      { full_name: 'A', include_ongoing_monitoring: true, save_api_request: false },
      { error: ['Ongoing monitoring can only be enabled when the API request is saved.'] },
    ],
  ])('is refused %j', async (body, error) => {
    const reply = await screen(body);
    expect([reply.status, reply.json]).toEqual([400, error]);
  });

  it('is screened once for a key, and another body is a conflict', async () => {
    const headers = { 'idempotency-key': 'k-1' };
    const first = await screen({ full_name: 'A' }, headers);
    expect((await screen({ full_name: 'A' }, headers)).text).toBe(first.text);
    expect((await screen({ full_name: 'B' }, headers)).status).toBe(409);
    expect((await bench.call('GET', '/v3/sessions/')).at('count')).toBe(1);
    expect((await screen({ full_name: 'A' }, { 'idempotency-key': 'k'.repeat(256) })).status).toBe(400);
  });
});
