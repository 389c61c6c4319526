import { z } from 'zod';
import { printable } from '../verifications/schemas.js';

export const reviewSchema = z.strictObject({
  outcome: z.enum(['approved', 'declined'], { error: 'must be approved or declined' }),
  reason: printable(512),
});

export const reviewListSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(64).optional(),
});

export type ReviewBody = z.output<typeof reviewSchema>;
export type ReviewListQuery = z.output<typeof reviewListSchema>;
