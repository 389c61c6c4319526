import type { FastifyRequest } from 'fastify';

export type Listener = 'public' | 'admin';

/** Route classes of the corridor; the first three are audited. */
export type RouteClass = 'data' | 'webhook' | 'admin' | 'health' | 'metrics' | 'docs' | 'log';

/** A system of the entity that calls the gateway, as authenticated: rights are the intersection of its credentials' scopes. */
export interface ClientCaller {
  kind: 'client';
  /** Id of the client (UUID). */
  id: string;
  name: string;
  scopes: ReadonlySet<string>;
  keyId?: string;
  /** `jti` of the access token. */
  tokenId?: string;
}

/** A named person (or their tool) on the internal listener. */
export interface AdminCaller {
  kind: 'administrator';
  id: string;
  name: string;
  roles: ReadonlySet<string>;
  tokenId?: string;
}

export type Caller = ClientCaller | AdminCaller;

/** Millionths of the currency (ISO 4217). */
export interface VendorCost {
  micros: number;
  currency: string;
}

/** What the record says of the vendor's part in a call. */
export interface VendorPart {
  name: string;
  operation: string;
  /** HTTP status of the vendor's answer; 0 when none came. */
  status: number;
  attempt: number;
  rung: 'fresh' | 'cached' | 'queued' | 'manual' | 'none';
  durationUs: number;
  /** Set when an equal call that was already under way brought the answer, so that nothing was sent for this one. */
  collapsed?: true;
  /** What the vendor charges for the answer; absent where it charges nothing, or no price is set. */
  cost?: VendorCost;
}

export interface Decision {
  id: string;
  outcome: 'allow' | 'deny';
  rule: string;
  reason: string;
}

/**
 * One call on its way through the corridor: made when the request arrives, handed as first argument to every service, and turned into
 * the record when the answer leaves. Rights and transactions come from here and from arguments, never from hidden state.
 */
export interface Call {
  /** Also the id of the call's record: `Gatehouse-Record`. */
  readonly id: string;
  readonly at: Date;
  readonly startedNs: bigint;
  readonly listener: Listener;
  readonly method: string;
  /** Path without its query. */
  readonly path: string;
  readonly address: string;
  /** Whether the caller's own connection is encrypted, as told by a trusted proxy or by the socket. */
  readonly secure: boolean;
  readonly agent: string;
  readonly tls: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  /** As they came, credentials and all: for the record, which picks from them by name. */
  readonly requestHeaders?: Readonly<Record<string, string | string[] | undefined>>;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
  /** Until when it is to be answered, in `Clock.monotonicMs`: what the work waits for must end before. */
  readonly deadlineMs: number;
  routeClass: RouteClass;
  /** The route's template, or `unmatched`. */
  route: string;
  caller?: Caller;
  /** Which credential was tried, for the record of a refusal: a key's prefix or a token's id, never the credential. */
  credential?: string;
  decision: Decision;
  verification?: string;
  /** Pseudonym of the subject. */
  subject?: string;
  vendor?: VendorPart;
  /** Allow-listed facts by kind. */
  detail?: Record<string, string | number | boolean | null>;
  /** The body as it came, for digests, signatures and checks on the raw text; absent for streamed uploads. */
  rawBody?: Buffer;
  bytesIn: number;
  /** Set once the caller has proved who it is or the check was passed over for this class of routes. */
  anonymous: boolean;
  /** Set when the record was already committed with the change it tells, so that the way out does not write it again. */
  recorded: boolean;
  /** Set by room 6 when the answer is to be kept under the caller's Idempotency-Key. */
  idempotency?: {
    key: string;
    id: string;
    /** Whether an earlier call under it broke off, and this one goes on. */
    again: boolean;
  };
}

const CALL = Symbol('gatehouse.call');

type Carrier = { [CALL]?: Call };

export function attachCall(request: FastifyRequest, call: Call): void {
  (request.raw as Carrier)[CALL] = call;
}

/** The call of a request. @throws when the request never passed the entrance, which would be a defect. */
export function callOf(request: { raw: object }): Call {
  const call = (request.raw as Carrier)[CALL];
  if (!call) throw new Error('this request passed no entrance');
  return call;
}

/** The client that makes this call. @throws on a route whose class authenticates no client. */
export function clientOf(call: Call): ClientCaller {
  if (call.caller?.kind !== 'client') throw new Error('this route authenticates no client');
  return call.caller;
}

/** The administrator that makes this call. @throws on a route whose class authenticates none. */
export function administratorOf(call: Call): AdminCaller {
  if (call.caller?.kind !== 'administrator') throw new Error('this route authenticates no administrator');
  return call.caller;
}

/** Whether the client holds a right in this call. */
export function may(call: Pick<Call, 'caller'>, scope: string): boolean {
  return call.caller?.kind === 'client' && call.caller.scopes.has(scope);
}
