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
];

const EXPECTED_DETAILS = [
  'first_name last_name date_of_birth gender nationality country id_country poa_country address',
  'identification_number ip_address expected_document_types company_name registry_country',
  'registration_number',
];

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
    expected_details: either(messages, fields(members(messages, ...EXPECTED_DETAILS, 'non_field_errors'))),
    contact_details: either(
      messages,
      fields(members(messages, 'email', 'email_lang', 'phone', 'send_notification_emails', 'non_field_errors')),
    ),
    options: either(messages, fields(members(messages, 'non_field_errors'))),
    nodes_to_resubmit: either(text, list(either(text, nodes))),
    validation_errors: list(fields({ service_id: text, code: text, message: dropped })),
  }),
);
