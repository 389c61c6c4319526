import type { Session } from '../sessions/session.js';
import { Float, type Json, type JsonObject } from '../wire/json.js';
import { instant } from './instant.js';
import type { MediaLinks } from './media.js';

/** What a register knows of one company. */
export interface RegisteredCompany {
  readonly name: string;
  readonly number: string;
  readonly country: string;
  readonly type: string;
}

/** Companies that the sandbox's registers have; nobody founded them. */
export const registeredCompanies: readonly [RegisteredCompany, ...RegisteredCompany[]] = [
  { name: 'Acme Holdings Ltd', number: '12345678', country: 'GB', type: 'Private Limited Company' },
  { name: 'Acme Trading PLC', number: '00445790', country: 'GB', type: 'Public Limited Company' },
  { name: 'Molinos de Prueba SL', number: 'B12345674', country: 'ES', type: 'Sociedad Limitada' },
];

/** The company's report; the two lists are texts of the register in a standalone answer and lists in a decision. */
export const company = (found: RegisteredCompany = registeredCompanies[0], standalone = false): JsonObject => ({
  uuid: 'dddd4444-eeee-4555-8fff-666677778888',
  node_id: 'feature_kyb_registry_1',
  status: 'Approved',
  registry_status: 'active',
  data_resolved: true,
  company_name: found.name,
  registration_number: found.number,
  country_code: found.country,
  region: null,
  company_type: found.type,
  incorporation_date: '2015-03-12',
  registered_address: '1 Example Street, London, EC1A 1AA',
  tax_number: null,
  risk_level: standalone ? 'low risk' : 'LOW',
  verification_status: 'verified',
  is_from_registry: true,
  fetch_status: 'resolved',
  alternative_names: standalone ? null : [],
  nature_of_business: null,
  registered_capital: '100 GBP',
  registered_capital_amount: '100.00',
  registered_capital_currency: 'GBP',
  website: null,
  email: null,
  phone: null,
  legal_entity_identifier: null,
  location_of_registration: 'England and Wales',
  vat_number: null,
  vat_validation_status: 'not_applicable',
  vat_validated_name: null,
  vat_validated_address: null,
  vat_checked_at: null,
  financial_summary: null,
  officers: [
    {
      uuid: 'aaaa1111-bbbb-4222-8ccc-333344445555',
      name: 'Jane Smith',
      designation: 'Director',
      role: 'director',
      nationality: 'British',
      is_active: true,
      kyc_status: null,
      kyc_session_url: null,
    },
  ],
  beneficial_owners: [
    {
      uuid: 'bbbb2222-cccc-4333-8ddd-444455556666',
      name: 'John Doe',
      first_name: 'John',
      last_name: 'Doe',
      entity_type: 'person',
      roles: ['ubo', 'shareholder'],
      ownership_min_shares: '50',
      ownership_max_shares: '75',
      is_active: true,
      kyc_status: null,
      kyc_session_url: null,
      effective_ownership_percent: new Float(75),
    },
  ],
  addresses: [
    { address: '1 Example Street, London, EC1A 1AA', type: 'registered', description: 'registered office address' },
  ],
  industries: null,
  accounts: null,
  registry_data: {},
  user_provided_data: standalone ? null : {},
  confirmed_by_user_at: null,
  last_console_edit_at: null,
  is_editable: true,
});

export const documents = (session: Session, links: MediaLinks): JsonObject => ({
  items: [
    {
      uuid: 'eeee5555-ffff-4666-8000-777788889999',
      document_type: 'LEGAL_PRESENCE',
      document_subtype: 'CERTIFICATE_OF_INCORPORATION',
      document_group: 'LEGAL_PRESENCE',
      file_url: links('certificate.png'),
      original_filename: 'certificate.png',
      file_size: 482_133,
      status: 'Approved',
      created_at: instant(session.createdAt),
      cross_check_result: null,
      document_metadata: null,
      description: null,
      is_requested: false,
      ocr_data: { company_name: registeredCompanies[0].name },
      is_console_upload: false,
      is_confirmed: true,
    },
  ],
  groups: { LEGAL_PRESENCE: { total: 1, approved: 1, pending: 0, declined: 0, in_review: 0, other: 0, missing: 0 } },
  required_groups: ['LEGAL_PRESENCE'],
});

const nobody: Record<string, Json> = {
  aml_status: null,
  kyc_status: null,
  kyc_session_url: null,
  kyc_session_id: null,
  verification_workflow_type: null,
  verification_workflow_id: null,
  verification_workflow_label: null,
  verification_workflow_features: null,
  didit_internal_id: null,
  kyc_document_type: null,
  kyc_nationality: null,
  kyc_liveness_passed: null,
  kyc_verified_at: null,
  kyc_aml_categories: null,
  kyc_notification_sent_at: null,
};

export const keyPeople = (): JsonObject => ({
  registry: {
    officers: [
      {
        uuid: 'aaaa1111-bbbb-4222-8ccc-333344445555',
        name: 'Jane Smith',
        designation: 'Director',
        role: 'director',
        nationality: 'British',
        appointment_date: '2015-03-12',
        termination_date: null,
        is_active: true,
        address: null,
        ...nobody,
      },
    ],
    beneficial_owners: [],
  },
  submitted: { parties: [] },
  ubo_kyc_summary: { total: 0, approved: 0, flagged: 0, pending: 0 },
});
