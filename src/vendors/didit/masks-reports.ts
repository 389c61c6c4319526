import { dropped, either, fields, leaf, list, type MaskNode, members } from '../../policy/index.js';
import type { ModuleWord } from './modules.js';

/**
 * What a caller without `pii:read` sees of each module's report: ids, statuses, scores, the kind of document and its issuing state, years
 * of birth and expiry, the last four of a document's number, counts of hits, and what warnings are about. Members that Didit is known to
 * send and that are held back are listed as dropped, so that what is told as unlisted is news.
 */
const keep = leaf('keep');
const number = leaf('number');
const year = leaf('year');

/** A list of them, or null. */
const warnings = list(
  fields({
    ...members(keep, 'feature', 'risk', 'log_type', 'node_id'),
    ...members(dropped, 'additional_data', 'short_description', 'long_description'),
  }),
);

const quality = fields({
  ...members(number, 'focus_score', 'brightness_score', 'resolution_score', 'overall_score'),
  ...members(dropped, 'brightness_issue', 'is_document_fully_visible'),
});

const document = {
  ...members(keep, 'document_type', 'issuing_state'),
  ...members(year, 'date_of_birth', 'expiration_date'),
  document_number: leaf('last4'),
  ...members(number, 'front_image_camera_front_face_match_score', 'back_image_camera_front_face_match_score'),
  ...members(quality, 'front_image_quality_score', 'back_image_quality_score'),
  ...members(
    dropped,
    'document_subtype personal_number portrait_image front_image front_video back_image back_video',
    'full_front_image full_back_image front_image_camera_front back_image_camera_front age',
    'date_of_issue issuing_state_name first_name last_name full_name gender address',
    'formatted_address place_of_birth marital_status nationality extra_fields mrz parsed_address',
    'extra_files matches barcodes verification_method assurance wallet_provider fallback_from',
    'id_lookup wallet_verification',
  ),
};

const liveness = {
  score: number,
  ...members(dropped, 'method reference_image video_url age_estimation matches face_quality face_luminance user_image'),
};

const addressProof = {
  ...members(keep, 'issuing_state', 'document_type'),
  expiration_date: year,
  ...members(number, 'name_match_score_expected_details', 'name_match_score_id_verification'),
  ...members(
    dropped,
    'document_file document_subtype document_language document_metadata issuer issue_date',
    'poa_address poa_formatted_address poa_parsed_address name_on_document expected_details_address',
    'expected_details_formatted_address expected_details_parsed_address extra_fields extra_files',
    'detected_codes',
  ),
};

const company =
  'uuid registry_status company_name registration_number country_code region company_type incorporation_date ' +
  'registered_address tax_number risk_level verification_status is_from_registry fetch_status alternative_names ' +
  'nature_of_business registered_capital registered_capital_amount registered_capital_currency website email phone ' +
  'legal_entity_identifier location_of_registration vat_number vat_validation_status vat_validated_name ' +
  'vat_validated_address vat_checked_at financial_summary officers beneficial_owners addresses industries accounts ' +
  'registry_data user_provided_data confirmed_by_user_at last_console_edit_at is_editable';

/** Modules of which the lean view shows no more than that they ran and how they ended. */
const ended = (...names: string[]) => members(dropped, ...names);

/** Members of a report beside `node_id`, `status` and `warnings`, alike in a decision and in a standalone answer. */
const CONTENTS: Readonly<Record<ModuleWord, Record<string, MaskNode>>> = {
  'id-verification': document,
  'passive-liveness': liveness,
  'face-match': {
    score: number,
    ...members(dropped, 'source_image_session_id', 'source_image', 'target_image', 'user_image', 'ref_image'),
  },
  'aml-screening': {
    ...members(number, 'score', 'total_hits'),
    ...ended('entity_type hits screened_data is_ongoing_monitoring_enabled next_ongoing_monitoring_bill_date'),
  },
  'nfc-verification': ended(
    'portrait_image signature_image chip_data authenticity certificate_summary is_nfc_skipped skip_reason',
  ),
  'proof-of-address': addressProof,
  'database-validation': {
    issuing_state: keep,
    match_score: number,
    ...ended('validation_type screened_data validations errors match_type services_used'),
  },
  'phone-verification': ended(
    'phone_number_prefix phone_number full_number country_code country_name carrier is_disposable',
    'is_virtual verification_method verification_attempts verified_at lifecycle matches',
    // The sandbox's smaller form.
    'carrier_name line_type flags',
  ),
  'email-verification': ended(
    'email is_breached breaches is_disposable is_undeliverable verification_attempts verified_at lifecycle matches',
  ),
  'age-estimation': liveness,
  'face-search': { total_matches: number, ...ended('matches user_image') },
  questionnaire: ended(
    'questionnaire_id title description languages default_language is_active is_simple_questionnaire',
    'questionnaire_group_id version published_at sections',
  ),
  'document-ai': ended('items document_key extracted_data fields file_url document_metadata cross_check_result'),
  'ip-analysis': ended(
    'device_brand device_model browser_family os_family platform device_fingerprint ip_country',
    'ip_country_code ip_state ip_city latitude longitude ip_address isp organization',
    'is_vpn_or_tor is_data_center time_zone time_zone_offset ip id_document poa_document matches',
  ),
  'registry-check': ended('data_resolved company ownership_structure'),
  'company-documents': ended('items groups required_groups'),
  'key-people-check': ended('registry submitted ubo_kyc_summary'),
};

/** The lean mask of one module's report. */
export function leanReport(word: ModuleWord): MaskNode {
  return fields({ ...members(keep, 'node_id', 'status'), warnings, ...CONTENTS[word] });
}

/** The answer of a registry about one company, which in a decision stands under `company`. */
export const leanCompany: MaskNode = fields({
  ...members(keep, 'node_id', 'status'),
  warnings,
  ...ended('data_resolved', company),
});

/** A name, or with `include=events` and in lists an object of it and its node or status. */
export const features = list(either(keep, fields(members(keep, 'feature', 'node_id', 'status'))));
