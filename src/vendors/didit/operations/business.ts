import { MB, read, type VendorOperation, write } from './operation.js';

const reads = {
  ...read,
  scopes: ['didit:business:read'],
  query: [],
  maxUploadBytes: 0,
  maxAnswerBytes: 8 * MB,
} as const;
const writes = { ...write, scopes: ['didit:business:write'], maxAnswerBytes: 8 * MB } as const;
const businesses = { module: 'businesses' } as const;

/** Companies: the registries, and Didit's own file of the businesses that it was told of. */
export const BUSINESS_OPERATIONS = {
  // Changes nothing and is a POST: what stands in it is not for an address.
  'kyb.search': {
    ...writes,
    name: 'kyb.search',
    method: 'POST',
    path: '/v3/kyb/search/',
    timeout: 'registry',
    module: 'registry-check',
    scopes: ['didit:business:read'],
  },
  'kyb.select': {
    ...writes,
    name: 'kyb.select',
    method: 'POST',
    path: '/v3/kyb/select/',
    timeout: 'registry',
    module: 'registry-check',
    billed: true,
  },
  'business.create': {
    ...writes,
    ...businesses,
    name: 'business.create',
    method: 'POST',
    path: '/v3/businesses/create/',
  },
  'business.list': {
    ...reads,
    ...businesses,
    name: 'business.list',
    path: '/v3/businesses/',
    query: ['limit', 'offset'],
  },
  'business.get': { ...reads, ...businesses, name: 'business.get', path: '/v3/businesses/{vendorData}/' },
  // The same members again leave the same business behind.
  'business.update': {
    ...writes,
    ...businesses,
    name: 'business.update',
    method: 'PATCH',
    path: '/v3/businesses/{vendorData}/',
    repeatable: true,
  },
  'business.update-status': {
    ...writes,
    ...businesses,
    name: 'business.update-status',
    method: 'PATCH',
    path: '/v3/businesses/{vendorData}/update-status/',
    repeatable: true,
  },
} as const satisfies Record<string, VendorOperation>;
