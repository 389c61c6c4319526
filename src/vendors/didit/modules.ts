/** One of Didit's modules under all its names: the vendor spells the same module in up to six ways. */
export interface DiditModule {
  /** The gateway's own word: a step's name, and what a client is entitled to. */
  readonly word: string;
  /** Its array of reports in a decision (v3); null where it reports under another module's. */
  readonly array: string | null;
  /** That array in `result` of a verification. */
  readonly result: string | null;
  /** The one report of a standalone answer, and of decisions before v3. */
  readonly report: string;
  /** In workflows, in `features` of a decision, in warnings, in `nodes_to_resubmit` and in the list's `api_service`. */
  readonly features: readonly string[];
  /** Segment of its standalone route after `/v3/`; null where it runs in sessions alone. */
  readonly path: string | null;
  /** Among the four of `onboarding`, which every verification shows whatever its workflow is made of. */
  readonly onboarding: boolean;
}

/**
 * The one table of modules, in the order in which steps are shown: guards, masks, statuses, steps and results go by it. Biometric
 * authentication is no row: it is a session of liveness and face match, and reports as they do.
 */
// prettier-ignore
export const MODULES = [
  { word: 'id-verification',     array: 'id_verifications',        result: 'idVerifications',        report: 'id_verification',     features: ['OCR', 'OCR_BACK', 'ID_VERIFICATION'],               path: 'id-verification',     onboarding: true },
  { word: 'passive-liveness',    array: 'liveness_checks',         result: 'livenessChecks',         report: 'liveness',            features: ['LIVENESS', 'FACE', 'PASSIVE_LIVENESS'],             path: 'passive-liveness',    onboarding: true },
  { word: 'face-match',          array: 'face_matches',            result: 'faceMatches',            report: 'face_match',          features: ['FACE_MATCH', 'FACEMATCH'],                          path: 'face-match',          onboarding: true },
  { word: 'aml-screening',       array: 'aml_screenings',          result: 'amlScreenings',          report: 'aml',                 features: ['AML'],                                              path: 'aml',                 onboarding: true },
  { word: 'nfc-verification',    array: 'nfc_verifications',       result: 'nfcVerifications',       report: 'nfc',                 features: ['NFC'],                                              path: null,                  onboarding: false },
  { word: 'proof-of-address',    array: 'poa_verifications',       result: 'poaVerifications',       report: 'poa',                 features: ['PROOF_OF_ADDRESS', 'POA'],                          path: 'poa',                 onboarding: false },
  { word: 'database-validation', array: 'database_validations',    result: 'databaseValidations',    report: 'database_validation', features: ['DATABASE_VALIDATION'],                              path: 'database-validation', onboarding: false },
  { word: 'phone-verification',  array: 'phone_verifications',     result: 'phoneVerifications',     report: 'phone',               features: ['PHONE_VERIFICATION', 'PHONE'],                      path: 'phone',               onboarding: false },
  { word: 'email-verification',  array: 'email_verifications',     result: 'emailVerifications',     report: 'email',               features: ['EMAIL_VERIFICATION', 'EMAIL'],                      path: 'email',               onboarding: false },
  { word: 'age-estimation',      array: null,                      result: null,                     report: 'age_estimation',      features: ['AGE_ESTIMATION'],                                   path: 'age-estimation',      onboarding: false },
  { word: 'face-search',         array: null,                      result: null,                     report: 'face_search',         features: ['FACE_SEARCH'],                                      path: 'face-search',         onboarding: false },
  { word: 'questionnaire',       array: 'questionnaire_responses', result: 'questionnaireResponses', report: 'questionnaire',       features: ['QUESTIONNAIRE'],                                    path: null,                  onboarding: false },
  { word: 'document-ai',         array: 'document_ai_documents',   result: 'documentAiDocuments',    report: 'document_ai',         features: ['DOCUMENT_AI'],                                      path: 'document-ai',         onboarding: false },
  { word: 'ip-analysis',         array: 'ip_analyses',             result: 'ipAnalyses',             report: 'ip_analysis',         features: ['IP_ANALYSIS', 'LOCATION'],                          path: null,                  onboarding: false },
  { word: 'registry-check',      array: 'registry_checks',         result: 'registryChecks',         report: 'kyb_registry',        features: ['KYB_REGISTRY', 'KYB'],                              path: 'kyb',                 onboarding: false },
  { word: 'company-documents',   array: 'document_verifications',  result: 'documentVerifications',  report: 'kyb_documents',       features: ['KYB_DOCUMENTS'],                                    path: null,                  onboarding: false },
  { word: 'key-people-check',    array: 'key_people_checks',       result: 'keyPeopleChecks',        report: 'kyb_key_people',      features: ['KYB_KEY_PEOPLE'],                                   path: null,                  onboarding: false },
] as const satisfies readonly DiditModule[];

/** A row whose reports stand in an array of the decision. */
export type ReportingModule = Extract<(typeof MODULES)[number], { array: string }>;
export type ModuleWord = (typeof MODULES)[number]['word'];
export type StepName = ReportingModule['word'];

export const REPORTING: readonly ReportingModule[] = MODULES.filter((row) => row.array !== null);

const BY_WORD = new Map<string, (typeof MODULES)[number]>(MODULES.map((row) => [row.word, row]));

/** The key of a module's report in a standalone answer. */
export function reportKey(word: ModuleWord): string {
  const row = BY_WORD.get(word);
  if (row === undefined) throw new Error(`there is no module ${word}`);
  return row.report;
}
