import { BUSINESS_OPERATIONS } from './operations/business.js';
import { CHECK_OPERATIONS } from './operations/checks.js';
import type { VendorOperation } from './operations/operation.js';
import { SESSION_OPERATIONS } from './operations/sessions.js';
import { TRANSACTION_OPERATIONS } from './operations/transactions.js';

export type { TimeoutClass, VendorOperation } from './operations/operation.js';

/** The one table of vendor operations, by families: the adapter, the drop-in routes, the records and the masks all go by it. */
export const OPERATIONS = {
  ...SESSION_OPERATIONS,
  ...CHECK_OPERATIONS,
  ...BUSINESS_OPERATIONS,
  ...TRANSACTION_OPERATIONS,
} as const satisfies Record<string, VendorOperation>;

export type OperationName = keyof typeof OPERATIONS;

const PLACEHOLDER = /\{(\w+)\}/g;
/** Didit's routes take lower-case UUIDs only; upper case meets an HTML 404. */
const UUIDS = new Set(['sessionId', 'transactionId']);

/**
 * The path of an operation with its parameters filled in, percent-encoded.
 * @throws Error when a parameter is missing, which would be a defect.
 */
export function pathOf(operation: VendorOperation, params: Readonly<Record<string, string>> = {}): string {
  if (!operation.path.includes('{')) return operation.path;
  return operation.path.replace(PLACEHOLDER, (_, name: string) => {
    const value = params[name];
    if (value === undefined || value === '') throw new Error(`${operation.name} needs ${name}`);
    // Dots alone are unreserved, and `..` would climb out of the operation's path.
    if (value === '.' || value === '..') throw new Error(`${operation.name}: ${name} is not a name`);
    return encodeURIComponent(UUIDS.has(name) ? value.toLowerCase() : value);
  });
}
