import { z } from 'zod';
import { operationName, vendorFaultSchema } from './faults.js';
import { DRILL_STATES } from './transitions.js';

const MOST_FAULTS = 8;
const MOST_GUARDS = 5;
const HOUR_MS = 3_600_000;

/** PostgreSQL stores no NUL in a text. */
const text = (most: number) =>
  z
    .string()
    .regex(/\S/, 'must not be blank')
    .max(most)
    .refine((value) => !value.includes('\u0000'), { error: 'must hold no NUL' });

const timed = z.strictObject({
  fault: vendorFaultSchema,
  fromMs: z.int().min(0).max(HOUR_MS).default(0),
  forMs: z.int().min(1).max(HOUR_MS).optional(),
});

/** What is watched while a drill runs, over a sliding window of seconds; one look a second. */
export const guardSchema = z
  .strictObject({
    metric: z.enum(['outside-error-ratio', 'outside-p99-ms', 'vendor-failures']),
    above: z.number().min(0).max(1_000_000),
    windowSeconds: z.int().min(1).max(60).default(10),
    /** Calls in the window below which nothing is concluded. */
    fewestCalls: z.int().min(1).max(10_000).default(10),
  })
  .refine(({ metric, above }) => metric !== 'outside-error-ratio' || above <= 1, {
    error: 'must be at most 1: a ratio',
    path: ['above'],
  });

export type Guard = z.output<typeof guardSchema>;

/** Calls that the drill means to leave alone must not suffer from it: this one always watches. */
export const ALWAYS_GUARD: Guard = { metric: 'outside-error-ratio', above: 0.5, windowSeconds: 10, fewestCalls: 10 };

const scopeSchema = z.strictObject({
  /** Ids of clients; without them the calls of all. */
  clients: z.array(z.uuid()).min(1).max(50).optional(),
  operations: z.array(operationName()).min(1).max(50).optional(),
  share: z.number().gt(0).max(1).default(1),
});

export const planSchema = z.strictObject({
  faults: z.array(timed).min(1).max(MOST_FAULTS),
  scope: scopeSchema.prefault({}),
  durationMs: z
    .int()
    .min(100)
    .max(24 * HOUR_MS),
  mostCalls: z.int().min(1).max(1_000_000).optional(),
  guards: z.array(guardSchema).max(MOST_GUARDS).default([]),
});

/** What a drill in the running gateway does: faults between it and the vendor, for whom, how long, and what stops it. */
export type Plan = z.output<typeof planSchema>;

export const proposalSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be a name such as vendor-down'),
  purpose: text(2_000),
  plan: planSchema,
});

export type Proposal = z.output<typeof proposalSchema>;

export const signSchema = z.strictObject({
  /** SHA-256 of the report that was read, in hex: nobody signs what was changed under their eyes. */
  digest: z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the report in hex'),
  verdict: z.enum(['accepted', 'rejected']),
  remark: text(2_000).optional(),
});
export type SignBody = z.output<typeof signSchema>;

export const listSchema = z.strictObject({
  state: z.enum(DRILL_STATES).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(64).optional(),
});
export type DrillListQuery = z.output<typeof listSchema>;

export const reportQuerySchema = z.strictObject({ format: z.enum(['json', 'html']).default('json') });
