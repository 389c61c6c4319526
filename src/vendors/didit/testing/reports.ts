import { FULL_DECISION } from './decision.js';

const warning = (feature: string) => ({
  feature,
  risk: 'SOME_RISK',
  additional_data: { seen: 'secret' },
  log_type: 'warning',
  short_description: 'secret',
  long_description: 'secret',
  node_id: 'feature_1',
});
const report = (feature: string, members: Record<string, unknown>) => [
  { node_id: 'feature_1', status: 'Approved', ...members, warnings: [warning(feature)] },
];
const lifecycle = [
  { type: 'VALID_CODE_ENTERED', timestamp: '2026-06-12T01:24:47Z', details: { code_tried: 'secret' }, fee: 0.07 },
];

/** Further modules as Didit reports them in a decision; what must not reach a caller without `pii:read` holds `secret`. */
const FURTHER_MODULES = {
  nfc_verifications: report('NFC', {
    portrait_image: 'https://media.vendor.test/secret/chip.jpg',
    chip_data: { document_number: 'secret7788', first_name: 'secret-Nuria' },
    authenticity: { sod_integrity: true, dg_integrity: true },
    certificate_summary: { issuer: 'secret' },
  }),
  poa_verifications: report('PROOF_OF_ADDRESS', {
    document_file: 'https://media.vendor.test/secret/poa.pdf',
    issuing_state: 'ES',
    document_type: 'UTILITY_BILL',
    issuer: 'secret water',
    expiration_date: '2031-06-02',
    poa_address: 'secret street 1',
    name_on_document: 'secret-Nuria',
    name_match_score_expected_details: 88.5,
    extra_fields: { bank_iban: 'ES00secret', additional_names: ['secret'] },
  }),
  database_validations: report('DATABASE_VALIDATION', {
    issuing_state: 'BRA',
    validation_type: 'one_by_one',
    screened_data: { tax_number: 'secret00' },
    validations: [{ service_id: 'bra_cpf', validation: { full_name: 'full_match' }, source_data: { name: 'secret' } }],
    match_type: 'full_match',
  }),
  phone_verifications: report('PHONE', {
    full_number: '+34secret',
    carrier: { name: 'secret', type: 'mobile' },
    lifecycle,
    matches: [],
  }),
  email_verifications: report('EMAIL', {
    email: 'secret@mail.test',
    breaches: [{ name: 'secret', logo_path: 'https://logos.test/secret.png' }],
    lifecycle,
    matches: [],
  }),
  document_ai_documents: report('DOCUMENT_AI', {
    items: [{ uuid: 'secret', file_url: 'https://media.vendor.test/secret', extracted_data: { salary: 'secret' } }],
  }),
  questionnaire_responses: report('QUESTIONNAIRE', {
    title: 'secret source of funds',
    sections: [
      { items: [{ uuid: 'secret', answer: { value: 'secret', files: ['https://media.vendor.test/secret'] } }] },
    ],
  }),
  ip_analyses: report('LOCATION', {
    ip_address: '203.0.113.9 secret',
    latitude: 41.5,
    device_model: 'secret',
    matches: [],
  }),
  registry_checks: report('KYB_REGISTRY', {
    data_resolved: true,
    company: {
      company_name: 'secret',
      officers: [{ name: 'secret', kyc_session_url: 'https://v.test/session/secretTok3nX' }],
    },
  }),
  document_verifications: report('KYB_DOCUMENTS', { items: [{ file_url: 'https://media.vendor.test/secret' }] }),
  key_people_checks: report('KYB_KEY_PEOPLE', { registry: { beneficial_owners: [{ name: 'secret' }] } }),
};

export const EVERY_MODULE = { ...FULL_DECISION, ...FURTHER_MODULES };

const asked = {
  request_id: '5b6f6c1e-2f3a-4d55-9a55-3f0d0c1f7a10',
  vendor_data: 'cust-42',
  metadata: { note: 'secret' },
  created_at: '2026-06-12T01:24:47.311323+00:00',
};
const [phone] = FURTHER_MODULES.phone_verifications;
const [email] = FURTHER_MODULES.email_verifications;
const [address] = FURTHER_MODULES.poa_verifications;
const [database] = FURTHER_MODULES.database_validations;

/** Answers without a session, by operation. */
export const STANDALONE = {
  poa: { ...asked, poa: address },
  'database-validation': { ...asked, database_validation: database },
  'phone.check': { ...asked, status: 'Approved', message: 'The verification code is correct.', phone },
  'email.check': { ...asked, status: 'Approved', message: 'The verification code is correct.', email },
  'phone.send': { ...asked, status: 'Success', reason: null },
  'age-estimation': { ...asked, age_estimation: { status: 'Approved', score: 97.5, age_estimation: 27, warnings: [] } },
  'face-search': {
    ...asked,
    face_search: {
      status: 'Approved',
      total_matches: 1,
      matches: [
        { vendor_data: 'cust-42', user_details: { full_name: 'secret' }, match_image_url: 'https://media.test/secret' },
      ],
      warnings: [],
    },
  },
  'wallet-screening': {
    provider: 'merklescience',
    risk_score: 72,
    severity: 'HIGH',
    status: 'SCREENED',
    summary: 'secret',
    wallet_address: '0xsecret',
    blockchain: 'ETH',
    sanctions_hit: true,
    source_of_funds: [{ entity_name: 'secret', amount_usd: 18_420.55 }],
  },
  'kyb.search': {
    ...asked,
    kyb_registry: {
      companies: [{ kyb_response_id: '69aeeb95febb0f1704042259', name: 'Tesco PLC', status: 'active' }],
      pagination: { total: 1, page: 1, per_page: 25 },
      search_resolved: true,
    },
  },
  'business.get': {
    didit_internal_id: 'a1b2c3d4-e5f6-4890-abcd-ef1234567890',
    vendor_data: 'company-1',
    legal_name: 'secret Ltd',
    status: 'ACTIVE',
    session_count: 2,
    features_list: [{ feature: 'KYB', status: 'Approved' }],
    tags: [{ name: 'secret' }],
    metadata: { note: 'secret' },
  },
  'transaction.get': {
    uuid: 'abcdef12-3456-4890-abcd-ef1234567890',
    txn_id: 'payment-1',
    status: 'IN_REVIEW',
    amount: 'secret 1500',
    score: 78,
    severity: 'HIGH',
    vendor_data: 'cust-42',
    metadata: { subject: { full_name: 'secret' } },
    parties: [{ full_name: 'secret' }],
    alerts: [{ uuid: 'a', title: 'secret', severity: 'HIGH', status: 'OPEN', source: 'RULE' }],
    action_required: {
      type: 'verification_session',
      url: 'https://v.test/session/secretTok3nX',
      session_token: 'secretTok3nX',
    },
  },
};
