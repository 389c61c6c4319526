import type { Session } from '../sessions/session.js';
import { Float, type JsonObject } from '../wire/json.js';
import { addressReport } from './address-report.js';
import { company, documents, keyPeople } from './company-reports.js';
import { emailReport, phoneReport } from './contact-reports.js';
import { databaseReport } from './database-report.js';
import type { FurtherFeature } from './features.js';
import { instant } from './instant.js';
import type { MediaLinks } from './media.js';

type Members = (session: Session, links: MediaLinks) => JsonObject;

const contact = (session: Session) => ({
  attempts: 1,
  verifiedAt: session.createdAt,
  events: [
    {
      type: 'VALID_CODE_ENTERED',
      at: session.createdAt,
      details: { code_tried: '123456', status: 'Approved' },
      fee: 0,
    },
  ],
});

/** What a person without contact details typed on the page. */
const typed = (session: Session, member: string, fallback: string): string => {
  const value = session.contactDetails?.[member];
  return typeof value === 'string' && value !== '' ? value : fallback;
};

const nfc: Members = ({ person, createdAt }, links) => ({
  portrait_image: links('chip.png'),
  signature_image: links('signature.png'),
  chip_data: {
    document_type: person.documentType === 'Passport' ? 'P' : 'ID',
    issuing_country: person.country.alpha3,
    document_number: person.documentNumber,
    expiration_date: `${new Date(createdAt).getUTCFullYear() + 5}-01-01`,
    first_name: person.firstName,
    last_name: person.lastName,
    birth_date: person.dateOfBirth,
    gender: person.gender,
    nationality: person.country.alpha3,
    address: person.address.street.toUpperCase(),
    place_of_birth: person.placeOfBirth.toUpperCase(),
  },
  authenticity: { sod_integrity: true, dg_integrity: true },
  certificate_summary: {
    issuer: `Common Name: CSCA ${person.country.name}, Country: ${person.country.alpha2}`,
    subject: `Common Name: DS ${person.country.name}, Country: ${person.country.alpha2}`,
    serial_number: '118120836164494130086420187336801405660',
    not_valid_after: '2031-02-18T10:21:11Z',
    not_valid_before: '2020-11-18T10:21:11Z',
  },
});

const withStreetType = (report: JsonObject, streetType: string): JsonObject => ({
  ...report,
  poa_parsed_address: { address_type: streetType, ...Object(report['poa_parsed_address']) },
});

const address: Members = ({ person }, links) => ({
  document_file: links('bill.png'),
  ...withStreetType(addressReport(person), person.address.streetType),
  document_metadata: null,
  name_match_score_expected_details: null,
  name_match_score_id_verification: new Float(96.5),
  expected_details_parsed_address: {},
  extra_files: [],
});

const questionnaire: Members = (session) => ({
  questionnaire_id: '9f7485e0-b00b-4d56-9d3e-7859b68d1213',
  title: 'Source of funds',
  description: 'Where the money comes from.',
  languages: ['en'],
  default_language: 'en',
  is_active: true,
  is_simple_questionnaire: true,
  questionnaire_group_id: null,
  version: 1,
  published_at: instant(session.createdAt),
  sections: [
    {
      title: null,
      description: null,
      items: [
        {
          uuid: '618636d9-7d5c-41ce-b8d0-1ab2a4be20db',
          value: 'question_1',
          element_type: 'DROPDOWN',
          is_required: true,
          title: 'What is your primary source of funds?',
          description: null,
          placeholder: null,
          choices: [
            { label: 'Salary', value: 'salary', requires_text_input: false },
            { label: 'Other', value: 'other', requires_text_input: true },
          ],
          max_files: null,
          answer: { value: 'salary', text: null, files: null },
          required_if: null,
          repeatable_config: null,
        },
      ],
    },
  ],
});

const documentAi: Members = (session, links) => ({
  items: [
    {
      uuid: 'c1a2b3c4-d5e6-4f80-9a1b-2c3d4e5f6071',
      node_id: 'feature_document_ai_1',
      document_key: 'proof_of_funds',
      original_filename: 'statement.png',
      file_size: 184_320,
      file_url: links('statement.png'),
      status: 'Approved',
      extracted_data: { account_holder: `${session.person.firstName} ${session.person.lastName}` },
      fields: [
        {
          key: 'account_holder',
          name: 'Account holder',
          instruction: 'Extract the full name of the account holder.',
          type: 'text',
          required: true,
        },
      ],
      document_metadata: { is_tampered: false },
      cross_check_result: null,
      created_at: instant(session.createdAt),
    },
  ],
});

const ip: Members = ({ person }) => {
  const { latitude, longitude, city, region } = person.address;
  const location = { latitude: new Float(latitude), longitude: new Float(longitude) };
  return {
    device_brand: 'Apple',
    device_model: 'iPhone',
    browser_family: 'Mobile Safari',
    os_family: 'iOS',
    platform: 'mobile',
    device_fingerprint: 'sandbox-fingerprint',
    ip_country: person.country.name,
    ip_country_code: person.country.alpha2,
    ip_state: region,
    ip_city: city,
    latitude: new Float(latitude),
    longitude: new Float(longitude),
    ip_address: '203.0.113.71',
    isp: null,
    organization: null,
    is_vpn_or_tor: false,
    is_data_center: false,
    time_zone: 'Europe/Madrid',
    time_zone_offset: '+0100',
    ip: { location, distance_from_id_document: new Float(1.5), distance_from_poa_document: null },
    id_document: { location, distance_from_ip: new Float(1.5), distance_from_poa_document: null },
    poa_document: { location: null, distance_from_ip: null, distance_from_id_document: null },
    matches: [],
  };
};

/** Arrays of the decision beyond the four of the sandbox's own workflow, and what stands in each. */
export const furtherReports: Readonly<Record<string, readonly [FurtherFeature, Members]>> = {
  nfc_verifications: ['NFC', nfc],
  phone_verifications: ['PHONE', (session) => phoneReport(typed(session, 'phone', '+34600600600'), contact(session))],
  email_verifications: [
    'EMAIL_VERIFICATION',
    (session) => emailReport(typed(session, 'email', 'person@mail.example'), contact(session)),
  ],
  poa_verifications: ['POA', address],
  document_ai_documents: ['DOCUMENT_AI', documentAi],
  questionnaire_responses: ['QUESTIONNAIRE', questionnaire],
  ip_analyses: ['IP_ANALYSIS', ip],
  database_validations: ['DATABASE_VALIDATION', ({ person }) => databaseReport(person)],
  registry_checks: ['KYB_REGISTRY', () => ({ data_resolved: true, company: company(), ownership_structure: {} })],
  document_verifications: ['KYB_DOCUMENTS', documents],
  key_people_checks: ['KYB_KEY_PEOPLE', keyPeople],
};
