import { screenName } from './aml.js';
import { createSession } from './create-session.js';
import { checkLiveness, matchFaces } from './face-checks.js';
import { verifyDocument } from './id-verification.js';
import { listSessions } from './list-sessions.js';
import type { Operation } from './operation.js';
import { deleteSession, generatePdf, readDecision } from './session-reads.js';
import { updateStatus } from './update-status.js';

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
];

/** Faults may also name the public health check, which is in no ledger. */
export const healthOperation = 'system.health';

export const faultableOperations: readonly string[] = [...operations.map(({ name }) => name), healthOperation];
