import { z } from 'zod';
import { duration, rate, size, timer } from './units.js';

/** The rungs below a fresh answer, from the best to the last; what stands on none of them is a standard error. */
export const LADDER = ['cached', 'queued', 'manual'] as const;

export type LadderRung = (typeof LADDER)[number];

/** Reads of a status or decision already made; one of several people could not be erased with one of them. */
const CACHEABLE = ['session.decision'];

const goesDown = (rungs: readonly LadderRung[]) =>
  rungs.every((rung, at) => at === 0 || LADDER.indexOf(rung) > LADDER.indexOf(rungs[at - 1] ?? rung));

/** A fallback ladder: rungs in their order, each once, any left out. */
export const ladderSchema = () =>
  z
    .array(z.enum(LADDER))
    .max(LADDER.length)
    .refine(goesDown, { error: `must go down the ladder ${LADDER.join(', ')}, each rung at most once` });

/** Of a workflow: it makes identity checks, and none of them is ever answered from a cache. */
export const workflowLadderSchema = () =>
  ladderSchema().refine((rungs) => !rungs.includes('cached'), {
    error: 'must not hold cached: a new identity check is never answered from a cache',
  });

/** Ladders of single operations: only a read can be answered from a cache, and nothing in the vendor's own format can be queued. */
export const operationLadders = () =>
  z
    .record(z.string().max(64), ladderSchema())
    .default({ 'session.decision': ['cached'] })
    .superRefine((ladders, context) => {
      for (const [operation, rungs] of Object.entries(ladders)) {
        if (rungs.length === 0) continue;
        if (!CACHEABLE.includes(operation))
          context.addIssue({
            code: 'custom',
            path: [operation],
            message: `has no ladder: of the vendor’s operations only ${CACHEABLE.join(', ')} asks for a decision already made`,
          });
        else if (rungs.some((rung) => rung !== 'cached'))
          context.addIssue({ code: 'custom', path: [operation], message: 'can hold cached only' });
      }
    })
    .meta({
      description:
        'Fallback ladder by vendor operation. `cached` answers a read from what the vendor last said while it is away; a check, a create or a change never is, and a start with such a ladder is refused.',
    });

export const vendorCache = z.strictObject({
  staleIfError: duration('1s').prefault('24h').meta({
    description:
      'How old a cached answer may be that stands in for a vendor in trouble, where the vendor’s own headers say nothing (RFC 5861 stale-if-error). Also how long it is kept.',
  }),
  maxEntries: z.int().min(1).max(1_000_000).default(10_000).meta({ description: 'Answers kept; the oldest go first.' }),
  maxBytes: size().prefault('64mb').meta({ description: 'Bytes of all answers kept; the oldest go first.' }),
  perEntryBytes: size().prefault('256kb').meta({ description: 'Largest answer that is kept.' }),
});

/** The vendor's own trouble, and after it what only the firm itself can mend. */
const FALLBACK_CODES = [
  'vendor-unavailable',
  'vendor-timeout',
  'vendor-error',
  'vendor-invalid-answer',
  'vendor-credentials',
  'vendor-credit',
] as const;

export const fallback = z.strictObject({
  on: z
    .array(z.enum(FALLBACK_CODES))
    .default(['vendor-unavailable', 'vendor-timeout', 'vendor-error', 'vendor-invalid-answer'])
    .meta({
      description:
        'Failures of the vendor at which a ladder is taken. Wrong credentials and want of credit are answered as errors unless they are named here: waiting does not mend them.',
    }),
  queueFor: duration('1s').prefault('24h').meta({
    description: 'How long a queued verification waits for the vendor before it goes to the next rung.',
  }),
  queuePerClient: z.int().min(1).max(1_000_000).default(2_000).meta({
    description: 'Verifications of one client that may wait in the queue; one more meets the next rung.',
  }),
  queueTotal: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000)
    .meta({ description: 'Verifications that may wait in the queue.' }),
  pace: rate().prefault('150/min').meta({
    description: 'How fast the queue is sent once the vendor is back: half of the vendor’s budget of writes.',
  }),
  reviewsTotal: z.int().min(1).max(1_000_000).default(10_000).meta({
    description: 'Verifications that may wait for a person after the vendor failed; one more meets a standard error.',
  }),
});

export const reconciliation = z.strictObject({
  after: duration('1s').prefault('10m').meta({
    description:
      'How long after the last look the sweep asks about an undecided verification; it doubles with every look in vain. Longer than the vendor repeats its webhooks.',
  }),
  atMost: duration('1s').prefault('6h').meta({ description: 'Longest time between two looks of the sweep.' }),
  every: timer('100ms').prefault('15s').meta({ description: 'Time between two rounds of the sweep.' }),
  perRound: z.int().min(1).max(1_000).default(15).meta({
    description: 'Sessions asked about in a round; with `every` it bounds the sweep’s share of the vendor’s budget.',
  }),
  window: duration('1m').prefault('24h').meta({ description: 'Time over which the completeness metrics are counted.' }),
});
