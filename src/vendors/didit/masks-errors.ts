import { dropped, either, fields, leaf, list, type MaskNode, members } from '../../policy/index.js';

const text = leaf('keep');
/** A sentence, or several. */
const messages = either(text, list(text));

/** Fields of Didit's requests, by which its validation errors are keyed; any other key could be the caller's own text. */
const REQUEST_FIELDS = [
  'workflow_id vendor_data callback callback_method metadata language portrait_image sandbox_scenario',
  'sign new_status comment send_email email_address email_language session_kind limit offset',
  'status search date_from date_to country document_type document_name region didit_internal_id',
  'session_type api_service screened_full_name warning euuid organization_name include',
  'front_image back_image front_image_password back_image_password perform_document_liveness minimum_age',
  'expiration_date_not_detected_action invalid_mrz_action inconsistent_data_action preferred_characters',
  'save_api_request user_image ref_image face_liveness_score_decline_threshold rotate_image',
  'face_match_score_decline_threshold full_name entity_type date_of_birth nationality document_number',
  'aml_score_approve_threshold aml_score_review_threshold aml_name_weight aml_dob_weight aml_country_weight',
  'aml_match_score_threshold include_adverse_media include_ongoing_monitoring retain_face_embeddings',
  'face_retention_days face_retention_deadline deletion_instruction instruction_id',
  'age_estimation_decline_threshold search_type document document_password expected_address expected_country',
  'expected_first_name expected_last_name poa_languages_allowed poa_document_age_months fields',
  'poa_name_mismatch_action poa_document_issues_action poa_document_authenticity_action',
  'poa_unsupported_language_action poa_address_mismatch_action poa_issuer_not_identified_action',
  'phone_number code duplicated_phone_number_action disposable_number_action voip_number_action email',
  'duplicated_email_action breached_email_action disposable_email_action wallet_address blockchain direction',
  'country_code name registration_number webhook_url kyb_response_id display_name legal_name',
  'transaction_id transaction_at time_zone transaction_category include_crypto_screening custom_properties',
  'issuing_state services validation_type consent identification_number first_name last_name middle_name',
  'personal_number tax_number document_type expiration_date date_of_issue gender address address_element_1',
  'address_element_2 address_element_3 address_element_4 address_element_5 postal_code driver_license_number',
  'driver_license_card_number driver_license_state driver_license_version passport_number',
  'passport_expiration_date passport_file_number passport_issue_country medicare_card_number immi_card_number',
  'immi_card_expiry_date citizenship_certificate_number birth_registration_number birth_registration_date',
  'birth_registration_state marriage_certificate_number change_of_name_certificate_number first_partner_name',
  'last_partner_name voter_id epic_card pan national_id cic identificador_ciudadano ocr voter_number',
  'emission_number bvn bank_card_number ssn phone landline partial_match_action no_match_action selfie',
  'services_requiring_consent requires_onboarding',
];

const EXPECTED_DETAILS = [
  'first_name last_name date_of_birth gender nationality country id_country poa_country address',
  'identification_number ip_address expected_document_types company_name registry_country',
  'registration_number',
];

const CODE_OPTIONS = ['code_size locale preferred_channel alphanumeric_code use_white_label_customization'];
const SIGNALS = ['ip device_id device_platform device_model os_version app_version user_agent'];
const DETAILS = [
  'direction amount currency currency_kind amount_in_default_currency default_currency payment_details',
  'payment_reference_id action_type',
];
const PARTY = [
  'entity_type vendor_data full_name first_name last_name date_of_birth address institution_details device_context',
  'payment_method',
];

/** Sentences, or sentences by the members of an object in a request. */
const inside = (...names: string[]): MaskNode =>
  either(messages, fields(members(messages, ...names, 'non_field_errors')));

const nodes = fields(members(messages, 'node_id', 'feature', 'non_field_errors'));

/**
 * Error bodies in the shapes that Didit is known to use; the same for every caller, since none of them is meant to hold personal data.
 * What quotes the caller quotes the caller to itself; keys and members beyond these shapes are dropped.
 */
export const errorMask: MaskNode = either(
  // A bare list of sentences.
  list(text),
  fields({
    ...members(messages, ...REQUEST_FIELDS),
    ...members(messages, 'detail', 'error', 'non_field_errors'),
    code: text,
    expected_details: inside(...EXPECTED_DETAILS),
    contact_details: inside('email email_lang phone send_notification_emails'),
    options: inside(...CODE_OPTIONS),
    signals: inside(...SIGNALS),
    transaction_details: inside(...DETAILS),
    subject: inside(...PARTY),
    counterparty: inside(...PARTY),
    travel_rule_details: inside('status protocol required obligations_count'),
    network_snapshot: inside(),
    nodes_to_resubmit: either(text, list(either(text, nodes))),
    validation_errors: list(fields({ service_id: text, code: text, message: dropped })),
  }),
);
