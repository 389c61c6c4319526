import { MB, read, type VendorOperation, write } from './operation.js';

const session = { module: 'sessions', query: [], maxUploadBytes: 0, maxAnswerBytes: 8 * MB } as const;

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

/** Sessions of persons and of businesses alike: which of them it is, the workflow says. */
export const SESSION_OPERATIONS = {
  'session.create': {
    ...session,
    ...write,
    name: 'session.create',
    method: 'POST',
    path: '/v3/session/',
    billed: true,
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
    ...write,
    name: 'session.update-status',
    method: 'PATCH',
    path: '/v3/session/{sessionId}/update-status/',
    // The same status again is refused, so a repeat would turn a success into an error.
    repeatable: false,
    scopes: ['didit:sessions:write'],
  },
  'session.delete': {
    ...session,
    name: 'session.delete',
    method: 'DELETE',
    path: '/v3/session/{sessionId}/delete/',
    timeout: 'write',
    changes: true,
    repeatable: true,
    billed: false,
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
} as const satisfies Record<string, VendorOperation>;
