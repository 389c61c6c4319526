/** Exact below this and, above it, as many buckets a power of two; the same scale as `audit.latency_bucket`. */
const WIDTH = 8;

/** How often each bucket was met, by its number; -1 holds what has no duration. */
export type Histogram = ReadonlyMap<number, number>;

/** The longest duration in µs that falls into a bucket: at most an eighth above any other in it. */
export function longestOf(bucket: number): number {
  if (bucket < WIDTH) return bucket;
  const power = Math.floor(bucket / WIDTH) - 1;
  return (WIDTH + (bucket % WIDTH) + 1) * 2 ** power - 1;
}

export interface Latency {
  p50Us: number;
  p90Us: number;
  p99Us: number;
  maxUs: number;
}

/** Nearest rank, told as the longest duration of its bucket: never less than the true one, and at most an eighth more. */
export function latencyOf(histogram: Histogram): Latency | null {
  const buckets = [...histogram].filter(([bucket]) => bucket >= 0).sort(([a], [b]) => a - b);
  const count = buckets.reduce((sum, [, n]) => sum + n, 0);
  if (count === 0) return null;
  const at = (percent: number): number => {
    let left = Math.ceil((count * percent) / 100);
    const found = buckets.find(([, n]) => (left -= n) <= 0);
    return longestOf(found?.[0] ?? 0);
  };
  return { p50Us: at(50), p90Us: at(90), p99Us: at(99), maxUs: at(100) };
}
