/**
 * The closed catalogue of problems (RFC 9457). `code` is stable and what callers switch on; `detail` is the sentence a caller sees when
 * the place that raised it gave none, and tells no secret. docs/problems.md is generated from this table and a test keeps them equal.
 */
export const PROBLEMS = {
  'malformed-request': { status: 400, title: 'Malformed request', detail: 'The request could not be read.' },
  'invalid-request': {
    status: 400,
    title: 'Invalid request',
    detail: 'The request does not have the form that this operation takes.',
  },
  'invalid-cursor': { status: 400, title: 'Invalid cursor', detail: 'The cursor is not one that this list gave out.' },
  unauthenticated: {
    status: 401,
    title: 'Unauthenticated',
    detail: 'The credentials of this call are missing or not valid.',
  },
  'use-dpop-nonce': { status: 401, title: 'DPoP nonce required', detail: 'Repeat the call with the nonce given.' },
  'forbidden-scope': {
    status: 403,
    title: 'Forbidden',
    detail: 'The credentials of this call do not carry the right that this operation needs.',
  },
  'forbidden-address': { status: 403, title: 'Forbidden address', detail: 'Calls from this address are not accepted.' },
  'forbidden-agent': { status: 403, title: 'Forbidden agent', detail: 'Calls by this user agent are not accepted.' },
  'https-required': { status: 403, title: 'HTTPS required', detail: 'This service answers over HTTPS only.' },
  'approval-required': {
    status: 403,
    title: 'Approval required',
    detail: 'Another administrator must approve this act.',
  },
  'not-found': { status: 404, title: 'Not found', detail: 'There is nothing here for this caller.' },
  'method-not-allowed': { status: 405, title: 'Method not allowed', detail: 'This address does not take that method.' },
  'not-acceptable': { status: 406, title: 'Not acceptable', detail: 'None of the media types asked for can be given.' },
  conflict: { status: 409, title: 'Conflict', detail: 'The state of the resource does not allow this.' },
  'idempotency-in-progress': {
    status: 409,
    title: 'Still in progress',
    detail: 'The first call with this Idempotency-Key has not ended yet.',
  },
  'version-conflict': {
    status: 409,
    title: 'Version conflict',
    detail: 'The resource has changed since the version named in If-Match.',
  },
  'body-too-large': { status: 413, title: 'Body too large', detail: 'The body is larger than this operation takes.' },
  'uri-too-long': { status: 414, title: 'URI too long', detail: 'The address is longer than this service takes.' },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    detail: 'The body has a media type that this operation does not take.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency-Key reused',
    detail: 'This Idempotency-Key came before with another request.',
  },
  unprocessable: { status: 422, title: 'Unprocessable', detail: 'The request is well formed but cannot be done.' },
  'rate-limited': {
    status: 429,
    title: 'Rate limited',
    detail: 'Too many calls; try again after the time in Retry-After.',
  },
  'quota-exceeded': { status: 429, title: 'Quota exceeded', detail: 'The quota of this client is used up.' },
  'vendor-budget-exceeded': {
    status: 429,
    title: 'Vendor budget exceeded',
    detail: 'The share of the vendor’s budget is used up; try again later.',
  },
  'headers-too-large': {
    status: 431,
    title: 'Headers too large',
    detail: 'The headers are larger than this service takes.',
  },
  internal: { status: 500, title: 'Internal error', detail: 'Something went wrong inside the gateway.' },
  'vendor-error': { status: 502, title: 'Vendor error', detail: 'The vendor failed to answer this call.' },
  'vendor-invalid-answer': {
    status: 502,
    title: 'Invalid vendor answer',
    detail: 'The vendor’s answer could not be used.',
  },
  'vendor-credentials': {
    status: 502,
    title: 'Vendor credentials',
    detail: 'The vendor refused the gateway’s own credentials.',
  },
  'vendor-credit': { status: 502, title: 'Vendor credit', detail: 'The vendor refused the call for want of credit.' },
  'vendor-unavailable': {
    status: 503,
    title: 'Vendor unavailable',
    detail: 'The vendor cannot take calls at present.',
  },
  'audit-unavailable': {
    status: 503,
    title: 'Audit unavailable',
    detail: 'The call cannot be recorded at present and is therefore not answered.',
  },
  overloaded: { status: 503, title: 'Overloaded', detail: 'The gateway has more to do than it can; try again later.' },
  'shutting-down': {
    status: 503,
    title: 'Shutting down',
    detail: 'This instance is stopping; another one takes the call.',
  },
  'vendor-timeout': { status: 504, title: 'Vendor timeout', detail: 'The vendor did not answer in time.' },
} as const satisfies Record<string, { status: number; title: string; detail: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** `type` of RFC 9457: a URN of ours, since the gateway has no one home page. */
export function problemType(code: ProblemCode): string {
  return `urn:gatehouse:problem:${code}`;
}
