import type { HttpFault } from '../faults.js';

/** An answer in place of the vendor's, or of what its fault made of it. */
export interface SpoiltAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const HTML_TYPE = { 'content-type': 'text/html' };

/** What the gateway gets in place of the vendor's answer; undefined where the true one passes, whole or cut. */
export function inPlace(fault: HttpFault): SpoiltAnswer | undefined {
  switch (fault.kind) {
    case 'errors':
      return { status: fault.status, headers: HTML_TYPE, body: '<html><body><h1>Server Error</h1></body></html>' };
    case 'malformed':
      return {
        status: 200,
        headers: JSON_TYPE,
        body: '{"session_id": "11111111-2222-3333-4444-555555555555", "status": Appro,',
      };
    case 'wrong-schema':
      return {
        status: 200,
        headers: JSON_TYPE,
        body: '{"data":{"id":17,"state":["DONE"]},"version":"v9","status":12}',
      };
    case 'rate-limited':
      return {
        status: 429,
        headers: { ...JSON_TYPE, 'retry-after': String(fault.retryAfterSeconds), 'x-ratelimit-remaining': '0' },
        body: '{"detail":"Request was throttled."}',
      };
    case 'wrong-credentials':
      return { status: 401, headers: JSON_TYPE, body: '{"detail":"Authentication credentials were not provided."}' };
    default:
      return undefined;
  }
}

/** Whether the vendor does its work before the fault strikes. */
export function worksFirst(fault: HttpFault): boolean {
  if (fault.kind === 'errors' || fault.kind === 'slow') return fault.afterWork;
  return fault.kind === 'malformed' || fault.kind === 'wrong-schema' || fault.kind === 'truncated';
}
