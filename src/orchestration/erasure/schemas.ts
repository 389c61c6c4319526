import { z } from 'zod';
import { GROUNDS } from '../../audit/index.js';
import { isUuid } from '../../platform/index.js';
import { printable } from '../verifications/schemas.js';

export const newErasureSchema = z.strictObject({
  client: z.string().refine(isUuid, { error: 'must be the id of a client' }),
  /** As the client wrote it when it asked for the verification. */
  reference: printable(128),
  reason: printable(512),
  ground: z.enum(GROUNDS, { error: 'must be request, retention-over or court-order' }),
});

export const erasureListSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(64).optional(),
});

export type NewErasure = z.output<typeof newErasureSchema>;
export type ErasureListQuery = z.output<typeof erasureListSchema>;
