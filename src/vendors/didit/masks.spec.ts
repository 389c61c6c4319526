import { describe, expect, it } from 'vitest';
import { REPORTING } from './modules.js';
import { DOCUMENT, FULL_DECISION, HIT, MATCH, SCREENING } from './testing/decision.js';
import { ALL, LEAN, LINK, masksWith, PII } from './testing/masks.js';
import { EVERY_MODULE, STANDALONE } from './testing/reports.js';

const masks = masksWith();
const document = DOCUMENT;
const screening = SCREENING;

describe('a decision without pii:read', () => {
  it('is ids, statuses, scores and years, to the letter', () => {
    const { value, unlisted } = masks.answer('session.decision', FULL_DECISION, LEAN);
    expect(unlisted).toEqual([]);
    expect(value).toEqual({
      session_id: FULL_DECISION.session_id,
      session_kind: 'user',
      session_number: 4711,
      status: 'In Review',
      environment: 'sandbox',
      workflow_id: FULL_DECISION.workflow_id,
      features: FULL_DECISION.features,
      vendor_data: 'cust-42',
      created_at: FULL_DECISION.created_at,
      expires_at: null,
      id_verifications: [
        {
          node_id: 'feature_ocr_1',
          status: 'Approved',
          document_type: 'Identity Card',
          document_number: '7788',
          front_image_camera_front_face_match_score: 95.5,
          front_image_quality_score: { focus_score: 85.3, overall_score: 88.7 },
          back_image_quality_score: null,
          date_of_birth: '1984',
          expiration_date: '2031',
          issuing_state: 'ESP',
          warnings: [
            { feature: 'ID_VERIFICATION', risk: 'QR_NOT_DETECTED', log_type: 'information', node_id: 'feature_ocr_1' },
          ],
        },
      ],
      liveness_checks: [{ node_id: 'feature_liveness', status: 'Approved', score: 97.25, warnings: [] }],
      face_matches: [
        {
          node_id: 'feature_face_match',
          status: 'In Review',
          score: 61.5,
          warnings: [{ feature: 'FACEMATCH', risk: 'LOW_FACE_MATCH_SIMILARITY', log_type: 'warning' }],
        },
      ],
      aml_screenings: [{ node_id: 'feature_aml', status: 'Approved', total_hits: 1, score: 12, warnings: [] }],
      phone_verifications: [
        {
          node_id: 'feature_phone',
          status: 'Approved',
          warnings: [{ feature: 'PHONE', risk: 'DISPOSABLE', log_type: 'warning', node_id: 'feature_phone' }],
        },
      ],
      nfc_verifications: null,
    });
    expect(JSON.stringify(value)).not.toContain('secret');
  });

  it('has the hosted link for those with the right to it', () => {
    expect(masks.answer('session.decision', FULL_DECISION, LINK).value).toHaveProperty(
      'session_url',
      FULL_DECISION.session_url,
    );
  });

  it('gives no media to those who have only the right to media', () => {
    const media = { ...LEAN, media: true };
    expect(masks.answer('session.decision', FULL_DECISION, media)).toEqual(
      masks.answer('session.decision', FULL_DECISION, LEAN),
    );
  });

  it('drops and tells what Didit may add', () => {
    const added = {
      ...FULL_DECISION,
      voice_checks: [{ transcript: 'secret' }],
      id_verifications: [{ ...document, blood_type: 'secret', uuid: 'x', score: 1 }],
    };
    const { value, unlisted } = masks.answer('session.decision', added, LEAN);
    expect(JSON.stringify(value)).not.toContain('secret');
    expect([...unlisted].sort()).toEqual(['*', 'id_verifications[].*', 'id_verifications[].score']);
  });

  it('lets no text pass that no id or status could be', () => {
    const odd = { ...FULL_DECISION, status: 'x'.repeat(300), environment: '//media.test/x', session_kind: 'data:,x' };
    expect(masks.answer('session.decision', odd, LEAN).value).not.toHaveProperty('status');
    expect(masks.answer('session.decision', odd, LEAN).value).not.toHaveProperty('environment');
    expect(masks.answer('session.decision', odd, LEAN).value).not.toHaveProperty('session_kind');
  });
});

describe('a decision with pii:read', () => {
  const { value } = masks.answer('session.decision', FULL_DECISION, PII);

  it('is whole but for media and links', () => {
    const { portrait_image: _p, front_image: _f, ...personal } = document;
    const { front_image_url: _m, ...match } = MATCH;
    expect(value).toMatchObject({
      metadata: FULL_DECISION.metadata,
      callback: FULL_DECISION.callback,
      expected_details: FULL_DECISION.expected_details,
      reviews: FULL_DECISION.reviews,
      id_verifications: [{ ...personal, extra_files: [], matches: [match] }],
    });
    const text = JSON.stringify(value);
    for (const media of ['media.vendor.test', 'iVBORw0KGgo', 'thumbnail', 'session_url', 'secretTok3nX'])
      expect(text).not.toContain(media);
  });

  it('keeps the published sources of a screening', () => {
    expect(value).toHaveProperty('aml_screenings.0.hits.0.url', HIT.url);
    const sources = 'aml_screenings.0.hits.0.adverse_media_matches.0';
    expect(value).toHaveProperty(sources, { source_url: 'https://news.test/secret?page=2' });
  });

  it('is quite whole with the rights to media and link', () => {
    expect(masks.answer('session.decision', FULL_DECISION, ALL).value).toEqual(FULL_DECISION);
    const media = masks.answer('session.decision', FULL_DECISION, { ...ALL, link: false }).value;
    const { session_url: _, ...rest } = FULL_DECISION;
    expect(media).toEqual(rest);
  });
});

describe('the other answers', () => {
  const created = {
    session_id: FULL_DECISION.session_id,
    session_number: 1,
    session_token: '3FaJ9wLqX2Mz',
    url: 'https://verify.vendor.test/session/3FaJ9wLqX2Mz',
    vendor_data: 'https://bank.test/customers/7?x=1',
    metadata: { name: 'secret' },
    status: 'Not Started',
    callback: 'https://bank.test/back',
    workflow_id: FULL_DECISION.workflow_id,
    workflow_version: 3,
  };

  it('a new session comes with its link and token, and with the client’s reference as it was written', () => {
    const { metadata: _m, callback: _c, ...lean } = created;
    expect(masks.answer('session.create', created, LEAN)).toEqual({ value: lean, unlisted: [] });
    expect(masks.answer('session.create', created, PII).value).toEqual(created);
  });

  it('a page of sessions keeps its frame', () => {
    const row = {
      session_id: FULL_DECISION.session_id,
      session_kind: 'user',
      session_url: FULL_DECISION.session_url,
      portrait_image: 'https://media.vendor.test/secret.jpg',
      document_type: 'Passport',
      full_name: 'secret',
      status: 'Approved',
      vendor_data: 'cust-42',
      features: [{ feature: 'AML', status: 'Approved' }],
      additional_details: { aml: { total_hits: 2, screened_data: { x: 'secret' } }, liveness: { score: 0.9 } },
      email_address: { email: 'secret' },
    };
    const page = { count: 1, next: 'https://v.test/v3/sessions/?limit=1&offset=1', previous: null, results: [row] };
    expect(masks.answer('session.list', page, LEAN)).toEqual({
      unlisted: [],
      value: {
        ...page,
        results: [
          {
            session_id: row.session_id,
            session_kind: 'user',
            document_type: 'Passport',
            status: 'Approved',
            vendor_data: 'cust-42',
            features: row.features,
            additional_details: { aml: { total_hits: 2 }, liveness: { score: 0.9 } },
          },
        ],
      },
    });
    const { portrait_image: _p, session_url: _s, ...personal } = row;
    expect(masks.answer('session.list', page, PII).value).toEqual({ ...page, results: [personal] });
    expect(masks.answer('session.list', page, ALL).value).toEqual(page);
  });

  it('checks of their own are masked like their modules', () => {
    const body = {
      request_id: 'r-1',
      id_verification: document,
      vendor_data: 'v',
      metadata: 'secret',
      created_at: 'now',
    };
    const lean = masks.answer('id-verification', body, LEAN);
    expect(lean.unlisted).toEqual([]);
    expect(JSON.stringify(lean.value)).not.toContain('secret');
    expect(lean.value).toMatchObject({
      request_id: 'r-1',
      id_verification: { document_number: '7788', date_of_birth: '1984' },
    });
    const liveness = {
      request_id: 'r',
      liveness: { status: 'Declined', score: 3, user_image: { entities: [{ age: 3 }] } },
    };
    expect(masks.answer('passive-liveness', liveness, LEAN).value).toEqual({
      request_id: 'r',
      liveness: { status: 'Declined', score: 3 },
    });
    expect(masks.answer('passive-liveness', liveness, PII).value).toEqual(liveness);
    const match = { request_id: 'r', face_match: { status: 'Approved', score: 99.4, ref_image: {} } };
    expect(masks.answer('face-match', match, LEAN).value).toEqual({
      request_id: 'r',
      face_match: { status: 'Approved', score: 99.4 },
    });
    const aml = { request_id: 'r', aml: screening };
    expect(masks.answer('aml', aml, LEAN).value).toMatchObject({ aml: { total_hits: 1, score: 12 } });
    expect(JSON.stringify(masks.answer('aml', aml, LEAN).value)).not.toContain('secret');
    expect(masks.answer('aml', aml, PII).value).toHaveProperty('aml.hits.0.url', HIT.url);
  });

  it('small answers have little to show', () => {
    const deleted = {
      session_id: 's',
      session_number: 1,
      face_retention_outcome: 'deleted',
      biometric_template_uuid: 'b',
    };
    expect(masks.answer('session.delete', deleted, LEAN).value).not.toHaveProperty('biometric_template_uuid');
    expect(masks.answer('session.delete', deleted, PII).value).toEqual(deleted);
    expect(masks.answer('session.delete', undefined, LEAN).value).toBeUndefined();
    expect(masks.answer('session.update-status', { session_id: 's', x: 1 }, LEAN).value).toEqual({ session_id: 's' });
    expect(masks.answer('session.pdf', { a: 'secret' }, ALL).value).toBeUndefined();
  });
});

describe('the result of a verification', () => {
  it('is the same list in camelCase, with the warnings of every module beside it', () => {
    const { result, warnings, unlisted } = masks.result(FULL_DECISION, LEAN);
    expect(unlisted).toEqual([]);
    expect(Object.keys(result)).toEqual([
      'status',
      'idVerifications',
      'livenessChecks',
      'faceMatches',
      'amlScreenings',
      'phoneVerifications',
    ]);
    expect(result.idVerifications[0]).toMatchObject({
      nodeId: 'feature_ocr_1',
      documentType: 'Identity Card',
      documentNumber: '7788',
      dateOfBirth: '1984',
      expirationDate: '2031',
      frontImageQualityScore: { focusScore: 85.3 },
      warnings: [{ logType: 'information' }],
    });
    expect(result.amlScreenings).toEqual([
      { nodeId: 'feature_aml', status: 'Approved', totalHits: 1, score: 12, warnings: [] },
    ]);
    expect(warnings.map(({ feature }) => feature)).toEqual(['ID_VERIFICATION', 'FACEMATCH', 'PHONE']);
    expect(JSON.stringify({ result, warnings })).not.toContain('secret');
  });

  it('has every further module once the decision has it, and none before', () => {
    const { result, unlisted } = masks.result(EVERY_MODULE, LEAN);
    expect(unlisted).toEqual([]);
    expect(Object.keys(result)).toEqual(['status', ...REPORTING.map((row) => row.result)]);
    for (const { result: name } of REPORTING)
      expect(result[name]).toMatchObject([{ status: expect.any(String) as string }]);
    expect(result.poaVerifications).toMatchObject([
      { issuingState: 'ES', documentType: 'UTILITY_BILL', expirationDate: '2031', nameMatchScoreExpectedDetails: 88.5 },
    ]);
    expect(JSON.stringify(result)).not.toContain('secret');
    expect(Object.keys(masks.result({ ...FULL_DECISION, phone_verifications: null }, LEAN).result)).toHaveLength(5);
    expect(masks.result(EVERY_MODULE, PII).result.nfcVerifications).toMatchObject([
      { chipData: { firstName: 'secret-Nuria' }, authenticity: { sodIntegrity: true } },
    ]);
  });

  it('keeps names that are data as they are', () => {
    const { result } = masks.result(FULL_DECISION, PII);
    expect(result.amlScreenings[0]).toHaveProperty('hits.0.riskView.countries.riskScores', { some_country: 3 });
  });

  it('has empty lists where Didit has null, whatever comes', () => {
    const empty = {
      status: 'In Progress',
      idVerifications: [],
      livenessChecks: [],
      faceMatches: [],
      amlScreenings: [],
    };
    expect(masks.result({ status: 'In Progress', id_verifications: null }, LEAN).result).toEqual(empty);
    expect(masks.result(null, LEAN).result).toEqual({ ...empty, status: null });
    expect(masks.result({ status: { a: 1 }, face_matches: ['secret'] }, PII).result).toEqual({
      ...empty,
      status: null,
    });
  });
});

describe('the operator’s own methods', () => {
  const tight = masksWith({
    'id_verifications[].document_number': 'pseudonym',
    'id_verifications[].first_name': 'drop',
    'aml_screenings[].hits': 'drop',
    'id_verifications[].last_name': 'last4',
    'id_verification.document_number': 'drop',
  });

  it('hold in every view, in both spellings, and bring nothing back', () => {
    const pseudonym = 'pseudonym of id_verifications[].document_number 10';
    const lean = tight.answer('session.decision', FULL_DECISION, LEAN).value;
    expect(lean).toHaveProperty(
      'id_verifications.0.document_number',
      'pseudonym of id_verifications[].document_number 4',
    );
    expect(lean).not.toHaveProperty('id_verifications.0.last_name');
    const full = tight.answer('session.decision', FULL_DECISION, ALL).value;
    expect(full).toHaveProperty('id_verifications.0.document_number', pseudonym);
    expect(full).toHaveProperty('id_verifications.0.last_name', 'rrer');
    expect(full).not.toHaveProperty('id_verifications.0.first_name');
    expect(full).not.toHaveProperty('aml_screenings.0.hits');
    const { result } = tight.result(FULL_DECISION, ALL);
    expect(result.idVerifications[0]).toMatchObject({ documentNumber: pseudonym, lastName: 'rrer' });
    const check = { request_id: 'r', id_verification: document };
    expect(tight.answer('id-verification', check, ALL).value).not.toHaveProperty('id_verification.document_number');
  });

  it('stop the start when a path is malformed', () => {
    expect(() => masksWith({ 'id_verifications[0].x': 'drop' })).toThrow('id_verifications[0].x');
  });
});

describe('an answer without a session', () => {
  const answers = Object.entries(STANDALONE) as [keyof typeof STANDALONE, object][];

  it.each(answers)('of %s holds nothing of a person without pii:read, and all but media with it', (name, body) => {
    const lean = masks.answer(name, body, LEAN);
    expect(lean.unlisted).toEqual([]);
    expect(JSON.stringify(lean.value)).not.toContain('secret');
    const full = JSON.stringify(masks.answer(name, body, PII).value);
    expect(full).not.toMatch(/media\.|session\/secret|secretTok3nX/);
    expect(masks.answer(name, body, ALL).value).toEqual(body);
  });

  it('shows who made a transaction the page that it asks for, and afterwards the right to links', () => {
    const body = STANDALONE['transaction.get'];
    const shown = { action_required: { url: body.action_required.url } };
    expect(masks.answer('transaction.create', body, LEAN).value).toMatchObject(shown);
    expect(masks.answer('transaction.create', body, PII).value).toMatchObject(shown);
    expect(masks.answer('transaction.get', body, LINK).value).toMatchObject(shown);
    expect(masks.answer('transaction.get', body, LEAN).value).not.toMatchObject(shown);
  });

  it('drops and tells what Didit may add', () => {
    const { value, unlisted } = masks.answer(
      'poa',
      { poa: { status: 'Approved', aura: 'secret' }, echo: 'secret' },
      LEAN,
    );
    expect(value).toEqual({ poa: { status: 'Approved' } });
    expect([...unlisted].sort()).toEqual(['*', 'poa.*']);
  });
});
