import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { ENTITY_TYPES } from './entity-types.js';
import {
  count,
  dataImpacts,
  decimal,
  flag,
  instant,
  memberState,
  memberStates,
  refuseAboveBase,
} from './fact-fields.js';

/** Bounds of what one request may carry; each is far above any real case. */
const MAX_HOLIDAYS = 400;
const MAX_INCIDENTS = 500;
const MAX_NAME = 200;
const MAX_TEXT = 2000;

/** The entity that reports: its home Member State and its type in the words of the report template. */
export const entitySchema = z.strictObject({
  home: memberState,
  type: z.enum(ENTITY_TYPES, 'must be a type of financial entity of field 1.4 of the report template'),
});
export type Entity = z.infer<typeof entitySchema>;

/** Every value may be absent or null: unknown is not zero. */
const factMembers = {
  ictRelatedIncident: flag.nullish(),
  critical: z
    .strictObject({ cif: flag.nullish(), authorisedService: flag.nullish(), maliciousAccess: flag.nullish() })
    .nullish(),
  clients: z
    .strictObject({ affected: count.nullish(), usingService: count.nullish(), relevantAffected: flag.nullish() })
    .superRefine((clients, context) => {
      refuseAboveBase(clients.affected, clients.usingService, context);
    })
    .nullish(),
  counterparts: z
    .strictObject({ affected: count.nullish(), total: count.nullish(), relevantAffected: flag.nullish() })
    .superRefine((counterparts, context) => {
      refuseAboveBase(counterparts.affected, counterparts.total, context);
    })
    .nullish(),
  transactions: z
    .strictObject({
      affected: count.nullish(),
      dailyAvgNumber: count.nullish(),
      affectedValue: decimal.nullish(),
      dailyAvgValue: decimal.nullish(),
    })
    .nullish(),
  reputation: z
    .strictObject({
      media: flag.nullish(),
      repetitiveComplaints: flag.nullish(),
      regulatory: flag.nullish(),
      lossOfClientsMaterial: flag.nullish(),
    })
    .nullish(),
  time: z
    .strictObject({ durationS: count.nullish(), downtimeS: count.nullish(), supportsCif: flag.nullish() })
    .nullish(),
  data: z
    .strictObject({
      impact: dataImpacts.nullish(),
      adverse: flag.nullish(),
      maliciousAccess: flag.nullish(),
      mayLoseData: flag.nullish(),
    })
    .nullish(),
  memberStates: memberStates.nullish(),
  costEur: decimal.nullish(),
};

/** The facts of an incident: everything but the entity may be absent or null, which means unknown. */
export const factsSchema = z.strictObject({ ...factMembers, entity: entitySchema });
export type Facts = z.infer<typeof factsSchema>;

/** How the two open points of the law are read; the first of each pair is the default. */
export const readingsSchema = z.strictObject({
  geoRule: z.enum(['home_counts', 'others_only']).nullish(),
  nine5b: z.enum(['purposive', 'literal']).nullish(),
});
export type ReadingsInput = z.infer<typeof readingsSchema>;

/** Body of `classification:preview`. */
export const classificationRequestSchema = z.strictObject({ facts: factsSchema, readings: readingsSchema.nullish() });
export type ClassificationRequest = z.infer<typeof classificationRequestSchema>;

const recurringIncidentSchema = z.strictObject({
  id: z.string().min(1).max(MAX_NAME),
  occurredAt: instant,
  detectedAt: instant.nullish(),
  rootCause: z.string().max(MAX_TEXT).regex(/\S/, 'must name the specific cause'),
  rootCauseCategory: z.string().max(MAX_NAME).nullish(),
  facts: z.strictObject({ ...factMembers, entity: entitySchema.nullish() }),
  majorAlone: flag.nullish(),
});
/** One incident of a recurrence request; `majorAlone` absent means that it is computed. */
export type RecurringIncident = z.infer<typeof recurringIncidentSchema>;

/** Body of `recurrence:preview`; an incident's facts may leave the entity to the request. */
export const recurrenceRequestSchema = z.strictObject({
  entity: z.strictObject({ ...entitySchema.shape, microenterprise: flag.nullish(), art16: flag.nullish() }),
  incidents: z.array(recurringIncidentSchema).max(MAX_INCIDENTS).superRefine(refuseTwins),
  readings: readingsSchema.nullish(),
});
export type RecurrenceRequest = z.infer<typeof recurrenceRequestSchema>;

/** The answer names members by id, so two incidents of one id could not be told apart. */
function refuseTwins(incidents: readonly RecurringIncident[], context: z.core.$RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, { id }] of incidents.entries()) {
    if (seen.has(id)) context.addIssue({ code: 'custom', path: [index, 'id'], message: 'must be unique' });
    seen.add(id);
  }
}

const deadlineMembers = {
  memberState,
  entityType: z.enum(ENTITY_TYPES, 'must be a type of financial entity ("any" is for the final report only)'),
  excludedFrom5_4: flag.nullish(),
  nis2: flag.nullish(),
  systemicNotice: instant.nullish(),
  awareAt: instant.nullish(),
  classifiedAt: instant.nullish(),
  initialSubmittedAt: instant.nullish(),
  lastIntermediateSubmittedAt: instant.nullish(),
  holidays: z.array(z.iso.date()).max(MAX_HOLIDAYS).nullish(),
};

const initialDeadline = z
  .strictObject({ ...deadlineMembers, report: z.literal('initial'), awareAt: instant })
  .superRefine(({ awareAt, classifiedAt }, context) => {
    if (typeof classifiedAt !== 'string' || Temporal.Instant.compare(classifiedAt, awareAt) >= 0) return;
    context.addIssue({ code: 'custom', path: ['classifiedAt'], message: 'must not be before awareAt' });
  });

/** Body of `deadlines:preview`. Each report asks for the instant that its limit is counted from. */
export const deadlineRequestSchema = z.discriminatedUnion('report', [
  initialDeadline,
  z.strictObject({ ...deadlineMembers, report: z.literal('intermediate'), initialSubmittedAt: instant }),
  z.strictObject({ ...deadlineMembers, report: z.literal('updated-intermediate') }),
  z.strictObject({
    ...deadlineMembers,
    report: z.literal('final'),
    entityType: z.enum([...ENTITY_TYPES, 'any']),
    lastIntermediateSubmittedAt: instant,
  }),
]);
export type DeadlineRequest = z.infer<typeof deadlineRequestSchema>;

const provenance = z.enum(['measured', 'estimated', 'entered']);

/** A value of a ticket, plain or with where it comes from; a plain one was entered by a person. */
function traced<L extends z.ZodType>(leaf: L) {
  const withSource = z.strictObject({
    value: leaf,
    provenance,
    method: z
      .string()
      .max(MAX_TEXT)
      .refine((text) => !text.includes('\u0000'), 'must hold no NUL')
      .optional(),
  });
  const plain = leaf.transform((value: z.output<L>) => ({ value, provenance: 'entered' as const }));
  return z.union([withSource, plain], 'must be a valid value, plain or as { value, provenance, method? }').nullish();
}

/**
 * The facts of a ticket, as they are sent and as they are stored: after parsing every value is
 * `{ value, provenance, method? }`. Parsing what is stored gives the same again. The entity may be sent and is not kept:
 * it comes from the settings (`plainFacts`).
 */
export const ticketFactsSchema = z
  .strictObject({
    entity: entitySchema.nullish(),
    ictRelatedIncident: traced(flag),
    critical: z
      .strictObject({ cif: traced(flag), authorisedService: traced(flag), maliciousAccess: traced(flag) })
      .nullish(),
    clients: z
      .strictObject({ affected: traced(count), usingService: traced(count), relevantAffected: traced(flag) })
      .superRefine((clients, context) => {
        refuseAboveBase(clients.affected?.value, clients.usingService?.value, context);
      })
      .nullish(),
    counterparts: z
      .strictObject({ affected: traced(count), total: traced(count), relevantAffected: traced(flag) })
      .superRefine((counterparts, context) => {
        refuseAboveBase(counterparts.affected?.value, counterparts.total?.value, context);
      })
      .nullish(),
    transactions: z
      .strictObject({
        affected: traced(count),
        dailyAvgNumber: traced(count),
        affectedValue: traced(decimal),
        dailyAvgValue: traced(decimal),
      })
      .nullish(),
    reputation: z
      .strictObject({
        media: traced(flag),
        repetitiveComplaints: traced(flag),
        regulatory: traced(flag),
        lossOfClientsMaterial: traced(flag),
      })
      .nullish(),
    time: z.strictObject({ durationS: traced(count), downtimeS: traced(count), supportsCif: traced(flag) }).nullish(),
    data: z
      .strictObject({
        impact: traced(dataImpacts),
        adverse: traced(flag),
        maliciousAccess: traced(flag),
        mayLoseData: traced(flag),
      })
      .nullish(),
    memberStates: traced(memberStates),
    costEur: traced(decimal),
  })
  .transform(({ entity: _fromSettings, ...facts }) => facts);
export type TicketFacts = z.output<typeof ticketFactsSchema>;

/** The facts of a ticket as the engine takes them: values without their provenance, and the entity of the settings. */
export function plainFacts(ticket: TicketFacts, entity: Entity): Facts {
  return factsSchema.parse({ ...untraced(ticket), entity });
}

/** No value of the facts is an object, so an object that holds `value` is a traced one and any other is a part. */
function untraced(node: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(node).map(([name, member]) => [name, untracedMember(member)]));
}

function untracedMember(member: unknown): unknown {
  if (typeof member !== 'object' || member === null) return member;
  return 'value' in member ? member.value : untraced(member);
}
