import { z } from 'zod';
import { filterMembers, inOrder } from '../query.js';
import { FORMAT_NAMES } from './formats.js';

/** One look, so that a number beyond 2^53 is one mistake and not two. */
const number = z.coerce
  .number({ error: 'must be the number of a record' })
  .refine((n) => Number.isSafeInteger(n) && n >= 0, { error: 'must be the number of a record' });

/** What an export takes, on the command line and over HTTP alike. */
export const exportQuery = z
  .strictObject({
    format: z.enum(FORMAT_NAMES, { error: `must be one of ${FORMAT_NAMES.join(', ')}` }),
    ...filterMembers,
    fromSeq: number.optional(),
    toSeq: number.optional(),
  })
  .superRefine(inOrder)
  .superRefine(({ fromSeq, toSeq }, context) => {
    if (fromSeq !== undefined && toSeq !== undefined && toSeq <= fromSeq)
      context.addIssue({ code: 'custom', path: ['toSeq'], message: 'must be above fromSeq' });
  });
