/** Members of the decision below. */
export const MATCH = {
  vendor_data: 'secret',
  user_details: { name: 'secret' },
  front_image_url: 'https://media.vendor.test/m',
};

export const DOCUMENT = {
  node_id: 'feature_ocr_1',
  status: 'Approved',
  document_type: 'Identity Card',
  document_subtype: 'secret-subtype',
  document_number: 'SECRET7788',
  personal_number: 'secret-personal',
  portrait_image: 'https://media.vendor.test/secret/portrait.jpg?X-Amz-Signature=abc',
  front_image: 'https://media.vendor.test/secret/front.jpg?X-Amz-Signature=abc',
  front_image_camera_front_face_match_score: 95.5,
  front_image_quality_score: { focus_score: 85.3, brightness_issue: 'secret', overall_score: 88.7 },
  back_image_quality_score: null,
  date_of_birth: '1984-02-29',
  age: 42,
  expiration_date: '2031-06-02',
  issuing_state: 'ESP',
  first_name: 'secret-Nuria',
  last_name: 'secret-Ferrer',
  address: 'secret street 1',
  extra_fields: { first_name_latin: 'secret-Nuria' },
  mrz: { surname: 'secret-Ferrer', mrz_string: 'IDESPSECRET7788<<<' },
  extra_files: ['https://media.vendor.test/secret/extra.png'],
  matches: [MATCH],
  warnings: [
    {
      feature: 'ID_VERIFICATION',
      risk: 'QR_NOT_DETECTED',
      additional_data: { seen: 'secret' },
      log_type: 'information',
      short_description: 'secret short',
      long_description: 'secret long, see https://docs.vendor.test/warnings',
      node_id: 'feature_ocr_1',
    },
  ],
};

export const HIT = {
  id: 'secret-hit',
  url: 'https://lists.test/entities/secret?id=7',
  caption: 'secret Nuria',
  properties: { birthDate: ['secret'] },
  risk_view: { countries: { risk_scores: { some_country: 3 } } },
  adverse_media_matches: [{ source_url: 'https://news.test/secret?page=2', thumbnail: 'https://news.test/secret' }],
};

export const SCREENING = {
  node_id: 'feature_aml',
  status: 'Approved',
  total_hits: 1,
  score: 12,
  entity_type: 'secret-person',
  hits: [HIT],
  screened_data: { full_name: 'secret-Nuria secret-Ferrer' },
  warnings: [],
};

/** A decision as Didit sends it, of an invented person; every text that must not reach a caller without `pii:read` holds `secret`. */
export const FULL_DECISION = {
  session_id: '0b6f6c1e-2f3a-4d55-9a55-3f0d0c1f7a10',
  session_kind: 'user',
  session_number: 4711,
  session_url: 'https://verify.vendor.test/session/secretTok3nX',
  status: 'In Review',
  environment: 'sandbox',
  workflow_id: '6a1f3c52-8a0b-4f7e-9d55-0f6b2a7c1d22',
  features: ['ID_VERIFICATION', 'LIVENESS', 'FACE_MATCH', 'AML', 'PHONE'],
  vendor_data: 'cust-42',
  metadata: { branch: 'secret branch', site: 'https://bank.test/secret' },
  expected_details: { first_name: 'secret-Nuria', date_of_birth: '1984-02-29' },
  contact_details: { email: 'secret@mail.test', phone: '+34secret' },
  callback: 'https://bank.test/back?customer=secret',
  created_at: '2026-11-20T10:00:00.000Z',
  expires_at: null,
  id_verifications: [DOCUMENT],
  liveness_checks: [
    {
      node_id: 'feature_liveness',
      status: 'Approved',
      method: 'PASSIVE',
      score: 97.25,
      reference_image: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABsecret',
      video_url: 'https://media.vendor.test/secret/video.mp4',
      age_estimation: 41.2,
      warnings: [],
    },
  ],
  face_matches: [
    {
      node_id: 'feature_face_match',
      status: 'In Review',
      score: 61.5,
      source_image_session_id: null,
      source_image: 'https://media.vendor.test/secret/source.jpg',
      warnings: [{ feature: 'FACEMATCH', risk: 'LOW_FACE_MATCH_SIMILARITY', log_type: 'warning' }],
    },
  ],
  aml_screenings: [SCREENING],
  phone_verifications: [
    {
      node_id: 'feature_phone',
      status: 'Approved',
      full_number: '+34secret',
      warnings: [{ feature: 'PHONE', risk: 'DISPOSABLE', log_type: 'warning', node_id: 'feature_phone' }],
    },
  ],
  nfc_verifications: null,
  reviews: [{ user: 'secret@bank.test', new_status: 'In Review', comment: 'secret comment' }],
};
