import type { Config } from '../../platform/index.js';

/** A session's end is known at the vendor a little later than by the clock here. */
const AFTER_END_MS = 60_000;

/**
 * When the sweep asks about an undecided verification unless something is heard before: the longer it was asked in vain, the later; and
 * once right after its session has ended.
 * @param checks looks in vain since something was last heard
 */
export function nextCheck(
  { after, atMost }: Pick<Config['reconciliation'], 'after' | 'atMost'>,
  now: Date,
  checks: number,
  expiresAt: Date,
): Date {
  // Beyond this many doublings any setting has met its bound.
  const wait = Math.min(atMost, after * 2 ** Math.min(checks, 40));
  const at = now.getTime() + wait;
  const end = expiresAt.getTime() + AFTER_END_MS;
  return new Date(now.getTime() < end && end < at ? end : at);
}
