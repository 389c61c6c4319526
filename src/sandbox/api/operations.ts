import { screenName } from './aml.js';
import { createBusiness, getBusiness, listBusinesses, updateBusiness, updateBusinessStatus } from './businesses.js';
import { createSession } from './create-session.js';
import { validateInDatabase } from './database-validation.js';
import { readDocument } from './document-ai.js';
import { checkLiveness, estimateAge, matchFaces, searchFace } from './face-checks.js';
import { verifyDocument } from './id-verification.js';
import { searchRegistry, selectCompany } from './kyb.js';
import { listSessions } from './list-sessions.js';
import { checkCode, sendCode } from './one-time-codes.js';
import type { Operation } from './operation.js';
import { proveAddress } from './proof-of-address.js';
import { deleteSession, generatePdf, readDecision } from './session-reads.js';
import { createTransaction, getTransaction, listTransactions } from './transactions.js';
import { updateStatus } from './update-status.js';
import { screenWallet } from './wallet-screening.js';

/** The whole API. `name` is what faults and the ledger call an operation; paths end in a slash, as all of Didit's do. */
// prettier-ignore
export const operations: readonly Operation[] = [
  { name: 'session.create',        method: 'POST',   path: '/v3/session/',                    scopes: ['writes', 'creates'], noCredit: 'detail 400', handle: createSession },
  { name: 'session.decision',      method: 'GET',    path: '/v3/session/{id}/decision/',      scopes: ['reads'],             noCredit: 'detail 403', handle: readDecision },
  { name: 'session.list',          method: 'GET',    path: '/v3/sessions/',                   scopes: ['reads'],             noCredit: 'detail 403', handle: listSessions },
  { name: 'session.update-status', method: 'PATCH',  path: '/v3/session/{id}/update-status/', scopes: ['writes'],            noCredit: 'detail 403', handle: updateStatus },
  { name: 'session.delete',        method: 'DELETE', path: '/v3/session/{id}/delete/',        scopes: ['writes'],            noCredit: 'detail 403', handle: deleteSession },
  { name: 'session.pdf',           method: 'GET',    path: '/v3/session/{id}/generate-pdf/',  scopes: ['reads', 'pdfs'],     noCredit: 'detail 403', handle: generatePdf },
  { name: 'id-verification',       method: 'POST',   path: '/v3/id-verification/',            scopes: ['writes'],            noCredit: 'error 403',  handle: verifyDocument },
  { name: 'passive-liveness',      method: 'POST',   path: '/v3/passive-liveness/',           scopes: ['writes'],            noCredit: 'error 403',  handle: checkLiveness },
  { name: 'face-match',            method: 'POST',   path: '/v3/face-match/',                 scopes: ['writes'],            noCredit: 'error 403',  handle: matchFaces },
  { name: 'aml',                   method: 'POST',   path: '/v3/aml/',                        scopes: ['writes'],            noCredit: 'error 403',  handle: screenName },
  { name: 'age-estimation',        method: 'POST',   path: '/v3/age-estimation/',             scopes: ['writes'],            noCredit: 'error 403',  handle: estimateAge },
  { name: 'face-search',           method: 'POST',   path: '/v3/face-search/',                scopes: ['writes'],            noCredit: 'error 403',  handle: searchFace },
  { name: 'poa',                   method: 'POST',   path: '/v3/poa/',                        scopes: ['writes'],            noCredit: 'error 403',  handle: proveAddress },
  { name: 'document-ai',           method: 'POST',   path: '/v3/document-ai/',                scopes: ['writes'],            noCredit: 'error 403',  handle: readDocument },
  { name: 'database-validation',   method: 'POST',   path: '/v3/database-validation/',        scopes: ['writes'],            noCredit: 'error 403',  handle: validateInDatabase },
  { name: 'phone.send',            method: 'POST',   path: '/v3/phone/send/',                 scopes: ['writes'],            noCredit: 'error 403',  handle: sendCode('phone') },
  { name: 'phone.check',           method: 'POST',   path: '/v3/phone/check/',                scopes: ['writes'],            noCredit: 'error 403',  handle: checkCode('phone') },
  { name: 'email.send',            method: 'POST',   path: '/v3/email/send/',                 scopes: ['writes'],            noCredit: 'error 403',  handle: sendCode('email') },
  { name: 'email.check',           method: 'POST',   path: '/v3/email/check/',                scopes: ['writes'],            noCredit: 'error 403',  handle: checkCode('email') },
  { name: 'wallet-screening',      method: 'POST',   path: '/v3/wallet-screening/',           scopes: ['writes'],            noCredit: 'error 403',  handle: screenWallet },
  { name: 'kyb.search',            method: 'POST',   path: '/v3/kyb/search/',                 scopes: ['writes'],            noCredit: 'error 403',  handle: searchRegistry },
  { name: 'kyb.select',            method: 'POST',   path: '/v3/kyb/select/',                 scopes: ['writes'],            noCredit: 'error 403',  handle: selectCompany },
  { name: 'business.create',       method: 'POST',   path: '/v3/businesses/create/',          scopes: ['writes'],            noCredit: 'detail 403', handle: createBusiness },
  { name: 'business.list',         method: 'GET',    path: '/v3/businesses/',                 scopes: ['reads'],             noCredit: 'detail 403', handle: listBusinesses },
  { name: 'business.get',          method: 'GET',    path: '/v3/businesses/{vendorData}/',    scopes: ['reads'],             noCredit: 'detail 403', handle: getBusiness },
  { name: 'business.update',       method: 'PATCH',  path: '/v3/businesses/{vendorData}/',    scopes: ['writes'],            noCredit: 'detail 403', handle: updateBusiness },
  { name: 'business.update-status', method: 'PATCH', path: '/v3/businesses/{vendorData}/update-status/', scopes: ['writes'], noCredit: 'detail 403', handle: updateBusinessStatus },
  // Ingestion has a counter of its own instead of the one of writes.
  { name: 'transaction.create',    method: 'POST',   path: '/v3/transactions/',               scopes: ['ingests'],           noCredit: 'detail 403', handle: createTransaction },
  { name: 'transaction.list',      method: 'GET',    path: '/v3/transactions/',               scopes: ['reads'],             noCredit: 'detail 403', handle: listTransactions },
  { name: 'transaction.get',       method: 'GET',    path: '/v3/transactions/{uuid}/',        scopes: ['reads'],             noCredit: 'detail 403', handle: getTransaction },
];

/** Faults may also name the public health check, which is in no ledger. */
export const healthOperation = 'system.health';

export const faultableOperations: readonly string[] = [...operations.map(({ name }) => name), healthOperation];
