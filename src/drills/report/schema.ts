import { z } from 'zod';

const count = () => z.int().min(0);
const instant = () => z.iso.datetime({ offset: true });
const text = (most: number) => z.string().max(most);
const figures = () => z.record(text(64), count());
const milliseconds = () => count().nullable();

/**
 * The report of a drill: what was done to which system, what was expected, what was measured, and whether the two agree. It is what the
 * testing programme keeps (Regulation (EU) 2022/2554 Articles 11(6), 24 and 25); a person who did not run the drill signs it.
 */
export const reportSchema = z.strictObject({
  v: z.literal(1),
  scenario: z.strictObject({
    name: text(64),
    purpose: text(2_000),
    /** Of Regulation (EU) 2022/2554. */
    articles: z.array(text(32)).max(20),
    /** SHA-256 of the scenario's file, hex; null where the drill had none. */
    digest: text(64).nullable(),
  }),
  /** `own`: a system that was started for it; `running`: the one that people work with. */
  place: z.enum(['own', 'running']),
  software: z.strictObject({ gatehouse: text(64), node: text(64) }),
  startedAt: instant(),
  endedAt: instant(),
  faults: z
    .array(
      z.strictObject({
        at: text(32),
        kind: text(32),
        fromMs: count(),
        /** Null: until the end. */
        forMs: count().nullable(),
        settings: z.record(text(64), z.json()),
      }),
    )
    .max(20),
  /** What was asked of the system, at instants that did not depend on its answers; null when only the traffic of the day was there. */
  load: z
    .strictObject({
      perSecond: z.number(),
      seconds: z.number(),
      deadlineMs: count(),
      sent: figures(),
      answered: count(),
    })
    .nullable(),
  measured: z.strictObject({
    latestAnswerMs: milliseconds(),
    timeToDetectMs: milliseconds(),
    detectedBy: text(128).nullable(),
    timeToFallBackMs: milliseconds(),
    fellBackTo: text(64).nullable(),
    timeToRecoverMs: milliseconds(),
    /** Verifications that were answered as made and are not there, or never reached the vendor. */
    lost: count().nullable(),
    /** Verifications for which the vendor did its work more than once. */
    doubled: count().nullable(),
    /** From the beginning of the first fault at the vendor until a breaker opened. */
    breakerOpenedMs: milliseconds(),
    /** Attempts that met a fault at the vendor while their own operation's breaker or the whole vendor's was not closed. */
    attemptsWhileOpen: count().nullable(),
    /** Attempts before the time that the vendor's 429 had named. */
    earlyAttempts: count().nullable(),
    calls: figures(),
  }),
  answers: z.strictObject({ byCode: figures(), byRung: figures() }),
  expectations: z
    .array(z.strictObject({ what: text(200), expected: text(200), measured: text(200), met: z.boolean() }))
    .max(40),
  /** Second by second. */
  timeline: z
    .array(
      z.strictObject({
        second: count(),
        fresh: count(),
        fallback: count(),
        refused: count(),
        failed: count(),
        slowestMs: count(),
      }),
    )
    .max(3_600),
  events: z.array(z.strictObject({ atMs: z.int(), what: text(200) })).max(200),
  passed: z.boolean(),
});

export type DrillReport = z.output<typeof reportSchema>;
