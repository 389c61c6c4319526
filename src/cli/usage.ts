import { rebuildUsage } from '../audit/index.js';
import { withDatabase } from './with-database.js';

const TELL_EVERY_MS = 1_000;

/** `gatehouse usage rebuild`: beside a running gateway or alone. */
export async function usageRebuildVerb(): Promise<void> {
  let told = performance.now();
  const { first, past, differing } = await withDatabase((url) =>
    rebuildUsage(url, (done, all) => {
      if (performance.now() - told < TELL_EVERY_MS) return;
      told = performance.now();
      process.stderr.write(`counted ${done} of ${all} records\n`);
    }),
  );
  const figures = differing === 0 ? 'the same figures as before' : `${differing} figures were others before`;
  process.stdout.write(`counted records ${first} to ${past}: ${figures}\n`);
}
