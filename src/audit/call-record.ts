import type { Answer, Call } from '../platform/index.js';
import type { BodyDigests } from './body-digest.js';
import { pickHeaders, REQUEST_HEADERS, RESPONSE_HEADERS } from './header-names.js';
import type { HttpPart, RecordInput } from './record.js';

export interface CallEnd {
  answer: Answer;
  durationUs: number;
  policyVersion: string;
  digests: BodyDigests;
}

/** The record of a call that is about to be answered. Names of people, paths and bodies stay out: ids, the route's template, digests. */
export function callRecord(call: Call, end: CallEnd): RecordInput {
  const client = call.caller?.kind === 'client' ? call.caller : undefined;
  const administrator = call.caller?.kind === 'administrator' ? call.caller : undefined;
  const keyId = client?.keyId;
  const tokenId = call.caller?.tokenId;
  return {
    id: call.id,
    at: call.at.toISOString(),
    kind: 'call',
    trace: call.traceId,
    client: client?.id,
    credential: keyId ?? tokenId ?? call.credential,
    actor: administrator?.id,
    verification: call.verification,
    subject: call.subject,
    http: httpPart(call, end),
    decision: { ...call.decision, policyVersion: end.policyVersion },
    vendor: call.vendor,
    // With two factors the key stands above and the token here.
    detail: keyId === undefined || tokenId === undefined ? call.detail : { ...call.detail, tokenId },
  };
}

function httpPart(call: Call, { answer, digests, durationUs }: CallEnd): HttpPart {
  return {
    address: call.address,
    agent: call.agent,
    bytesIn: call.bytesIn,
    bytesOut: answer.bytesOut,
    durationUs,
    method: call.method,
    requestDigest: digests.of('request', call.rawBody),
    requestHeaders: pickHeaders(REQUEST_HEADERS, call.requestHeaders),
    responseDigest: digests.of('response', answer.body),
    responseHeaders: pickHeaders(RESPONSE_HEADERS, answer.headers),
    route: call.route,
    status: answer.status,
    tls: call.tls,
  };
}
