import type { Factor } from './entities/client.entity.js';
import type { Refusal } from './refusals.js';

/** Groups of routes whose factors a client sets apart. */
export type RouteGroup = 'v1' | 'drop-in';

const MISSING: Record<Factor, Refusal> = { key: 'auth.key-missing', token: 'auth.token-missing' };

/** The refusal for the first factor that is required and was not brought; undefined when none is wanting. */
export function missingFactor(required: readonly Factor[], brought: Record<Factor, boolean>): Refusal | undefined {
  const missing = required.find((factor) => !brought[factor]);
  return missing && MISSING[missing];
}

/** What is in every one of the sets: a right counts only when each credential carries it. */
export function intersection(
  first: ReadonlySet<string>,
  ...others: (ReadonlySet<string> | undefined)[]
): ReadonlySet<string> {
  const common = new Set<string>();
  for (const item of first) {
    if (others.every((other) => other === undefined || other.has(item))) common.add(item);
  }
  return common;
}
