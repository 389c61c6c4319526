import { z } from 'zod';

/** An instant in a query. Postgres knows no year 0. */
export const instant = z.iso
  .datetime({ offset: true, error: 'must be an instant such as 2026-03-10T08:00:00.000Z' })
  .refine((text) => !text.startsWith('0000'), { error: 'must be after the year 0' });

/** Without NUL, which Postgres takes in no text. */
export const word = z.string().regex(/^[^\p{Cc}]{1,256}$/u, { error: 'must be a text of 1 to 256 characters' });

/** A query whose instants are the wrong way round is a mistake, and not one that nothing answers to. */
export function inOrder(
  { from, to }: { from?: string | undefined; to?: string | undefined },
  context: z.RefinementCtx,
): void {
  if (from !== undefined && to !== undefined && Date.parse(to) <= Date.parse(from))
    context.addIssue({ code: 'custom', path: ['to'], message: 'must be after from' });
}

/** What records are chosen by, in a list and in an export alike. */
export const filterMembers = {
  from: instant.optional(),
  to: instant.optional(),
  client: word.optional(),
  verification: word.optional(),
  subject: word.optional(),
  kind: word.optional(),
  outcome: word.optional(),
  rule: word.optional(),
};
