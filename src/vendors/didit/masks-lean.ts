import { dropped, exempt, fields, leaf, list, type MaskNode, members } from '../../policy/index.js';
import { leanBusiness, leanTransaction, leanWallet } from './masks-monitoring.js';
import { features, leanCompany, leanReport } from './masks-reports.js';
import { type ModuleWord, REPORTING, reportKey } from './modules.js';
import type { OperationName } from './operations.js';

const keep = leaf('keep');
const number = leaf('number');

const envelope = {
  ...members(keep, 'session_id', 'session_kind', 'status', 'environment', 'workflow_id', 'created_at', 'expires_at'),
  ...members(number, 'session_number', 'workflow_version'),
  // The client's own reference: it comes back as it was written, whatever that looks like.
  vendor_data: exempt,
  ...members(dropped, 'metadata', 'callback'),
};

const modules = Object.fromEntries(REPORTING.map(({ array, word }) => [array, list(leanReport(word))]));

const decision = (link: MaskNode) =>
  fields({
    ...envelope,
    ...modules,
    features,
    session_url: link,
    ...members(dropped, 'expected_details contact_details reviews events activity_reviews cost_breakdown'),
  });

const row = (link: MaskNode) =>
  fields({
    ...envelope,
    features,
    session_url: link,
    document_type: keep,
    additional_details: fields({
      aml: fields({
        total_hits: number,
        ...members(dropped, 'entity_type', 'is_adverse_media_fetched', 'screened_data'),
      }),
      liveness: fields({ score: number, method: dropped }),
      face_match: fields({ score: number, ...members(dropped, 'source_image', 'target_image') }),
      ...members(dropped, 'database_validation', 'poa', 'phone_verification', 'email_verification'),
    }),
    ...members(
      dropped,
      'portrait_image full_name country didit_internal_id phone_number email_address company_name',
      'registration_number workflow_type workflow_label',
    ),
  });

/** What stands around the report of any call without a session. */
const asked = {
  ...members(keep, 'request_id', 'created_at'),
  vendor_data: exempt,
  metadata: dropped,
};

/** A check of one's own: its envelope around the module's report. */
const check = (word: ModuleWord) => fields({ ...asked, [reportKey(word)]: leanReport(word) });

const codeSent = fields({ ...asked, ...members(keep, 'status', 'reason') });
const codeChecked = (word: ModuleWord) =>
  fields({ ...asked, status: keep, message: dropped, [reportKey(word)]: leanReport(word) });

const searched = fields({
  ...asked,
  [reportKey('registry-check')]: fields({
    // What a register publishes may be a person's name too: without `pii:read` companies are told apart by their ids.
    companies: list(
      fields({
        kyb_response_id: exempt,
        ...members(keep, 'status', 'type', 'risk_level', 'fetch_status'),
        ...members(dropped, 'name', 'registration_number'),
      }),
    ),
    pagination: fields(members(number, 'total', 'page', 'per_page')),
    ...members(keep, 'search_status', 'search_resolved'),
  }),
});

const page = (each: MaskNode, more: Record<string, MaskNode> = {}) =>
  fields({ count: number, ...members(exempt, 'next', 'previous'), ...more, results: list(each) });

/** By operation; `link` is the place of a hosted link: `exempt` with the right to it, else `dropped`. */
const LEAN: Readonly<Record<OperationName, (link: MaskNode) => MaskNode>> = {
  // The client that makes a session needs its link: that is what it asked for.
  'session.create': () => fields({ ...envelope, ...members(exempt, 'url', 'session_token') }),
  'session.decision': decision,
  'session.list': (link) => page(row(link)),
  'session.update-status': () => fields({ session_id: keep }),
  'session.delete': () =>
    fields({
      ...members(keep, 'session_id', 'face_retention_outcome'),
      session_number: number,
      biometric_template_uuid: dropped,
    }),
  'session.pdf': () => dropped,
  'id-verification': () => check('id-verification'),
  'passive-liveness': () => check('passive-liveness'),
  'face-match': () => check('face-match'),
  aml: () => check('aml-screening'),
  'age-estimation': () => check('age-estimation'),
  'face-search': () => check('face-search'),
  poa: () => check('proof-of-address'),
  'document-ai': () => check('document-ai'),
  'database-validation': () => check('database-validation'),
  'phone.send': () => codeSent,
  'phone.check': () => codeChecked('phone-verification'),
  'email.send': () => codeSent,
  'email.check': () => codeChecked('email-verification'),
  'wallet-screening': () => leanWallet,
  'kyb.search': () => searched,
  'kyb.select': () => fields({ ...asked, [reportKey('registry-check')]: leanCompany }),
  'business.create': () => leanBusiness,
  'business.list': () => page(leanBusiness),
  'business.get': () => leanBusiness,
  'business.update': () => leanBusiness,
  'business.update-status': () => leanBusiness,
  // As for a session: the link is what the client asked for.
  'transaction.create': () => leanTransaction(exempt),
  'transaction.list': (link) => page(leanTransaction(link), { total_transactions: dropped }),
  'transaction.get': leanTransaction,
};

/** The lean mask of an operation's answer. */
export function leanMask(operation: OperationName, link: MaskNode): MaskNode {
  return LEAN[operation](link);
}
