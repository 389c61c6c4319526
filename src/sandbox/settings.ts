import { z } from 'zod';

const limit = z.number().int().positive();

/** What the sandbox is told at its start: one JSON file. Times are milliseconds. */
export const sandboxSettingsSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  port: z.number().int().min(0).max(65535),
  /** Origin under which others reach it, where that is not `https://host:port`. */
  url: z.url().optional(),
  tls: z.strictObject({ certFile: z.string(), keyFile: z.string(), caFile: z.string() }),
  apiKey: z.string().min(1),
  workflowId: z.guid().toLowerCase(),
  webhookSecret: z.string().min(1),
  webhookUrl: z.url().nullable().default(null),
  stateFile: z.string().optional(),
  environment: z.enum(['sandbox', 'live']).default('sandbox'),
  sessionLifetimeMs: limit.default(7 * 24 * 3_600_000),
  /** Requests in a sliding minute of one identifier; `off` for load tests that measure something else. */
  rateLimits: z
    .union([
      z.literal('off'),
      z.strictObject({
        reads: limit.default(600),
        writes: limit.default(300),
        creates: limit.default(600),
        pdfs: limit.default(50),
        ingests: limit.default(600),
      }),
    ])
    .prefault({}),
  /** Where Didit's documents contradict each other, or changed in 2026: the defaults are those of November 2026. */
  behaviour: z
    .strictObject({
      wrongKeyStatus: z.union([z.literal(401), z.literal(403)]).default(401),
      deleteStatus: z.union([z.literal(200), z.literal(204)]).default(200),
      wireFloats: z.enum(['kept', 'shortened']).default('kept'),
      eventId: z.enum(['stable', 'per-attempt']).default('stable'),
      retryTimestamp: z.enum(['kept', 'fresh']).default('kept'),
    })
    .prefault({}),
  webhooks: z
    .strictObject({
      timeoutMs: limit.default(5_000),
      /** Each counted from the attempt before it. */
      retryDelaysMs: z.array(limit).max(10).default([60_000, 240_000]),
      concurrency: limit.default(64),
      /** Deliveries waiting for their turn; one more drops the newest. */
      pending: limit.default(50_000),
      /** Deliveries remembered for `GET /_sandbox/webhooks`. */
      kept: limit.default(10_000),
    })
    .prefault({}),
  keep: z.strictObject({ sessions: limit.default(50_000), ledger: limit.default(100_000) }).prefault({}),
});

/** As written in the file. */
export type SandboxSettings = z.input<typeof sandboxSettingsSchema>;
/** With every default filled in. */
export type Settings = z.output<typeof sandboxSettingsSchema>;

/** Throws an error that names each wrong setting and tells no value. */
export const readSettings = (input: unknown): Settings => {
  const parsed = sandboxSettingsSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'settings'}: ${issue.message}`);
  throw new Error(`sandbox settings: ${problems.join('; ')}`);
};
