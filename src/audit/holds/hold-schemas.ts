import { z } from 'zod';
import { instant, word } from '../query.js';

/** Why, in words for people; it stays beside the log, since nobody can say what a person will write. */
const reason = z
  .string()
  .max(4_000, { error: 'must be at most 4000 characters' })
  .regex(/^[^\0]*[^\s\0][^\0]*$/, { error: 'must not be blank' });

const names = <S extends string>(scope: S) => z.strictObject({ scope: z.literal(scope), value: word, reason });

/** What is held: everything of a subject (its pseudonym, as records show it), client or verification, a period, or all. */
export const newHoldSchema = z.discriminatedUnion(
  'scope',
  [
    names('subject'),
    names('client'),
    names('verification'),
    z
      .strictObject({ scope: z.literal('period'), from: instant.optional(), to: instant.optional(), reason })
      .refine(({ from, to }) => from !== undefined || to !== undefined, {
        path: ['from'],
        error: 'or to must be given',
      })
      .refine(({ from, to }) => from === undefined || to === undefined || Date.parse(from) < Date.parse(to), {
        path: ['from'],
        error: 'must be before to',
      }),
    z.strictObject({ scope: z.literal('all'), reason }),
  ],
  { error: 'must be subject, client, verification, period or all' },
);

export const releaseSchema = z.strictObject({ reason });

export const holdListSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(64).optional(),
});

export type NewHold = z.output<typeof newHoldSchema>;
export type HoldListQuery = z.output<typeof holdListSchema>;
