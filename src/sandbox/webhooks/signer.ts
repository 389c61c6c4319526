import { createHmac } from 'node:crypto';
import { scalarText, writeJson, type Json, type JsonObject } from '../wire/json.js';

export interface SignedWebhook {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A webhook as Didit puts it on the wire, with its three signatures: HMAC-SHA256, the key being the secret's text as UTF-8.
 * The body's `timestamp` (epoch seconds) is the header's too.
 */
export const signWebhook = (
  payload: JsonObject,
  secret: string,
  wireFloats: 'kept' | 'shortened' = 'kept',
): SignedWebhook => {
  const body = Buffer.from(writeJson(payload, { sorted: true, ascii: true, floats: wireFloats }), 'utf8');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'DiditWebhook/2.0 +https://didit.me',
      'x-timestamp': scalarText(payload['timestamp']),
      'x-signature': hmac(secret, body),
      'x-signature-v2': hmac(secret, canonicalText(payload)),
      'x-signature-simple': hmac(secret, simpleText(payload)),
    },
  };
};

/** What X-Signature-V2 covers: sorted keys, Unicode as it is, whole floats as integers, no prefix. */
export const canonicalText = (payload: Json): string =>
  writeJson(payload, { sorted: true, ascii: false, floats: 'shortened' });

/** What X-Signature-Simple covers: four members only, so the decision could be anything. */
export const simpleText = (payload: JsonObject): string =>
  ['timestamp', 'session_id', 'status', 'webhook_type'].map((key) => scalarText(payload[key])).join(':');

const hmac = (secret: string, message: string | Buffer): string =>
  createHmac('sha256', Buffer.from(secret, 'utf8')).update(message).digest('hex');
