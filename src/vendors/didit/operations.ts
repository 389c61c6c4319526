const MB = 1024 * 1024;

/** Which of the configured time-outs holds (`vendors.didit.timeouts`). */
export type TimeoutClass = 'read' | 'write' | 'check';

/** What a client must be entitled to, beside its scopes. */
type VendorModule = 'sessions' | 'id-verification' | 'passive-liveness' | 'face-match' | 'aml-screening';

/** One endpoint of Didit's that the gateway can call, and all that the corridor and the adapter must know of it. */
export interface VendorOperation {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Template of the path at Didit, with the last slash: without it Didit redirects, and not every method survives that. */
  readonly path: string;
  readonly timeout: TimeoutClass;
  /** Changes or bills something at the vendor: its intent is recorded before it is forwarded. */
  readonly changes: boolean;
  /** Doing it twice is the same as doing it once, so that it may be sent again after an unknown outcome. */
  readonly repeatable: boolean;
  readonly body: 'none' | 'json' | 'multipart';
  readonly answer: 'json' | 'pdf';
  /** Every one of these is needed. */
  readonly scopes: readonly string[];
  readonly module: VendorModule;
  /** Query parameters that are forwarded; others are refused or dropped by the route. */
  readonly query: readonly string[];
  /** Largest request body in bytes; 0 where there is none. */
  readonly maxUploadBytes: number;
  /** Largest answer in bytes: more is an invalid answer. */
  readonly maxAnswerBytes: number;
}

const read = {
  method: 'GET',
  timeout: 'read',
  changes: false,
  repeatable: true,
  body: 'none',
  answer: 'json',
} as const;
const session = { module: 'sessions', query: [], maxUploadBytes: 0, maxAnswerBytes: 8 * MB } as const;
// A failed check is a 200 too and every one is billed: none of them may be sent twice by the gateway's own doing.
const check = {
  method: 'POST',
  timeout: 'check',
  changes: true,
  repeatable: false,
  body: 'multipart',
  answer: 'json',
  scopes: ['didit:standalone'],
  query: [],
  // Unsaved requests answer with their pictures in base64.
  maxAnswerBytes: 32 * MB,
} as const;

const LIST_QUERY = [
  'session_kind',
  'limit',
  'offset',
  'status',
  'vendor_data',
  'search',
  'workflow_id',
  'date_from',
  'date_to',
  'country',
  'document_type',
  'document_name',
  'region',
  'didit_internal_id',
  'session_type',
  'api_service',
  'screened_full_name',
  'warning',
  'status_initialized_as_in_review',
  'is_kyc_to_be_reviewed',
  'euuid',
  'organization_name',
] as const;

/**
 * The one table of vendor operations: the adapter, the drop-in routes, the records and the masks all go by it. Upload limits are
 * Didit's own for the pictures of each operation, with room for the form around them.
 */
export const OPERATIONS = {
  'session.create': {
    ...session,
    name: 'session.create',
    method: 'POST',
    path: '/v3/session/',
    timeout: 'write',
    changes: true,
    repeatable: false,
    body: 'json',
    answer: 'json',
    scopes: ['didit:sessions:write'],
    // A portrait of 2 MB grows by a third in base64.
    maxUploadBytes: 3 * MB,
  },
  'session.decision': {
    ...session,
    ...read,
    name: 'session.decision',
    path: '/v3/session/{sessionId}/decision/',
    scopes: ['didit:sessions:read'],
    query: ['include'],
  },
  'session.list': {
    ...session,
    ...read,
    name: 'session.list',
    path: '/v3/sessions/',
    scopes: ['didit:sessions:read'],
    query: LIST_QUERY,
  },
  'session.update-status': {
    ...session,
    name: 'session.update-status',
    method: 'PATCH',
    path: '/v3/session/{sessionId}/update-status/',
    timeout: 'write',
    changes: true,
    // The same status again is refused, so a repeat would turn a success into an error.
    repeatable: false,
    body: 'json',
    answer: 'json',
    scopes: ['didit:sessions:write'],
    maxUploadBytes: MB,
  },
  'session.delete': {
    ...session,
    name: 'session.delete',
    method: 'DELETE',
    path: '/v3/session/{sessionId}/delete/',
    timeout: 'write',
    changes: true,
    repeatable: true,
    body: 'none',
    answer: 'json',
    scopes: ['didit:delete'],
  },
  'session.pdf': {
    ...session,
    ...read,
    name: 'session.pdf',
    path: '/v3/session/{sessionId}/generate-pdf/',
    timeout: 'check',
    answer: 'pdf',
    // The report holds the whole decision with its pictures.
    scopes: ['didit:sessions:read', 'didit:media', 'pii:read'],
    maxAnswerBytes: 64 * MB,
  },
  'id-verification': {
    ...check,
    name: 'id-verification',
    path: '/v3/id-verification/',
    module: 'id-verification',
    maxUploadBytes: 21 * MB,
  },
  'passive-liveness': {
    ...check,
    name: 'passive-liveness',
    path: '/v3/passive-liveness/',
    module: 'passive-liveness',
    maxUploadBytes: 6 * MB,
  },
  'face-match': {
    ...check,
    name: 'face-match',
    path: '/v3/face-match/',
    module: 'face-match',
    maxUploadBytes: 11 * MB,
  },
  aml: {
    ...check,
    name: 'aml',
    path: '/v3/aml/',
    module: 'aml-screening',
    body: 'json',
    maxUploadBytes: MB,
  },
} as const satisfies Record<string, VendorOperation>;

export type OperationName = keyof typeof OPERATIONS;

const PLACEHOLDER = /\{(\w+)\}/g;

/**
 * The path of an operation with its parameters filled in, percent-encoded.
 * @throws Error when a parameter is missing, which would be a defect.
 */
export function pathOf(operation: VendorOperation, params: Readonly<Record<string, string>> = {}): string {
  if (!operation.path.includes('{')) return operation.path;
  return operation.path.replace(PLACEHOLDER, (_, name: string) => {
    const value = params[name];
    if (value === undefined || value === '') throw new Error(`${operation.name} needs ${name}`);
    // Dots alone are unreserved, and `..` would climb out of the operation's path.
    if (value === '.' || value === '..') throw new Error(`${operation.name}: ${name} is not a name`);
    // Didit's routes take lower-case UUIDs only; upper case meets an HTML 404.
    return encodeURIComponent(name === 'sessionId' ? value.toLowerCase() : value);
  });
}
