/** The checks of the sandbox's workflow, in its order, by the names that `features[]` of a decision uses. */
export const workflowFeatures = ['ID_VERIFICATION', 'LIVENESS', 'FACE_MATCH', 'AML'] as const;
export type Feature = (typeof workflowFeatures)[number];

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
};
