import { createHmac } from 'node:crypto';
import { equalInConstantTime, type Secret } from '../../platform/index.js';
import { canonicalJson } from './canonical-json.js';
import { isObject, type JsonObject, parseJsonBytes } from './json.js';

/** How far the time of a webhook may be from ours, in seconds, either way. */
const FRESH_SECONDS = 300;

export interface WebhookHeaders {
  /** `X-Timestamp` */
  timestamp?: string | undefined;
  /** `X-Signature` */
  signature?: string | undefined;
  /** `X-Signature-V2` */
  signatureV2?: string | undefined;
  /** `X-Signature-Simple` */
  signatureSimple?: string | undefined;
}

export type Verdict =
  /** Somebody who holds a secret wrote this body lately: it may be acted upon. */
  | { kind: 'trusted'; scheme: 'raw' | 'v2'; secret: number; event: JsonObject; timestamp: number }
  /** Not enough to be believed, enough to ask the vendor for the truth about the session that it names. */
  | { kind: 'ask'; reason: 'simple-only' | 'stale' | 'timestamp-mismatch'; secret: number; event: JsonObject }
  | { kind: 'forged'; reason: 'unreadable' | 'unsigned' | 'no-match' };

/**
 * Judges a webhook by Didit's three signatures under one secret, or two while rotating. `raw` must be the untouched bytes. Never throws,
 * whatever the bytes are. `nowMs` is the clock's reading.
 */
export function judgeWebhook(raw: Buffer, headers: WebhookHeaders, secrets: readonly Secret[], nowMs: number): Verdict {
  const event = parseJsonBytes(raw);
  if (!isObject(event)) return { kind: 'forged', reason: 'unreadable' };
  const { signature, signatureV2, signatureSimple } = headers;
  if (signature === undefined && signatureV2 === undefined && signatureSimple === undefined)
    return { kind: 'forged', reason: 'unsigned' };
  const full = matching(secrets, signature, raw) ?? matchingV2(secrets, signatureV2, raw);
  if (full === undefined) {
    const secret = matching(secrets, signatureSimple, simpleMessage(event))?.secret;
    return secret === undefined
      ? { kind: 'forged', reason: 'no-match' }
      : { kind: 'ask', reason: 'simple-only', secret, event };
  }
  const { timestamp } = event;
  // The signatures cover the body's time and not the header's: unless both are the same, an old body could be sent with a fresh header.
  if (typeof timestamp !== 'number' || headerSeconds(headers.timestamp) !== timestamp)
    return { kind: 'ask', reason: 'timestamp-mismatch', secret: full.secret, event };
  if (Math.abs(nowMs / 1_000 - timestamp) > FRESH_SECONDS)
    return { kind: 'ask', reason: 'stale', secret: full.secret, event };
  return { kind: 'trusted', ...full, event, timestamp };
}

type Match = { scheme: 'raw' | 'v2'; secret: number };

function matching(secrets: readonly Secret[], given: string | undefined, message: Buffer | string): Match | undefined {
  if (given === undefined) return undefined;
  let secret: number | undefined;
  for (const [index, candidate] of secrets.entries()) {
    const expected = createHmac('sha256', candidate.reveal()).update(message).digest('hex');
    // Both secrets are always tried, so that the time taken does not tell which one is in use.
    if (equalInConstantTime(expected, given) && secret === undefined) secret = index;
  }
  return secret === undefined ? undefined : { scheme: 'raw', secret };
}

function matchingV2(secrets: readonly Secret[], given: string | undefined, raw: Buffer): Match | undefined {
  const message = given === undefined ? undefined : canonicalJson(raw);
  const match = message === undefined ? undefined : matching(secrets, given, message);
  return match === undefined ? undefined : { ...match, scheme: 'v2' };
}

/** What the deprecated signature covers; it says nothing of the decision. */
function simpleMessage(event: JsonObject): string {
  return ['timestamp', 'session_id', 'status', 'webhook_type'].map((name) => plainText(event[name])).join(':');
}

function plainText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function headerSeconds(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,12}$/.test(header) ? Number(header) : undefined;
}
