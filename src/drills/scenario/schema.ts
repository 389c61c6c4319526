import { z } from 'zod';
import { duration } from '../../platform/index.js';
import { networkFaultSchema, operationName, vendorFaultSchema } from '../faults.js';

const MOST_FAULTS = 8;
const MOST_PER_SECOND = 200;

const when = {
  from: duration('0s').prefault('0s'),
  /** Unset: until the end of the load. */
  for: duration().optional(),
};

/** How the vendor's notifications misbehave; the sandbox does it. */
const webhookFaultSchema = z.strictObject({
  kind: z.enum(['drop', 'duplicate', 'reorder', 'delay', 'forge', 'stale', 'corrupt']),
  ms: z.int().min(0).max(600_000).optional(),
  share: z.number().gt(0).max(1).default(1),
  simple: z.boolean().optional(),
});

const faultSchema = z.discriminatedUnion('at', [
  z.strictObject({
    ...when,
    at: z.literal('vendor'),
    fault: vendorFaultSchema,
    /** HTTP faults only. */
    operations: z.array(operationName()).min(1).optional(),
    /** HTTP faults only. */
    share: z.number().gt(0).max(1).optional(),
  }),
  z.strictObject({ ...when, at: z.literal('webhooks'), fault: webhookFaultSchema }),
  z.strictObject({
    ...when,
    at: z.literal('postgres'),
    /** `full`: no byte more goes on its disk. */
    fault: z.discriminatedUnion('kind', [...networkFaultSchema.options, z.strictObject({ kind: z.literal('full') })]),
  }),
  z.strictObject({ ...when, at: z.literal('valkey'), fault: networkFaultSchema }),
  z.strictObject({ ...when, at: z.literal('instance'), fault: z.strictObject({ kind: z.literal('kill') }) }),
  z.strictObject({
    ...when,
    at: z.literal('clock'),
    fault: z.strictObject({
      kind: z.literal('jump'),
      /** Forwards, or with a minus back. */
      seconds: z.int().min(-86_400).max(86_400),
    }),
  }),
]);

export type ScenarioFault = z.output<typeof faultSchema>;

const code = () => z.int().min(200).max(599);

const expectSchema = z.strictObject({
  /** How much later than its deadline the latest answer may be. */
  lateBy: duration().prefault('250ms'),
  lost: z.int().min(0).default(0),
  doubled: z.int().min(0).default(0),
  /** From the end of the last fault until every answer is a fresh one. */
  recoveredWithin: duration().prefault('10s'),
  detectedWithin: duration().optional(),
  fellBackWithin: duration().optional(),
  /** From the beginning of the first fault at the vendor until a breaker opens. */
  breakerOpensWithin: duration().optional(),
  /** Attempts at the vendor before the time that its 429 had named. */
  earlyAttempts: z.int().min(0).optional(),
  /** After the end of the load, until whatever was finished at the vendor is decided here. */
  decidedWithin: duration().optional(),
  /** Status codes that may be answered at all. */
  codes: z.array(code()).min(1).optional(),
});

/**
 * A scenario: faults, a load whose calls leave at fixed instants whatever the answers (open loop: a slow system is not spared), and what
 * must hold. One YAML file each.
 */
export const scenarioSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'must be a name such as vendor-down'),
    purpose: z.string().regex(/\S/, 'must not be blank').max(2_000),
    /** Of Regulation (EU) 2022/2554. */
    articles: z
      .array(z.string().regex(/^\d{1,2}(\(\d{1,2}\))*(\([a-z]\))?$/, 'must be an article such as 11(6)'))
      .min(1)
      .max(20),
    system: z
      .strictObject({
        instances: z.int().min(1).max(3).default(1),
        /** Goes over the runner's own gatehouse.yaml. */
        settings: z.record(z.string(), z.json()).default({}),
      })
      .prefault({}),
    faults: z.array(faultSchema).min(1).max(MOST_FAULTS),
    load: z.strictObject({
      perSecond: z.number().gt(0).max(MOST_PER_SECOND),
      for: duration(),
      deadline: duration(),
      /** Parts, in any numbers. `finishes`: persons who come to the end of the vendor's page. */
      mix: z
        .strictObject({
          creates: z.int().min(0).max(100).default(0),
          reads: z.int().min(0).max(100).default(0),
          dropInReads: z.int().min(0).max(100).default(0),
          finishes: z.int().min(0).max(100).default(0),
        })
        .refine((mix) => Object.values(mix).some((part) => part > 0), { error: 'must hold one part above zero' }),
    }),
    expect: expectSchema.prefault({}),
  })
  .superRefine(({ faults, load, system }, context) => {
    for (const [at, one] of faults.entries()) {
      const refuse = (path: PropertyKey[], message: string): void =>
        context.addIssue({ code: 'custom', path: ['faults', at, ...path], message });
      if (one.from >= load.for) refuse(['from'], 'must lie within the load');
      if (one.at === 'vendor' && one.fault.kind === 'dns-failure')
        refuse(['fault', 'kind'], 'needs a drill in the running gateway: the vendor’s name is looked up there');
      if (one.at !== 'vendor' && one.at !== 'webhooks' && ['tls-expired', 'dns-failure'].includes(one.fault.kind))
        refuse(['fault', 'kind'], `is for the vendor, not for ${one.at}`);
      if (one.at === 'instance' && system.instances < 2)
        refuse(['at'], 'needs system.instances of 2 or more: somebody must go on');
    }
  });

export type Scenario = z.output<typeof scenarioSchema>;
