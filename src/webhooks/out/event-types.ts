import { VERIFICATION_STATUSES } from '../../orchestration/index.js';

/** What an administrator or client has sent to see whether an endpoint works. It passes every filter. */
export const TEST_EVENT = 'webhook.test';

const TYPES: readonly string[] = VERIFICATION_STATUSES.map((status) => `verification.${status}`);

/** What an endpoint can ask for: one type, a family of them, or all. */
export const EVENT_FILTERS: readonly string[] = ['*', 'verification.*', ...TYPES];

/** The filters that a type passes. */
export function filtersOf(type: string): string[] {
  return ['*', `${type.slice(0, type.indexOf('.'))}.*`, type];
}
