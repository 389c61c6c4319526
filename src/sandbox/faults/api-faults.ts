import { z } from 'zod';
import type { Strike } from './lottery.js';

export const apiFaultKinds = [
  'down',
  'refuse',
  'slow',
  'stall',
  'reset',
  'error',
  'malformed',
  'truncated',
  'wrong-schema',
  'rate-limited',
  'bad-credentials',
  'no-credit',
] as const;
export type ApiFaultKind = (typeof apiFaultKinds)[number];

/** These spoil an answer, so there must be one: by default the work is done first. */
const spoiling: readonly ApiFaultKind[] = ['malformed', 'truncated', 'wrong-schema'];

/**
 * How the API misbehaves.
 *
 * | kind | the caller sees |
 * |---|---|
 * | `down` | 503 and a page of HTML |
 * | `refuse` | the connection closed at once, no byte |
 * | `slow` | the true answer, `ms` (1 000) late |
 * | `stall` | nothing, or with `part: body` half an answer, until `ms` has passed and the connection closes (never, without `ms`) |
 * | `reset` | the connection reset (RST) |
 * | `error` | `status` (500) without JSON |
 * | `malformed` | 200 and a body that is no JSON |
 * | `truncated` | 200, half of the body that Content-Length promises, then the connection closed |
 * | `wrong-schema` | 200 and JSON of another shape |
 * | `rate-limited` | 429 with its headers; `ms` tells Retry-After (30 s) |
 * | `bad-credentials` | as with a wrong API key |
 * | `no-credit` | the operation's own form of a credit shortage |
 *
 * `when: before` strikes before the work, so nothing has happened at the vendor; `after` lets the work happen and then the
 * answer is lost or spoilt: the caller cannot know. `before` is the default, but `after` for the three kinds that spoil an answer.
 */
export const apiFaultSchema = z.strictObject({
  kind: z.enum(apiFaultKinds),
  ms: z.number().int().min(0).max(86_400_000).optional(),
  status: z.number().int().min(400).max(599).optional(),
  share: z.number().min(0).max(1).default(1),
  operations: z.array(z.string()).max(50).optional(),
  forMs: z.number().int().positive().optional(),
  when: z.enum(['before', 'after']).optional(),
  part: z.enum(['headers', 'body']).default('headers'),
});

export interface ApiFault extends Strike {
  readonly kind: ApiFaultKind;
  readonly ms: number | undefined;
  readonly status: number | undefined;
  /** Every operation, where there is none. */
  readonly operations: readonly string[] | undefined;
  readonly when: 'before' | 'after';
  readonly part: 'headers' | 'body';
}

export const sideOf = (fault: z.output<typeof apiFaultSchema>): 'before' | 'after' =>
  fault.when ?? (spoiling.includes(fault.kind) || fault.part === 'body' ? 'after' : 'before');
