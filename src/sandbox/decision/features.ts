/** The checks of the sandbox's workflow, in its order, by the names that `features[]` of a decision uses. */
export const workflowFeatures = ['ID_VERIFICATION', 'LIVENESS', 'FACE_MATCH', 'AML'] as const;

/** Checks that other workflows have, by the same names; the last two run without a session alone. */
export const furtherFeatures = [
  'NFC',
  'POA',
  'PHONE',
  'EMAIL_VERIFICATION',
  'DATABASE_VALIDATION',
  'QUESTIONNAIRE',
  'DOCUMENT_AI',
  'IP_ANALYSIS',
  'KYB_REGISTRY',
  'KYB_DOCUMENTS',
  'KYB_KEY_PEOPLE',
  'AGE_ESTIMATION',
  'FACE_SEARCH',
] as const;
export type FurtherFeature = (typeof furtherFeatures)[number];
export type Feature = (typeof workflowFeatures)[number] | FurtherFeature;

/** A workflow of these is about a company. */
export const isBusiness = (features: readonly Feature[]): boolean =>
  features.some((feature) => feature.startsWith('KYB_'));

export type FeatureStatus = 'Not Finished' | 'Approved' | 'Declined' | 'In Review' | 'Expired';

interface FeatureNames {
  /** Node of the workflow's graph. */
  readonly node: string;
  /** As a warning names the feature. */
  readonly warning: string;
  /** As `nodes_to_resubmit` names it; Didit spells the same module in up to four ways. */
  readonly resubmit: readonly string[];
  /** As the list filter `api_service` names a stored standalone call. */
  readonly service: string;
}

export const featureNames: Readonly<Record<Feature, FeatureNames>> = {
  ID_VERIFICATION: {
    node: 'feature_ocr_1',
    warning: 'ID_VERIFICATION',
    resubmit: ['OCR', 'OCR_BACK', 'ID_VERIFICATION'],
    service: 'ID_VERIFICATION',
  },
  LIVENESS: {
    node: 'feature_liveness_1',
    warning: 'LIVENESS',
    resubmit: ['LIVENESS', 'FACE'],
    service: 'PASSIVE_LIVENESS',
  },
  FACE_MATCH: { node: 'feature_face_match_1', warning: 'FACEMATCH', resubmit: ['FACE_MATCH'], service: 'FACE_MATCH' },
  AML: { node: 'feature_aml_1', warning: 'AML', resubmit: ['AML'], service: 'AML' },
  NFC: { node: 'feature_nfc_1', warning: 'NFC', resubmit: ['NFC'], service: 'NFC' },
  POA: { node: 'feature_poa_1', warning: 'PROOF_OF_ADDRESS', resubmit: ['PROOF_OF_ADDRESS', 'POA'], service: 'POA' },
  PHONE: {
    node: 'feature_phone_1',
    warning: 'PHONE',
    resubmit: ['PHONE_VERIFICATION'],
    service: 'PHONE_VERIFICATION',
  },
  EMAIL_VERIFICATION: {
    node: 'feature_email_1',
    warning: 'EMAIL',
    resubmit: ['EMAIL_VERIFICATION'],
    service: 'EMAIL_VERIFICATION',
  },
  DATABASE_VALIDATION: {
    node: 'feature_database_validation_1',
    warning: 'DATABASE_VALIDATION',
    resubmit: ['DATABASE_VALIDATION'],
    service: 'DATABASE_VALIDATION',
  },
  QUESTIONNAIRE: {
    node: 'feature_questionnaire_1',
    warning: 'QUESTIONNAIRE',
    resubmit: ['QUESTIONNAIRE'],
    service: 'QUESTIONNAIRE',
  },
  DOCUMENT_AI: {
    node: 'feature_document_ai_1',
    warning: 'DOCUMENT_AI',
    resubmit: ['DOCUMENT_AI'],
    service: 'DOCUMENT_AI',
  },
  IP_ANALYSIS: { node: 'feature_ip_1', warning: 'LOCATION', resubmit: [], service: 'IP_ANALYSIS' },
  KYB_REGISTRY: { node: 'feature_kyb_registry_1', warning: 'KYB_REGISTRY', resubmit: [], service: 'KYB_REGISTRY' },
  KYB_DOCUMENTS: {
    node: 'feature_kyb_documents_1',
    warning: 'KYB_DOCUMENTS',
    resubmit: ['KYB_DOCUMENTS'],
    service: 'KYB_DOCUMENTS',
  },
  KYB_KEY_PEOPLE: {
    node: 'feature_kyb_key_people_1',
    warning: 'KYB_KEY_PEOPLE',
    resubmit: [],
    service: 'KYB_KEY_PEOPLE',
  },
  AGE_ESTIMATION: { node: 'feature_liveness_1', warning: 'LIVENESS', resubmit: [], service: 'AGE_ESTIMATION' },
  FACE_SEARCH: { node: 'feature_liveness_1', warning: 'LIVENESS', resubmit: [], service: 'FACE_SEARCH' },
};
