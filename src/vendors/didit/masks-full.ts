import { either, exempt, fields, list, type MaskNode, type Passes, dropped, subtree } from '../../policy/index.js';
import { ownWords, personal, type Rights } from './media.js';
import { reportKey } from './modules.js';
import type { OperationName } from './operations.js';

const within = (rest: Passes, members: Record<string, MaskNode>): MaskNode => either(subtree(rest), fields(members));

/**
 * What a caller with `pii:read` sees: everything, but for media and links as far as its rights do not reach. Only where a member's place
 * says more than its name is it listed: the client's own words, and the addresses of published sources.
 */
export function fullMask(operation: OperationName, rights: Rights): MaskNode {
  if (operation === 'session.pdf') return dropped;
  const rest = personal(rights);
  const own = subtree(ownWords(rights));
  const session = { vendor_data: exempt, metadata: own, callback: own };
  const screening = within(rest, { hits: list(within(rest, { url: own })) });
  const page = (row: Record<string, MaskNode>) =>
    within(rest, { next: exempt, previous: exempt, results: list(within(rest, row)) });
  switch (operation) {
    case 'session.create':
      return within(rest, { ...session, url: exempt, session_token: exempt });
    case 'session.decision':
      return within(rest, { ...session, aml_screenings: list(screening) });
    case 'session.list':
    case 'business.list':
      return page(session);
    case 'transaction.list':
      return page(transactionWords(own));
    case 'transaction.create':
    case 'transaction.get':
      return within(rest, {
        ...transactionWords(own),
        ...opening(rest, operation === 'transaction.create' || rights.link),
      });
    case 'kyb.search':
      return within(rest, { ...session, [reportKey('registry-check')]: within(rest, { companies: companies(rest) }) });
    default:
      return within(rest, { ...session, [reportKey('aml-screening')]: screening });
  }
}

/** The client's own: its names for things, and what it sent along. */
function transactionWords(own: MaskNode): Record<string, MaskNode> {
  return {
    txn_id: exempt,
    vendor_data: exempt,
    subject_vendor_data: exempt,
    counterparty_vendor_data: exempt,
    metadata: own,
    props: own,
  };
}

/** What opens a page for the customer: for the client that made the transaction, afterwards by the right to links. */
function opening(rest: Passes, shown: boolean): Record<string, MaskNode> {
  const link = shown ? exempt : dropped;
  const opened = within(rest, { url: link, session_token: link });
  return { remediation: opened, action_required: opened };
}

/** The choice of a company goes back to Didit: it must come through as it is, whatever it looks like. */
const companies = (rest: Passes): MaskNode => list(within(rest, { kyb_response_id: exempt }));
