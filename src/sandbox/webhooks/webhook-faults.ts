import { z } from 'zod';
import type { Strike } from '../faults/lottery.js';
import type { JsonObject } from '../wire/json.js';
import type { SignedWebhook } from './signer.js';

export const webhookFaultKinds = ['drop', 'duplicate', 'reorder', 'delay', 'forge', 'stale', 'corrupt'] as const;
export type WebhookFaultKind = (typeof webhookFaultKinds)[number];

/**
 * `drop` is never sent · `duplicate` is sent twice · `reorder` waits for the next one to overtake it, `ms` at most (2 000) ·
 * `delay` leaves `ms` later (5 000) · `forge` is signed with another secret; with `simple`, X-Signature-Simple stays true ·
 * `stale` carries a time stamp of ten minutes ago, truly signed · `corrupt` has a byte of its body changed after signing.
 */
export const webhookFaultSchema = z.strictObject({
  kind: z.enum(webhookFaultKinds),
  ms: z.number().int().min(0).max(86_400_000).optional(),
  share: z.number().min(0).max(1).default(1),
  forMs: z.number().int().positive().optional(),
  simple: z.boolean().default(false),
});

export interface WebhookFault extends Strike {
  readonly kind: WebhookFaultKind;
  readonly ms: number | undefined;
  readonly simple: boolean;
}

const staleBySeconds = 600;

/** The webhook as it leaves, spoilt where the fault spoils the message itself. */
export const disturbed = (
  payload: JsonObject,
  sign: (payload: JsonObject, secret?: string) => SignedWebhook,
  fault: WebhookFault | undefined,
): SignedWebhook => {
  if (fault?.kind === 'stale') {
    return sign({ ...payload, timestamp: Number(payload['timestamp']) - staleBySeconds });
  }
  if (fault?.kind === 'forge') return forged(payload, sign, fault.simple);
  const signed = sign(payload);
  return fault?.kind === 'corrupt' ? { ...signed, body: corrupted(signed.body) } : signed;
};

const forged = (
  payload: JsonObject,
  sign: (payload: JsonObject, secret?: string) => SignedWebhook,
  simple: boolean,
): SignedWebhook => {
  const falsely = sign(payload, 'a secret that nobody shared');
  if (!simple) return falsely;
  return {
    ...falsely,
    headers: { ...falsely.headers, 'x-signature-simple': sign(payload).headers['x-signature-simple'] ?? '' },
  };
};

/** Still JSON, one letter off: what fails must be the signature. */
const corrupted = (body: Buffer): Buffer => {
  const copy = Buffer.from(body);
  const at = copy.indexOf('"status":"') + '"status":"'.length;
  copy[at] = (copy[at] ?? 0) ^ 0x20;
  return copy;
};
