import type { OperationName } from '../../vendors/index.js';

const MB = 1024 * 1024;
const PICTURES = ['image/jpeg', 'image/png', 'image/webp'] as const;

export const MEDIA_TYPES = [...PICTURES, 'application/pdf'] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

/** A member of a request that is a picture. */
export interface PictureInput {
  types: readonly MediaType[];
  maxBytes: number;
}

/** What a step of a workflow can have the vendor do, and how the vendor's answer to it is read. */
export interface StepOperation {
  operation: OperationName;
  /** A person does the rest at the vendor's own page: such a step stands alone in its workflow. */
  hosted: boolean;
  /** Needed members of the request, and those that may be left out; pictures say what they take. */
  needs: Readonly<Record<string, PictureInput | 'text'>>;
  takes: Readonly<Record<string, PictureInput | 'text'>>;
  /** The member of the answer that holds the report, and the module of a decision that the report belongs to. */
  report: string;
  module: string;
  /** The vendor keeps the first answer under an Idempotency-Key: sending again is billed once. */
  keyed: boolean;
}

const face: PictureInput = { types: PICTURES, maxBytes: 5 * MB };
const document: PictureInput = { types: MEDIA_TYPES, maxBytes: 10 * MB };
const check = { hosted: false, keyed: false } as const;

/** The one table of what steps can do. What is kept at the vendor, and the reference there, are the gateway's own to set. */
const STEP_OPERATIONS: Readonly<Record<string, StepOperation>> = {
  'session.create': {
    ...check,
    operation: 'session.create',
    hosted: true,
    needs: {},
    takes: {},
    report: '',
    module: '',
  },
  'id-verification': {
    ...check,
    operation: 'id-verification',
    needs: { front_image: document },
    takes: {
      back_image: document,
      perform_document_liveness: 'text',
      minimum_age: 'text',
      expiration_date_not_detected_action: 'text',
      invalid_mrz_action: 'text',
      inconsistent_data_action: 'text',
      preferred_characters: 'text',
    },
    report: 'id_verification',
    module: 'id_verifications',
  },
  'passive-liveness': {
    ...check,
    operation: 'passive-liveness',
    needs: { user_image: face },
    takes: { face_liveness_score_decline_threshold: 'text', rotate_image: 'text' },
    report: 'liveness',
    module: 'liveness_checks',
  },
  'face-match': {
    ...check,
    operation: 'face-match',
    needs: { user_image: face, ref_image: face },
    takes: { face_match_score_decline_threshold: 'text', rotate_image: 'text' },
    report: 'face_match',
    module: 'face_matches',
  },
  aml: {
    ...check,
    operation: 'aml',
    keyed: true,
    needs: { full_name: 'text' },
    takes: {
      date_of_birth: 'text',
      nationality: 'text',
      document_number: 'text',
      entity_type: 'text',
      include_adverse_media: 'text',
      aml_score_approve_threshold: 'text',
      aml_score_review_threshold: 'text',
      aml_match_score_threshold: 'text',
    },
    report: 'aml',
    module: 'aml_screenings',
  },
};

/** Undefined for an operation that no step can use. */
export function stepOperation(name: string): StepOperation | undefined {
  return Object.hasOwn(STEP_OPERATIONS, name) ? STEP_OPERATIONS[name] : undefined;
}
