import type { JsonObject } from '../wire/json.js';
import { featureNames, type Feature, type FeatureStatus } from './features.js';

interface WarningText {
  readonly feature: Feature;
  readonly short: string;
  readonly long: string;
}

const texts = {
  DOCUMENT_EXPIRED: {
    feature: 'ID_VERIFICATION',
    short: 'Document expired',
    long: 'The date until which the document was valid has passed.',
  },
  NAME_MISMATCH_WITH_PROVIDED: {
    feature: 'ID_VERIFICATION',
    short: 'Name differs from the one provided',
    long: 'The name read from the document is not the name that was given when the session was created.',
  },
  QR_NOT_DETECTED: {
    feature: 'ID_VERIFICATION',
    short: 'QR not detected',
    long: 'No QR code could be found or read on the document.',
  },
  LOW_LIVENESS_SCORE: {
    feature: 'LIVENESS',
    short: 'Low liveness score',
    long: 'The capture scored too low to be taken for a living person.',
  },
  LIVENESS_FACE_ATTACK: {
    feature: 'LIVENESS',
    short: 'Liveness face attack',
    long: 'The capture looks like an attempt to get past the liveness check.',
  },
  LOW_FACE_MATCH_SIMILARITY: {
    feature: 'FACE_MATCH',
    short: 'Low face match similarity',
    long: 'The two faces are not similar enough to be taken for the same person.',
  },
  POSSIBLE_MATCH_FOUND: {
    feature: 'AML',
    short: 'Possible match found',
    long: 'The screening found entries on watch lists that may be the screened person.',
  },
} satisfies Record<string, WarningText>;

export type Risk = keyof typeof texts;

/** A warning as the decision carries it; standalone answers leave `node_id` out. */
export const warning = (risk: Risk, status: FeatureStatus, node: 'with-node' | 'without-node'): JsonObject => {
  const { feature, short, long } = texts[risk];
  return {
    feature: featureNames[feature].warning,
    risk,
    additional_data: null,
    log_type: logType(status),
    short_description: short,
    long_description: long,
    ...(node === 'with-node' ? { node_id: featureNames[feature].node } : {}),
  };
};

const logType = (status: FeatureStatus): string => {
  if (status === 'Declined' || status === 'Expired') return 'error';
  return status === 'In Review' ? 'warning' : 'information';
};

/** The risk codes that a check of that scenario and verdict raises: a list filter asks for them too. */
export const risksOf = (
  feature: Feature,
  facts: { status: FeatureStatus; spoofed: boolean; expired: boolean; renamed: boolean },
): readonly Risk[] => {
  const bad = facts.status === 'Declined' || facts.status === 'In Review';
  if (feature === 'ID_VERIFICATION') {
    if (facts.expired) return ['DOCUMENT_EXPIRED'];
    return facts.renamed ? ['NAME_MISMATCH_WITH_PROVIDED'] : ['QR_NOT_DETECTED'];
  }
  if (feature === 'LIVENESS' && (bad || facts.spoofed)) {
    return facts.spoofed ? ['LOW_LIVENESS_SCORE', 'LIVENESS_FACE_ATTACK'] : ['LOW_LIVENESS_SCORE'];
  }
  if (feature === 'FACE_MATCH' && bad) return ['LOW_FACE_MATCH_SIMILARITY'];
  return feature === 'AML' && bad ? ['POSSIBLE_MATCH_FOUND'] : [];
};
