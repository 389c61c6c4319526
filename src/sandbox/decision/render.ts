import type { Check, Session } from '../sessions/session.js';
import { Float, type Json, type JsonObject } from '../wire/json.js';
import { documentReport } from './document-report.js';
import { featureNames, isBusiness, type Feature } from './features.js';
import { furtherReports } from './further-reports.js';
import { instant } from './instant.js';
import type { MediaLinks } from './media.js';
import type { Scenario } from './scenarios.js';
import { screeningReport } from './screening-report.js';
import { risksOf, warning, type Risk } from './warnings.js';

export interface RenderContext {
  /** Origin of the hosted page. */
  readonly origin: string;
  readonly environment: 'sandbox' | 'live';
  readonly links: MediaLinks;
}

/**
 * The decision in its v3 form: every module is an array of reports by node, and null, never an empty array, until that
 * feature has produced data.
 */
export const renderDecision = (session: Session, context: RenderContext): JsonObject => ({
  session_id: session.id,
  session_kind: isBusiness(session.features) ? 'business' : 'user',
  session_number: session.number,
  session_url: hostedUrl(session, context.origin),
  status: session.status,
  environment: context.environment,
  workflow_id: session.workflowId,
  features: [...session.features],
  vendor_data: session.vendorData,
  metadata: session.metadata,
  expected_details: session.expectedDetails,
  contact_details: session.contactDetails,
  callback: session.callback,
  id_verifications: report(session, 'ID_VERIFICATION', () => documentReport(session, context.links)),
  liveness_checks: report(session, 'LIVENESS', (check) => livenessReport(session, check, context.links)),
  face_matches: report(session, 'FACE_MATCH', (check) => faceMatchReport(session, check, context.links)),
  aml_screenings: report(session, 'AML', () => ({
    ...screeningReport(session),
    is_ongoing_monitoring_enabled: false,
    next_ongoing_monitoring_bill_date: null,
  })),
  ...Object.fromEntries(
    Object.entries(furtherReports).map(([name, [feature, members]]) => [
      name,
      report(session, feature, () => members(session, context.links)),
    ]),
  ),
  reviews: session.reviews.map((review) => ({
    user: review.user,
    new_status: review.newStatus,
    comment: review.comment,
    created_at: instant(review.at),
  })),
  created_at: instant(session.createdAt),
  expires_at: session.type === 'HOSTED' ? instant(session.expiresAt) : null,
});

/** The page that the person opens; a stored standalone call has none. */
export const hostedUrl = (session: Session, origin: string): string | null => {
  if (session.type === 'API') return null;
  const language = session.language === null ? '' : `/${session.language}`;
  return `${origin}${language}/session/${session.token}`;
};

/** Every risk code that the session's checks raised. */
export const warningsOf = (session: Session): readonly Risk[] =>
  [...session.checks].flatMap(([feature, check]) => risks(session, feature, check));

export const warningsOfCheck = (
  session: Session,
  feature: Feature,
  check: Check,
  node: 'with-node' | 'without-node',
): JsonObject[] => risks(session, feature, check).map((risk) => warning(risk, check.status, node));

export const livenessScore = (scenario: Scenario): number => (scenario === 'spoof' ? 12.5 : 95);
export const faceMatchScore = (scenario: Scenario): number => (scenario === 'mismatch' ? 24.87 : 99.41);

const risks = (session: Session, feature: Feature, check: Check): readonly Risk[] =>
  risksOf(feature, {
    status: check.status,
    spoofed: session.scenario === 'spoof',
    expired: session.scenario === 'expired-document' || check.status === 'Expired',
    renamed: session.scenario === 'mismatch' && session.expectedDetails !== null,
  });

const report = (session: Session, feature: Feature, members: (check: Check) => JsonObject): Json => {
  const check = session.checks.get(feature);
  if (check === undefined) return null;
  return [
    {
      node_id: featureNames[feature].node,
      status: check.status,
      ...members(check),
      ...(feature === 'QUESTIONNAIRE' ? {} : { warnings: warningsOfCheck(session, feature, check, 'with-node') }),
    },
  ];
};

const livenessReport = (session: Session, check: Check, links: MediaLinks): JsonObject => ({
  method: 'PASSIVE',
  score: new Float(check.score ?? livenessScore(session.scenario)),
  reference_image: links('selfie.png'),
  video_url: links('selfie.mp4'),
  age_estimation: new Float(session.scenario === 'spoof' ? 31.25 : 34),
  matches: [],
  face_quality: new Float(84.21),
  face_luminance: new Float(50),
});

const faceMatchReport = (session: Session, check: Check, links: MediaLinks): JsonObject => ({
  score: new Float(check.score ?? faceMatchScore(session.scenario)),
  source_image_session_id: null,
  source_image: links('portrait.png'),
  target_image: links('selfie.png'),
});
