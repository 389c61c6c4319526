import { MB, type VendorOperation, write } from './operation.js';

// A failed check is a 200 too and every one is billed: none of them may be sent twice by the gateway's own doing.
const check = {
  ...write,
  method: 'POST',
  timeout: 'check',
  billed: true,
  scopes: ['didit:standalone'],
  // Unsaved requests answer with their pictures in base64.
  maxAnswerBytes: 32 * MB,
} as const;
const form = { ...check, body: 'multipart' } as const;
// Codes are kept by number or address and not by request: a second one sent is a second message, a second try an attempt less.
const code = {
  ...check,
  timeout: 'code',
  scopes: ['didit:otp'],
  maxUploadBytes: 16 * 1024,
  maxAnswerBytes: MB,
} as const;

/** Checks without a session. Upload limits are Didit's own for the files of each, with room for the form around them. */
export const CHECK_OPERATIONS = {
  'id-verification': {
    ...form,
    name: 'id-verification',
    path: '/v3/id-verification/',
    module: 'id-verification',
    maxUploadBytes: 21 * MB,
  },
  'passive-liveness': {
    ...form,
    name: 'passive-liveness',
    path: '/v3/passive-liveness/',
    module: 'passive-liveness',
    maxUploadBytes: 6 * MB,
  },
  'face-match': {
    ...form,
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
    // Adverse media alone takes up to half a minute.
    timeout: 'screening',
  },
  'age-estimation': {
    ...form,
    name: 'age-estimation',
    path: '/v3/age-estimation/',
    module: 'age-estimation',
    maxUploadBytes: 6 * MB,
  },
  'face-search': {
    ...form,
    name: 'face-search',
    path: '/v3/face-search/',
    module: 'face-search',
    maxUploadBytes: 6 * MB,
  },
  poa: {
    ...form,
    name: 'poa',
    path: '/v3/poa/',
    module: 'proof-of-address',
    timeout: 'document',
    maxUploadBytes: 16 * MB,
  },
  'document-ai': {
    ...form,
    name: 'document-ai',
    path: '/v3/document-ai/',
    module: 'document-ai',
    timeout: 'document',
    maxUploadBytes: 31 * MB,
  },
  'database-validation': {
    ...check,
    name: 'database-validation',
    path: '/v3/database-validation/',
    module: 'database-validation',
    timeout: 'registry',
    // As a form it brings a picture of the face.
    body: 'json-or-multipart',
    maxUploadBytes: 6 * MB,
  },
  'phone.send': { ...code, name: 'phone.send', path: '/v3/phone/send/', module: 'phone-verification' },
  // The message was paid for when it was sent.
  'phone.check': {
    ...code,
    name: 'phone.check',
    path: '/v3/phone/check/',
    module: 'phone-verification',
    billed: false,
  },
  'email.send': { ...code, name: 'email.send', path: '/v3/email/send/', module: 'email-verification' },
  'email.check': {
    ...code,
    name: 'email.check',
    path: '/v3/email/check/',
    module: 'email-verification',
    billed: false,
  },
  'wallet-screening': {
    ...check,
    name: 'wallet-screening',
    path: '/v3/wallet-screening/',
    module: 'wallet-screening',
    timeout: 'screening',
    maxUploadBytes: 16 * 1024,
    maxAnswerBytes: 8 * MB,
  },
} as const satisfies Record<string, VendorOperation>;
