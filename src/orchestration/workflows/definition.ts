import { z } from 'zod';
import { duration, ladderSchema, timer } from '../../platform/index.js';
import { conditionSchema, stepName } from './conditions.js';
import { sourceSchema } from './sources.js';
import { MEDIA_TYPES } from './step-operations.js';

const MOST_STEPS = 20;
const MOST_UPLOADS = 8;
const MOST_RULES = 20;

/** Far beyond what anybody waits for, and far from what is no instant any more once it is added to one. */
const wait = () => duration('1ms', '366d');

const upload = z.strictObject({
  mediaTypes: z
    .array(z.enum(MEDIA_TYPES))
    .min(1)
    .max(MEDIA_TYPES.length)
    .default(['image/jpeg', 'image/png', 'image/webp']),
  maxBytes: z.int().min(1_024).max(10_485_760).default(5_242_880),
  required: z.boolean().default(true),
});

const step = z.strictObject({
  name: stepName(),
  /** Of the vendor. */
  operation: z.string().min(1).max(64),
  /** Steps that must have ended; none: it begins with the run. Steps that do not wait for each other run side by side. */
  after: z.array(stepName()).max(MOST_STEPS).default([]),
  /** Holds, or the step is skipped; absent: it always runs. */
  when: conditionSchema.optional(),
  /** Members of the vendor's request by name. */
  input: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, { error: 'must be a member name' }), sourceSchema)
    .default({}),
  /** For one attempt. */
  timeout: timer().prefault('60s'),
  /** Attempts beside the first, after what was certainly not done; the rest doubles from `backoff` to `most`. */
  retry: z
    .strictObject({
      count: z.int().min(0).max(10).default(2),
      backoff: wait().prefault('1s'),
      most: wait().prefault('30s'),
    })
    .prefault({}),
  /** Whether it may be sent again after an unknown outcome although the vendor may then do and bill it twice. */
  repeat: z.boolean().default(false),
  /** In place of the workflow's. */
  fallback: ladderSchema().optional(),
});

export const OUTCOMES = ['approved', 'declined', 'in-review', 'as-vendor'] as const;

const rule = z.strictObject({
  when: conditionSchema.optional(),
  /** `as-vendor`: a hosted session is followed wherever the vendor leads it. */
  is: z.enum(OUTCOMES),
});

/** A workflow as it is written: which uploads it wants, its steps, and what makes the outcome (rules in order, the first that holds). */
export const definitionSchema = z.strictObject({
  title: z.string().min(1).max(200).optional(),
  uploads: z
    .record(stepName(), upload)
    .refine((uploads) => Object.keys(uploads).length <= MOST_UPLOADS, { error: `takes at most ${MOST_UPLOADS}` })
    .default({}),
  /** Time for all needed uploads to come. */
  uploadWithin: wait().prefault('24h'),
  /** For the whole run, from its start. */
  timeout: wait().prefault('1h'),
  fallback: ladderSchema().prefault(['manual']),
  steps: z.array(step).min(1).max(MOST_STEPS),
  outcome: z.array(rule).min(1).max(MOST_RULES),
});

export type Definition = z.output<typeof definitionSchema>;
/** As it is written and stored. */
export type WrittenDefinition = z.input<typeof definitionSchema>;
export type StepDefinition = Definition['steps'][number];
export type UploadDefinition = Definition['uploads'][string];
export type Outcome = Exclude<(typeof OUTCOMES)[number], 'as-vendor'>;

/** The step's own ladder, or the workflow's. */
export function ladderOf(definition: Definition, step: StepDefinition): readonly string[] {
  return step.fallback ?? definition.fallback;
}
