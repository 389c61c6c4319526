import { z } from 'zod';
import { stepName } from './conditions.js';
import { definitionSchema, type WrittenDefinition } from './definition.js';
import { WORKFLOW_STATES } from './workflow-states.js';

/** Held to the form, and kept as it was written. */
const written = z.unknown().transform((value, context): WrittenDefinition => {
  const parsed = definitionSchema.safeParse(value);
  if (parsed.success) return value as WrittenDefinition;
  for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: value } as never);
  return z.NEVER;
});

export const draftSchema = z.strictObject({ name: stepName(), definition: written });
export type DraftBody = z.output<typeof draftSchema>;

export const changeSchema = z.strictObject({ definition: written });
export type ChangeBody = z.output<typeof changeSchema>;

export const workflowListSchema = z.strictObject({
  name: stepName().optional(),
  state: z.enum(WORKFLOW_STATES).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().min(1).max(256).optional(),
});
export type WorkflowListQuery = z.output<typeof workflowListSchema>;
