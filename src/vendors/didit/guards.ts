import { isObject, type JsonObject } from './json.js';
import type { OperationName } from './operations.js';

/**
 * Whether an answer holds the essentials of its operation: enough to tell a wrong schema from a new field. Enums stay open, unknown
 * members are no matter, and what is null is null.
 */
export type Guard = (body: unknown, params: Readonly<Record<string, string>>) => boolean;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const isUuidText = (value: unknown) => typeof value === 'string' && UUID.test(value);
const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isTextOrNone = (value: unknown) => value === undefined || value === null || typeof value === 'string';
const isCount = (value: unknown) => typeof value === 'number' && Number.isInteger(value) && value >= 0;

const MODULES = [
  'id_verifications',
  'nfc_verifications',
  'liveness_checks',
  'face_matches',
  'phone_verifications',
  'email_verifications',
  'poa_verifications',
  'document_ai_documents',
  'questionnaire_responses',
  'aml_screenings',
  'ip_analyses',
  'database_validations',
] as const;

/** A session's answer to a question about another one would be a leak, not only a wrong schema. */
const answersFor = (body: JsonObject, params: Readonly<Record<string, string>>) =>
  isUuidText(body['session_id']) &&
  (params['sessionId'] === undefined || String(body['session_id']).toLowerCase() === params['sessionId'].toLowerCase());

const isDecision: Guard = (body, params) =>
  isObject(body) &&
  answersFor(body, params) &&
  isText(body['status']) &&
  isTextOrNone(body['vendor_data']) &&
  MODULES.every((name) => isModule(body[name]));

function isModule(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.every(isObject));
}

const isCreated: Guard = (body) =>
  isObject(body) &&
  isUuidText(body['session_id']) &&
  isText(body['status']) &&
  typeof body['url'] === 'string' &&
  /^https?:\/\//.test(body['url']) &&
  isTextOrNone(body['session_token']) &&
  isTextOrNone(body['vendor_data']);

const isPage: Guard = (body) =>
  isObject(body) &&
  isCount(body['count']) &&
  isTextOrNone(body['next']) &&
  isTextOrNone(body['previous']) &&
  Array.isArray(body['results']) &&
  body['results'].every((row) => isObject(row) && isUuidText(row['session_id']) && isText(row['status']));

const isSessionOnly: Guard = (body, params) => isObject(body) && answersFor(body, params);

const isCheck =
  (key: string): Guard =>
  (body) => {
    if (!isObject(body) || !isText(body['request_id'])) return false;
    const report = body[key];
    return isObject(report) && isText(report['status']);
  };

export const GUARDS: Readonly<Record<OperationName, Guard>> = {
  'session.create': isCreated,
  'session.decision': isDecision,
  'session.list': isPage,
  'session.update-status': isSessionOnly,
  // 204 without a body in summer 2026, 200 with one since September.
  'session.delete': (body, params) => body === undefined || isSessionOnly(body, params),
  'session.pdf': () => true,
  'id-verification': isCheck('id_verification'),
  'passive-liveness': isCheck('liveness'),
  'face-match': isCheck('face_match'),
  aml: isCheck('aml'),
};
