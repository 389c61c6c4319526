import { MB, read, type VendorOperation, write } from './operation.js';

const transactions = { module: 'transactions', maxAnswerBytes: 8 * MB } as const;
const reads = { ...read, ...transactions, scopes: ['didit:transactions:read'], query: [], maxUploadBytes: 0 } as const;

/** Monitoring of payments. What a repeat of a `transaction_id` does is told in two ways by Didit, so that none is repeated here. */
export const TRANSACTION_OPERATIONS = {
  'transaction.create': {
    ...write,
    ...transactions,
    name: 'transaction.create',
    method: 'POST',
    path: '/v3/transactions/',
    timeout: 'screening',
    billed: true,
    scopes: ['didit:transactions:write'],
  },
  'transaction.list': {
    ...reads,
    name: 'transaction.list',
    path: '/v3/transactions/',
    query: ['limit', 'offset'],
  },
  'transaction.get': { ...reads, name: 'transaction.get', path: '/v3/transactions/{transactionId}/' },
} as const satisfies Record<string, VendorOperation>;
