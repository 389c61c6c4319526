import { isObject, type JsonObject } from './json.js';
import { type ModuleWord, REPORTING, reportKey } from './modules.js';
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

/** A session's answer to a question about another one would be a leak, not only a wrong schema. */
const answersFor = (body: JsonObject, params: Readonly<Record<string, string>>) =>
  isUuidText(body['session_id']) &&
  (params['sessionId'] === undefined || String(body['session_id']).toLowerCase() === params['sessionId'].toLowerCase());

const isDecision: Guard = (body, params) =>
  isObject(body) &&
  answersFor(body, params) &&
  isText(body['status']) &&
  isTextOrNone(body['vendor_data']) &&
  REPORTING.every(({ array }) => isModule(body[array]));

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

const isPageOf =
  (isRow: (row: JsonObject) => boolean): Guard =>
  (body) =>
    isObject(body) &&
    isCount(body['count']) &&
    isTextOrNone(body['next']) &&
    isTextOrNone(body['previous']) &&
    Array.isArray(body['results']) &&
    body['results'].every((row) => isObject(row) && isRow(row));

const isSessionOnly: Guard = (body, params) => isObject(body) && answersFor(body, params);

const isAsked = (body: unknown): body is JsonObject => isObject(body) && isText(body['request_id']);

const isCheck = (word: ModuleWord): Guard => {
  const key = reportKey(word);
  return (body) => {
    if (!isAsked(body)) return false;
    const report = body[key];
    return isObject(report) && isText(report['status']);
  };
};

const isSearched: Guard = (body) => {
  if (!isAsked(body)) return false;
  const registry = body[reportKey('registry-check')];
  return isObject(registry) && Array.isArray(registry['companies']) && registry['companies'].every(isObject);
};

const isSent: Guard = (body) => isAsked(body) && isText(body['status']);

/** The report is null after a wrong code and absent after an old one. */
const isCodeChecked = (word: ModuleWord): Guard => {
  const key = reportKey(word);
  return (body) =>
    isAsked(body) && isText(body['status']) && (!(key in body) || body[key] === null || isObject(body[key]));
};

const isWallet: Guard = (body) =>
  isObject(body) && isText(body['status']) && isText(body['wallet_address']) && typeof body['risk_score'] === 'number';

const isTransaction: Guard = (body, params) =>
  isObject(body) &&
  isUuidText(body['uuid']) &&
  isText(body['txn_id']) &&
  isText(body['status']) &&
  (params['transactionId'] === undefined ||
    String(body['uuid']).toLowerCase() === params['transactionId'].toLowerCase());

const isBusiness: Guard = (body, params) =>
  isObject(body) &&
  isText(body['didit_internal_id']) &&
  isText(body['status']) &&
  isTextOrNone(body['vendor_data']) &&
  (params['vendorData'] === undefined || body['vendor_data'] === params['vendorData']);

export const GUARDS: Readonly<Record<OperationName, Guard>> = {
  'session.create': isCreated,
  'session.decision': isDecision,
  'session.list': isPageOf((row) => isUuidText(row['session_id']) && isText(row['status'])),
  'session.update-status': isSessionOnly,
  // 204 without a body in summer 2026, 200 with one since September.
  'session.delete': (body, params) => body === undefined || isSessionOnly(body, params),
  'session.pdf': () => true,
  'id-verification': isCheck('id-verification'),
  'passive-liveness': isCheck('passive-liveness'),
  'face-match': isCheck('face-match'),
  aml: isCheck('aml-screening'),
  'age-estimation': isCheck('age-estimation'),
  'face-search': isCheck('face-search'),
  // Didit's examples have no status in this one.
  poa: (body) => isAsked(body) && isObject(body[reportKey('proof-of-address')]),
  'document-ai': isCheck('document-ai'),
  'database-validation': isCheck('database-validation'),
  'phone.send': isSent,
  'phone.check': isCodeChecked('phone-verification'),
  'email.send': isSent,
  'email.check': isCodeChecked('email-verification'),
  'wallet-screening': isWallet,
  'kyb.search': isSearched,
  'kyb.select': isCheck('registry-check'),
  'business.create': isBusiness,
  'business.list': isPageOf((row) => isText(row['didit_internal_id']) && isText(row['status'])),
  'business.get': isBusiness,
  'business.update': isBusiness,
  'business.update-status': isBusiness,
  'transaction.create': isTransaction,
  'transaction.list': isPageOf((row) => isUuidText(row['uuid']) && isText(row['status'])),
  'transaction.get': isTransaction,
};
