import { isObject, type JsonObject } from './json.js';
import { type ModuleWord, REPORTING, reportKey } from './modules.js';
import type { OperationName } from './operations.js';
import { REPORT, sessionStatus } from './statuses.js';

/** A status that nobody knows: it passes as any other text of its place does, and is news for whoever keeps these lists. */
export interface UnknownStatus {
  /** Template path of its place, in the vendor's spelling. */
  path: string;
  /** The vendor's word, cut to 64 characters. */
  status: string;
}

type Known = (status: unknown) => boolean;
/** A place of a status: the members that lead to it; `[]` stands for each element of a list. */
type Place = readonly [path: string, known: Known];

const LONGEST = 64;

const among =
  (...words: string[]): Known =>
  (status) =>
    typeof status === 'string' && words.includes(status);

const session: Known = (status) => sessionStatus(status) !== undefined;
const report: Known = (status) => typeof status === 'string' && Object.hasOwn(REPORT, status);
const transaction = among('APPROVED', 'IN_REVIEW', 'DECLINED', 'AWAITING_USER');
const entity = among('ACTIVE', 'FLAGGED', 'BLOCKED');

const ofReport = (word: ModuleWord): Place => [`${reportKey(word)}.status`, report];
const sent = (failure: string): readonly Place[] => [['status', among('Success', 'Retry', failure)]];
const codeChecked = (word: ModuleWord): readonly Place[] => [
  ['status', among('Approved', 'Declined', 'Failed', 'Expired or Not Found')],
  ofReport(word),
];

const PLACES: Partial<Record<OperationName, readonly Place[]>> = {
  'session.create': [['status', session]],
  'session.decision': [['status', session], ...REPORTING.map(({ array }): Place => [`${array}[].status`, report])],
  'session.list': [['results[].status', session]],
  'id-verification': [ofReport('id-verification')],
  'passive-liveness': [ofReport('passive-liveness')],
  'face-match': [ofReport('face-match')],
  aml: [ofReport('aml-screening')],
  'age-estimation': [ofReport('age-estimation')],
  'face-search': [ofReport('face-search')],
  poa: [ofReport('proof-of-address')],
  'document-ai': [ofReport('document-ai')],
  'database-validation': [ofReport('database-validation')],
  'phone.send': sent('Blocked'),
  'phone.check': codeChecked('phone-verification'),
  'email.send': sent('Undeliverable'),
  'email.check': codeChecked('email-verification'),
  'wallet-screening': [['status', among('SCREENED', 'PENDING', 'ERROR')]],
  'kyb.select': [ofReport('registry-check')],
  'business.create': [['status', entity]],
  'business.list': [['results[].status', entity]],
  'business.get': [['status', entity]],
  'business.update': [['status', entity]],
  'business.update-status': [['status', entity]],
  'transaction.create': [['status', transaction]],
  'transaction.list': [['results[].status', transaction]],
  'transaction.get': [['status', transaction]],
};

/** The statuses of an answer that nobody knows; what is absent or null is none. */
export function unknownStatuses(operation: OperationName, body: unknown): UnknownStatus[] {
  return (PLACES[operation] ?? []).flatMap(([path, known]) =>
    statusesAt(body, path.split('.')).flatMap((status) =>
      status === undefined || status === null || known(status) ? [] : [{ path, status: word(status) }],
    ),
  );
}

/** A status is a word; anything longer or of another make is told by its kind alone, since it could be anybody's text. */
function word(status: unknown): string {
  return typeof status === 'string' && /^[\w .-]+$/.test(status) ? status.slice(0, LONGEST) : `(${typeof status})`;
}

function statusesAt(value: unknown, [step, ...further]: string[]): unknown[] {
  if (step === undefined) return [value];
  if (!isObject(value)) return [];
  const list = step.endsWith('[]');
  const inner: unknown = (value as JsonObject)[list ? step.slice(0, -2) : step];
  if (!list) return statusesAt(inner, further);
  return Array.isArray(inner) ? inner.flatMap((item) => statusesAt(item, further)) : [];
}
