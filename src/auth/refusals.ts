import { ProblemError } from '../platform/index.js';

/** Why a call was not let in. For the record only: outside, each of them is one and the same 401. */
const REFUSALS = {
  'auth.missing': 'no credential was presented',
  'auth.key-missing': 'this client must present an API key here',
  'auth.token-missing': 'this client must present an access token here',
  'auth.key-malformed': 'the API key has not the form of one',
  'auth.key-unknown': 'no such API key',
  'auth.key-revoked': 'the API key was revoked',
  'auth.key-expired': 'the API key has expired',
  'auth.client-unknown': 'the token names no client known here',
  'auth.client-suspended': 'the client is suspended',
  'auth.client-revoked': 'the client was revoked',
  'auth.mismatch': 'the API key and the access token name different clients',
  'auth.authorization-malformed': 'the Authorization header is not a bearer token',
  'auth.token-malformed': 'the access token is not a signed JWT',
  'auth.token-issuer': 'the access token is of an issuer not trusted here',
  'auth.token-audience': 'the access token is for another audience',
  'auth.token-algorithm': 'the access token is signed with an algorithm not accepted',
  'auth.token-type': 'the token is not of the type at+jwt',
  'auth.token-key': 'the access token is signed with a key its issuer does not publish',
  'auth.token-signature': 'the signature of the access token is wrong',
  'auth.token-expired': 'the access token has expired',
  'auth.token-early': 'the access token is not valid yet',
  'auth.token-claims': 'the access token lacks a claim or has one of the wrong kind',
  'auth.token-bound': 'the access token is bound to a key, and the call proves no possession of it',
  'auth.issuer-unreachable': 'the keys of the token’s issuer cannot be fetched',
  'auth.administrator-unknown': 'the token names no administrator known here',
  'auth.administrator-suspended': 'the administrator is suspended',
  'auth.administrator-revoked': 'the administrator was revoked',
} as const;

export type Refusal = keyof typeof REFUSALS;

/** RFC 9110 section 11.6.1; without the error parameters of RFC 6750, which would tell refusals apart. */
const CHALLENGE = 'Bearer realm="gatehouse"';

export function refused(rule: Refusal, cause?: unknown): ProblemError {
  return new ProblemError('unauthenticated', {
    rule,
    reason: REFUSALS[rule],
    headers: { 'www-authenticate': CHALLENGE },
    ...(cause === undefined ? {} : { cause }),
  });
}
