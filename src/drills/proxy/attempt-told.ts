/** By which a request is known from the gateway's HTTP client to the proxy, and no further. */
export const ATTEMPT_HEADER = 'gatehouse-drill-attempt';

/** What a gateway under a drill tells of its HTTP client; instants since the epoch. */
export type AttemptTold =
  { id: string; leftMs: number; method: string; path: string } | { id: string; answeredMs: number };
