import { isUuid } from '../platform/index.js';
import { canonical, type CanonicalValue } from './canonical.js';

/** Every kind of record there is; `detail` of each holds facts of its own, allow-listed by whoever writes it. */
export type RecordKind =
  | 'call'
  | 'call.intent'
  | 'vendor.call'
  | 'vendor.intent'
  | 'vendor.breaker-opened'
  | 'vendor.breaker-closed'
  | 'verification.transition'
  | 'upload.kept'
  | 'webhook.received'
  | 'webhook.delivered'
  | 'webhook.not-delivered'
  | 'webhook.endpoint'
  | 'admin.act'
  | 'auth.failed.counted'
  | 'incident.act'
  | 'drill.proposed'
  | 'drill.approved'
  | 'drill.started'
  | 'drill.over'
  | 'drill.reported'
  | 'drill.signed'
  | 'gateway.started'
  | 'gateway.stopped'
  | 'gateway.refusals-journal'
  | 'gateway.alarm'
  | 'subject.erased'
  | 'log.key'
  | 'log.checkpoints'
  | 'log.checkpoint-refused'
  | 'log.origin'
  | 'log.anchored'
  | 'log.archived'
  | 'log.restored'
  | 'legal-hold.placed'
  | 'legal-hold.released'
  | 'call.outcome-unknown'
  | 'clock.measured'
  | 'clock.drift';

export interface HttpPart {
  method: string;
  /** Template of the route, never the path: a path can name a person. */
  route: string;
  status: number;
  requestHeaders?: Readonly<Record<string, string>> | undefined;
  responseHeaders?: Readonly<Record<string, string>> | undefined;
  address?: string | undefined;
  agent?: string | undefined;
  tls?: string | undefined;
  durationUs?: number | undefined;
  bytesIn?: number | undefined;
  bytesOut?: number | undefined;
  requestDigest?: string | undefined;
  responseDigest?: string | undefined;
}

interface DecisionPart {
  id: string;
  outcome: 'allow' | 'deny';
  rule: string;
  reason: string;
  policyVersion?: string | undefined;
}

interface VendorCallPart {
  name: string;
  operation: string;
  /** 0 when no answer came. */
  status?: number | undefined;
  attempt?: number | undefined;
  rung?: string | undefined;
  durationUs?: number | undefined;
  /** Set when an equal call under way brought the answer. */
  collapsed?: true | undefined;
  /** Millionths of the currency. */
  cost?: { micros: number; currency: string } | undefined;
}

/** A record as its writer gives it: what happened, without personal data; version, origin and instance are filled in. */
export interface RecordInput {
  /** UUIDv7 of the writer, so that a commit of unknown outcome can be asked for and repeated. */
  id: string;
  /** ISO 8601 UTC with milliseconds. */
  at: string;
  kind: RecordKind;
  /** Id of the call that it belongs to. */
  call?: string | undefined;
  trace?: string | undefined;
  client?: string | undefined;
  /** Key id or token id, never a credential. */
  credential?: string | undefined;
  actor?: string | undefined;
  verification?: string | undefined;
  /** Pseudonym. */
  subject?: string | undefined;
  http?: HttpPart | undefined;
  decision?: DecisionPart | undefined;
  vendor?: VendorCallPart | undefined;
  detail?: { readonly [name: string]: CanonicalValue | undefined } | undefined;
}

/** What the log adds to every record. */
export interface RecordFrame {
  origin: string;
  instance: string;
}

/** A record as it is stored: `RecordInput` with its frame. */
export interface StoredRecord extends RecordInput {
  v: 1;
  origin: string;
  instance: string;
}

/** Under 64 KiB: the bound that the database holds as well. */
export const MOST_RECORD_BYTES = 65_535;

/** Longest texts, in UTF-16 units; those of searched members are the bounds of their columns. */
const MOST = { id: 64, name: 256, reason: 1024, agent: 512, header: 1024 } as const;

/**
 * The bytes that are hashed and stored: canonical JSON in UTF-8. Texts longer than their bound are cut; when the whole is still too
 * large, `detail` gives way first to shorter texts and then to a mark, since a record too large to be written would be a call nobody may answer.
 * @throws TypeError on an id, instant or value that no record can have.
 */
export function recordBytes(input: RecordInput, frame: RecordFrame): Buffer {
  if (!isUuid(input.id)) throw new TypeError('the id of a record is a UUID in lower case');
  if (!isInstant(input.at)) throw new TypeError('the instant of a record is ISO 8601 in UTC with milliseconds');
  const record = bounded(input, frame);
  const bytes = Buffer.from(canonical(record));
  if (bytes.length <= MOST_RECORD_BYTES) return bytes;
  for (const longest of [512, 64]) {
    const shorter = Buffer.from(canonical({ ...record, detail: cut(record.detail, longest) }));
    if (shorter.length <= MOST_RECORD_BYTES) return shorter;
  }
  return Buffer.from(canonical({ ...record, http: withoutHeaders(record.http), detail: { truncated: true } }));
}

let lastInstant = '';

/** Many records are of the same millisecond. */
function isInstant(text: string): boolean {
  if (text === lastInstant) return true;
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== text) return false;
  lastInstant = text;
  return true;
}

/** In canonical order, so that nothing is left to sort. */
function bounded(input: RecordInput, frame: RecordFrame): StoredRecord {
  return {
    actor: short(input.actor, MOST.name),
    at: input.at,
    call: short(input.call, MOST.id),
    client: short(input.client, MOST.name),
    credential: short(input.credential, MOST.name),
    decision: input.decision && boundedDecision(input.decision),
    detail: input.detail,
    http: input.http && boundedHttp(input.http),
    id: input.id,
    instance: frame.instance,
    kind: input.kind,
    origin: frame.origin,
    subject: short(input.subject, MOST.name),
    trace: short(input.trace, MOST.id),
    v: 1,
    vendor: input.vendor && boundedVendor(input.vendor),
    verification: short(input.verification, MOST.id),
  };
}

function boundedDecision(decision: DecisionPart): DecisionPart {
  return {
    id: short(decision.id, MOST.id),
    outcome: decision.outcome,
    policyVersion: short(decision.policyVersion, MOST.id),
    reason: short(decision.reason, MOST.reason),
    rule: short(decision.rule, MOST.name),
  };
}

function boundedHttp(http: HttpPart): HttpPart {
  return {
    address: short(http.address, MOST.id),
    agent: short(http.agent, MOST.agent),
    bytesIn: http.bytesIn,
    bytesOut: http.bytesOut,
    durationUs: http.durationUs,
    method: short(http.method, MOST.id),
    requestDigest: http.requestDigest,
    requestHeaders: boundedHeaders(http.requestHeaders),
    responseDigest: http.responseDigest,
    responseHeaders: boundedHeaders(http.responseHeaders),
    route: short(http.route, MOST.name),
    status: http.status,
    tls: short(http.tls, MOST.id),
  };
}

function boundedVendor(vendor: VendorCallPart): VendorCallPart {
  return {
    attempt: vendor.attempt,
    collapsed: vendor.collapsed,
    cost: vendor.cost && { currency: short(vendor.cost.currency, MOST.id), micros: vendor.cost.micros },
    durationUs: vendor.durationUs,
    name: short(vendor.name, MOST.name),
    operation: short(vendor.operation, MOST.name),
    rung: short(vendor.rung, MOST.id),
    status: vendor.status,
  };
}

function boundedHeaders(headers: HttpPart['requestHeaders']): HttpPart['requestHeaders'] {
  if (headers === undefined) return undefined;
  for (const name in headers) {
    if ((headers[name]?.length ?? 0) > MOST.header)
      return Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, short(value, MOST.header)]));
  }
  return headers;
}

function withoutHeaders(http: HttpPart | undefined): HttpPart | undefined {
  return http && { ...http, requestHeaders: undefined, responseHeaders: undefined };
}

function short<T extends string | undefined>(text: T, most: number): T {
  return (text !== undefined && text.length > most ? text.slice(0, most) : text) as T;
}

function cut<T>(value: T, longest: number): T {
  if (typeof value === 'string') return short(value, longest) as T;
  if (Array.isArray(value)) return value.slice(0, longest).map((item: unknown) => cut(item, longest)) as T;
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).slice(0, longest);
  return Object.fromEntries(members.map(([name, item]) => [short(name, longest), cut(item as unknown, longest)])) as T;
}
