import { isUuid } from '../../platform/index.js';
import { isObject, type JsonObject } from './json.js';
import type { OperationName } from './operations.js';
import { withOwnFaces } from './own-faces.js';

/** Length of a client's tag: the 16 bytes of its id in base64url. */
const TAG_LENGTH = 22;
const WRITTEN = ':';
const ABSENT = '.';

/**
 * A client's tag: its UUID in 22 characters, so that two clients can never have the same one and no table is needed to read it back.
 * @throws Error when the id is no UUID.
 */
export function clientTag(clientId: string): string {
  if (!isUuid(clientId)) throw new Error('a client id is a UUID');
  return Buffer.from(clientId.replaceAll('-', ''), 'hex').toString('base64url');
}

/**
 * `vendor_data` as Didit gets it: `<tag>:<what the client wrote>`. Where the client wrote none, `<tag>.<unique>` stands in: Didit takes
 * sessions with the same `vendor_data` for one person and gives an unfinished one out again, so that no two may share a made-up value.
 */
export function namespaced(tag: string, written: string | null | undefined, unique: string): string {
  return written === undefined || written === null || written === ''
    ? `${tag}${ABSENT}${unique}`
    : `${tag}${WRITTEN}${written}`;
}

/** Back again: what the client wrote, null where it wrote nothing, undefined where the value is not this client's. */
export function restored(tag: string, vendorData: unknown): string | null | undefined {
  if (typeof vendorData !== 'string' || tag.length !== TAG_LENGTH || !vendorData.startsWith(tag)) return undefined;
  const mark = vendorData[TAG_LENGTH];
  if (mark === WRITTEN) return vendorData.slice(TAG_LENGTH + 1);
  return mark === ABSENT ? null : undefined;
}

/** Members that hold a name by which a client calls something of its own, namespaced on the way out. */
const OWN_NAMES = new Set(['vendor_data', 'subject_vendor_data', 'counterparty_vendor_data', 'txn_id']);
/** Members that are the client's own words, where a `vendor_data` would be none of Didit's. */
const OWN_WORDS: ReadonlySet<string> = new Set(['metadata', 'expected_details']);
/** Didit repeats in the metadata of a transaction who took part in it; what the client sent along stands in `props`. */
const TRANSACTION_WORDS: ReadonlySet<string> = new Set(['props']);
const MAX_DEPTH = 16;

interface Walk {
  tag: string;
  words: ReadonlySet<string>;
}

/**
 * A body of Didit's as one client may see it: its own names for things as it wrote them, wherever they stand; somebody else's become null, and
 * `matches` with sessions of others are left out, since their very existence is no business of this client (rule 2). The input stays as it is.
 */
export function withOwnVendorData(tag: string, body: unknown): unknown {
  return walk({ tag, words: OWN_WORDS }, body, 0);
}

/** The answer of any operation as one client may see it. */
export function ownAnswer(tag: string, operation: OperationName, body: unknown): unknown {
  const words = operation.startsWith('transaction.') ? TRANSACTION_WORDS : OWN_WORDS;
  const own = walk({ tag, words }, body, 0);
  return operation === 'face-search' ? withOwnFaces(own) : own;
}

/** Copies only what changes on the way down: most of a decision holds no `vendor_data` and stays the very object that it was. */
function walk(way: Walk, value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) return walkList(way, value, depth);
  const members = value as JsonObject;
  let out: JsonObject | undefined;
  for (const name of Object.keys(members)) {
    const before = members[name];
    const after = way.words.has(name) ? before : member(way, name, before, depth);
    if (after === before) continue;
    out ??= { ...members };
    out[name] = after;
  }
  return out ?? members;
}

function member(way: Walk, name: string, value: unknown, depth: number): unknown {
  if (OWN_NAMES.has(name)) return restored(way.tag, value) ?? null;
  return name === 'matches' ? ownMatches(way, value, depth) : walk(way, value, depth + 1);
}

function walkList(way: Walk, items: unknown[], depth: number): unknown[] {
  let out: unknown[] | undefined;
  for (let at = 0; at < items.length; at += 1) {
    const after = walk(way, items[at], depth + 1);
    if (after === items[at]) continue;
    out ??= [...items];
    out[at] = after;
  }
  return out ?? items;
}

function ownMatches(way: Walk, matches: unknown, depth: number): unknown {
  if (!Array.isArray(matches)) return matches ?? null;
  return matches
    .filter((match) => isObject(match) && restored(way.tag, match['vendor_data']) !== undefined)
    .map((match: unknown) => walk(way, match, depth + 1));
}
