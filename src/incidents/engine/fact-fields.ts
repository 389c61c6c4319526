import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { DECIMAL_PATTERN } from './decimal.js';
import { MEMBER_STATES } from './states.js';

/** Bounds of what one request may carry; each is far above any real case. */
const MAX_DECIMAL_LENGTH = 128;
const MAX_LIST = 100;

export const flag = z.boolean('must be true or false');
/** A number of persons, transactions or seconds. */
export const count = z.int('must be a whole number').nonnegative('must not be negative');

/** An amount: exact as a string, or a JSON number (whose digits `findImpreciseNumbers` checks on the raw text). */
export const decimal = z.union(
  [z.string().max(MAX_DECIMAL_LENGTH).regex(DECIMAL_PATTERN), z.number().nonnegative()],
  'must be a non-negative decimal: a string such as "1001.50", or a number of at most 15 significant digits',
);

export const memberState = z.enum(MEMBER_STATES, 'must be the ISO 3166-1 alpha-2 code of an EEA state');

/** The four kinds of data loss of Article 5 of Delegated Regulation (EU) 2024/1772. */
const dataImpact = z.enum(['availability', 'authenticity', 'integrity', 'confidentiality']);
export type DataImpact = z.infer<typeof dataImpact>;

/** Repetitions are harmless: the lists are taken as sets. */
export const dataImpacts = z.array(dataImpact).max(MAX_LIST);
export const memberStates = z.array(memberState).max(MAX_LIST);

/**
 * Refuses more affected than there are, where the base is above zero (a base of zero with some affected is an estimate by
 * the contract). Not for transactions: their base is a daily average, which a long incident may well exceed.
 */
export function refuseAboveBase(
  affected: number | null | undefined,
  base: number | null | undefined,
  context: z.core.$RefinementCtx,
): void {
  if (typeof affected !== 'number' || typeof base !== 'number') return;
  if (base === 0 || affected <= base) return;
  context.addIssue({ code: 'custom', path: ['affected'], message: `must not be above the base of ${String(base)}` });
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** An instant in ISO 8601 with an offset or Z: local time without one names no instant. */
export const instant = z.string().refine(isInstant, 'must be an ISO 8601 instant with an offset');

function isInstant(text: string): boolean {
  if (!INSTANT.test(text)) return false;
  try {
    Temporal.Instant.from(text);
    return true;
  } catch {
    return false;
  }
}
