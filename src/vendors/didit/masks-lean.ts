import { dropped, either, exempt, fields, leaf, list, type MaskNode, members } from '../../policy/index.js';
import type { OperationName } from './operations.js';

/**
 * What a caller without `pii:read` sees: ids, statuses, scores, the kind of document and its issuing state, years of birth and expiry, the
 * last four of a document's number, counts of hits, what warnings are about, and the envelope. Members that Didit is known to send and
 * that are held back are listed as dropped, so that what is told as unlisted is news.
 */
const keep = leaf('keep');
const number = leaf('number');
const year = leaf('year');
const last4 = leaf('last4');

const warnings = list(
  fields({
    ...members(keep, 'feature', 'risk', 'log_type', 'node_id'),
    ...members(dropped, 'additional_data', 'short_description', 'long_description'),
  }),
);

const report = { ...members(keep, 'node_id', 'status'), warnings };

const quality = fields({
  ...members(number, 'focus_score', 'brightness_score', 'resolution_score', 'overall_score'),
  ...members(dropped, 'brightness_issue', 'is_document_fully_visible'),
});

const document = {
  ...members(keep, 'document_type', 'issuing_state'),
  ...members(year, 'date_of_birth', 'expiration_date'),
  document_number: last4,
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

const faceMatch = {
  score: number,
  ...members(dropped, 'source_image_session_id', 'source_image', 'target_image', 'user_image', 'ref_image'),
};

const screening = {
  ...members(number, 'score', 'total_hits'),
  ...members(dropped, 'entity_type hits screened_data is_ongoing_monitoring_enabled next_ongoing_monitoring_bill_date'),
};

/** Modules of which the lean view shows no more than that they ran and how they ended. */
const other = (...names: string[]) => list(fields({ ...report, ...members(dropped, ...names) }));

const modules = {
  id_verifications: list(fields({ ...report, ...document })),
  liveness_checks: list(fields({ ...report, ...liveness })),
  face_matches: list(fields({ ...report, ...faceMatch })),
  aml_screenings: list(fields({ ...report, ...screening })),
  nfc_verifications: other(
    'portrait_image signature_image chip_data authenticity certificate_summary is_nfc_skipped skip_reason',
  ),
  phone_verifications: other(
    'phone_number_prefix phone_number full_number country_code country_name carrier is_disposable',
    'is_virtual verification_method verification_attempts verified_at lifecycle matches',
  ),
  email_verifications: other(
    'email is_breached breaches is_disposable is_undeliverable verification_attempts verified_at',
    'lifecycle matches',
  ),
  poa_verifications: list(
    fields({
      ...report,
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
    }),
  ),
  document_ai_documents: other('items'),
  questionnaire_responses: other(
    'questionnaire_id title description languages default_language is_active is_simple_questionnaire',
    'questionnaire_group_id version published_at sections',
  ),
  ip_analyses: other(
    'device_brand device_model browser_family os_family platform device_fingerprint ip_country',
    'ip_country_code ip_state ip_city latitude longitude ip_address isp organization',
    'is_vpn_or_tor is_data_center time_zone time_zone_offset ip id_document poa_document matches',
  ),
  database_validations: other('issuing_state validation_type screened_data validations errors match_type'),
  registry_checks: other('data_resolved', 'company', 'ownership_structure'),
  key_people_checks: other('registry', 'submitted', 'ubo_kyc_summary'),
  document_verifications: other('items', 'groups', 'required_groups'),
};

/** A name, or with `include=events` and in lists an object of it and its node or status. */
const features = list(either(keep, fields(members(keep, 'feature', 'node_id', 'status'))));

const envelope = {
  ...members(keep, 'session_id', 'session_kind', 'status', 'environment', 'workflow_id', 'created_at', 'expires_at'),
  ...members(number, 'session_number', 'workflow_version'),
  // The client's own reference: it comes back as it was written, whatever that looks like.
  vendor_data: exempt,
  ...members(dropped, 'metadata', 'callback'),
};

const decision = (link: MaskNode) =>
  fields({
    ...envelope,
    ...modules,
    features,
    session_url: link,
    ...members(dropped, 'expected_details contact_details reviews events activity_reviews cost_breakdown'),
  });

const row = (link: MaskNode) =>
  fields({
    ...envelope,
    features,
    session_url: link,
    document_type: keep,
    additional_details: fields({
      aml: fields({
        total_hits: number,
        ...members(dropped, 'entity_type', 'is_adverse_media_fetched', 'screened_data'),
      }),
      liveness: fields({ score: number, method: dropped }),
      face_match: fields({ score: number, ...members(dropped, 'source_image', 'target_image') }),
      ...members(dropped, 'database_validation', 'poa', 'phone_verification', 'email_verification'),
    }),
    ...members(
      dropped,
      'portrait_image full_name country didit_internal_id phone_number email_address company_name',
      'registration_number workflow_type workflow_label',
    ),
  });

/** A check of one's own: its envelope around the report under `key`. */
const check = (key: string, contents: Record<string, MaskNode>) =>
  fields({
    ...members(keep, 'request_id', 'created_at'),
    vendor_data: exempt,
    metadata: dropped,
    [key]: fields({ ...report, ...contents }),
  });

/** The lean mask of an operation's answer; `link` is the place of a hosted link: `exempt` with the right to it, else `dropped`. */
export function leanMask(operation: OperationName, link: MaskNode): MaskNode {
  if (operation === 'session.create')
    // The client that makes a session needs its link: that is what it asked for.
    return fields({ ...envelope, ...members(exempt, 'url', 'session_token') });
  if (operation === 'session.decision') return decision(link);
  if (operation === 'session.list')
    return fields({ count: number, ...members(exempt, 'next', 'previous'), results: list(row(link)) });
  if (operation === 'session.update-status') return fields({ session_id: keep });
  if (operation === 'session.delete')
    return fields({
      ...members(keep, 'session_id', 'face_retention_outcome'),
      session_number: number,
      biometric_template_uuid: dropped,
    });
  if (operation === 'id-verification') return check('id_verification', document);
  if (operation === 'passive-liveness') return check('liveness', liveness);
  if (operation === 'face-match') return check('face_match', faceMatch);
  if (operation === 'aml') return check('aml', screening);
  return dropped;
}
