const MOST_SECONDS = 3_600;

/**
 * Retry-After (RFC 9110 section 10.2.3), as seconds or as a date; between 1 s and `mostSeconds` (an hour unless told); undefined when absent or
 * unreadable.
 */
export function retryAfterSeconds(
  header: string | undefined,
  nowMs: number,
  mostSeconds = MOST_SECONDS,
): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - nowMs) / 1_000);
  return Number.isNaN(seconds) ? undefined : Math.min(mostSeconds, Math.max(1, seconds));
}
