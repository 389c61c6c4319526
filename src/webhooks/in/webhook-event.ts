import { createHash } from 'node:crypto';
import { isUuid } from '../../platform/index.js';

/** What the gateway takes from a notification; the rest of it is the vendor's word, which is asked for instead. */
export interface WebhookEvent {
  /** What tells this event from another. */
  key: string;
  type: string;
  sessionId: string | undefined;
}

/** Didit's own types, and whatever may come after them; anything else is no name. */
const TYPE = /^[A-Za-z0-9_.-]{1,64}$/;
/** Longer ids are told by their digest, so that no sender chooses the width of a column. */
/** An id that any column takes; any other stands by its digest. */
const PLAIN_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * @param signed whether the whole body is covered by a signature. X-Signature-Simple covers four members only: with any other part in
 *   the key, one captured notification could be sent again as many different ones.
 */
export function webhookEvent(event: Readonly<Record<string, unknown>>, signed: boolean, digest: Buffer): WebhookEvent {
  const session = plain(event['session_id']).toLowerCase();
  return {
    key: keyOf(event, signed, digest),
    type: TYPE.test(plain(event['webhook_type'])) ? plain(event['webhook_type']) : 'unrecognised',
    sessionId: isUuid(session) ? session : undefined,
  };
}

function keyOf(event: Readonly<Record<string, unknown>>, signed: boolean, digest: Buffer): string {
  const id = plain(event['event_id']);
  if (signed && id !== '') return PLAIN_ID.test(id) ? `id:${id}` : `id-digest:${hashed([id])}`;
  const parts = ['session_id', 'webhook_type', 'timestamp', 'status'].map((name) => plain(event[name]));
  if (!signed) return `simple:${hashed(parts)}`;
  // Test payloads of the vendor's console bring no id.
  return parts[0] === '' ? `body:${digest.toString('hex')}` : `parts:${hashed(parts)}`;
}

function hashed(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function plain(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
