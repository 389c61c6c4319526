import { z } from 'zod';
import { instant } from './engine/fact-fields.js';
import { ticketFactsSchema } from './engine/schemas.js';
import { INCIDENT_STATES } from './transitions.js';

/** PostgreSQL stores no NUL in a text. */
const text = () => z.string().refine((value) => !value.includes('\u0000'), { error: 'must hold no NUL' });

const title = text().regex(/\S/, 'must not be blank').max(200);
const description = text().max(10_000);
const reason = text().regex(/\S/, 'must not be blank').max(4_000);

/** Planned work: what stays within it is no incident (Regulation (EU) 2022/2554 Article 3(8)). */
const maintenanceWindowSchema = z
  .strictObject({ from: instant, to: instant, description: text().max(1_000).optional() })
  .refine(({ from, to }) => new Date(from) < new Date(to), { error: 'must be after from', path: ['to'] });

export type MaintenanceWindow = z.output<typeof maintenanceWindowSchema>;

interface Instants {
  occurredAt?: string | undefined;
  restoredAt?: string | undefined;
  resolvedAt?: string | undefined;
}

/** An end before the beginning would measure a negative duration. */
function inOrder({ occurredAt, ...ends }: Instants, context: z.core.$RefinementCtx): void {
  if (occurredAt === undefined) return;
  for (const [name, end] of Object.entries(ends)) {
    if (end === undefined || new Date(end) >= new Date(occurredAt)) continue;
    context.addIssue({ code: 'custom', path: [name], message: 'must not be before occurredAt' });
  }
}

/** What a person says of an incident: the body of its creation, and what a patch is merged into. */
const document = {
  title,
  description: description.optional(),
  detectedAt: instant,
  awareAt: instant.optional(),
  occurredAt: instant.optional(),
  restoredAt: instant.optional(),
  resolvedAt: instant.optional(),
  facts: ticketFactsSchema.prefault({}),
  maintenanceWindow: maintenanceWindowSchema.optional(),
};

const checkOrder = ({ occurredAt, restoredAt, resolvedAt }: Instants, context: z.core.$RefinementCtx): void =>
  inOrder({ occurredAt, restoredAt, resolvedAt }, context);

export const newIncidentSchema = z.strictObject(document).superRefine(checkOrder);

export type NewIncident = z.output<typeof newIncidentSchema>;

/** A whole incident after a patch was merged into it. */
export const patchedIncidentSchema = z
  .strictObject({ ...document, state: z.enum(INCIDENT_STATES) })
  .superRefine(checkOrder);

/** A patch is an object of any members; what it makes of the incident is what is judged. */
export const patchSchema = z.record(z.string(), z.json(), 'must be a JSON merge patch: an object');

export type IncidentPatch = z.output<typeof patchSchema>;

export const classificationSchema = z.strictObject({
  major: z.boolean('must be true or false'),
  reason,
  classifiedAt: instant.optional(),
});

export type ClassificationBody = z.output<typeof classificationSchema>;

export const listSchema = z.strictObject({
  state: z.enum(INCIDENT_STATES).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(64).optional(),
});

export type IncidentListQuery = z.output<typeof listSchema>;

export const timelineListSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
  cursor: z.string().max(64).optional(),
});

export type TimelineQuery = z.output<typeof timelineListSchema>;
