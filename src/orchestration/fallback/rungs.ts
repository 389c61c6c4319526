import type { VendorPart } from '../../platform/index.js';

/** How an answer, a step or a verification came about. */
export type Rung = VendorPart['rung'];

/** Rungs that a verification itself can stand on; `none`: the ladder ended without one. */
export const VERIFICATION_RUNGS = ['fresh', 'queued', 'manual', 'none'] as const satisfies Rung[];

export type VerificationRung = (typeof VERIFICATION_RUNGS)[number];

/** Headers of an answer that is not a fresh one. `Age` as in RFC 9111 section 5.1, where there is one. */
export function rungHeaders(rung: Rung, ageSeconds?: number): Record<string, string> {
  if (rung === 'fresh') return {};
  return { 'gatehouse-rung': rung, ...(ageSeconds === undefined ? {} : { age: String(ageSeconds) }) };
}
