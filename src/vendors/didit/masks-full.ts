import { either, exempt, fields, list, type MaskNode, type Passes, dropped, subtree } from '../../policy/index.js';
import { ownWords, personal, type Rights } from './media.js';
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
  if (operation === 'session.create') return within(rest, { ...session, url: exempt, session_token: exempt });
  if (operation === 'session.decision') return within(rest, { ...session, aml_screenings: list(screening) });
  if (operation === 'session.list')
    return within(rest, { next: exempt, previous: exempt, results: list(within(rest, session)) });
  return within(rest, { ...session, aml: screening });
}
