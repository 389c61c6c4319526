import { UsageStore } from './usage-store.js';
import { APP_ROLE } from '../../platform/index.js';
import { Connection } from '../connection.js';

const MOST = 16_384;
const TIMEOUT_MS = 120_000;

export interface RebuiltUsage {
  /** First record counted; what was counted of earlier ones, which the log no longer holds, stays as it was. */
  first: number;
  /** Past the last record counted. */
  past: number;
  /** Figures that were others before. */
  differing: number;
}

/**
 * Counts the log again from its first record, beside the figures in use, and then takes the place of these. It runs beside a gateway.
 * @throws when the database cannot be reached, or another rebuild has begun since
 */
export async function rebuildUsage(
  url: string,
  onProgress: (done: number, all: number) => void = () => undefined,
  most = MOST,
): Promise<RebuiltUsage> {
  const connection = new Connection({
    url,
    role: APP_ROLE,
    applicationName: 'gatehouse-usage',
    statementTimeoutMs: TIMEOUT_MS,
    lockTimeoutMs: TIMEOUT_MS,
  });
  try {
    const store = new UsageStore(connection);
    const { build, first, past } = await store.begin();
    for (let rolled = most; rolled === most;) {
      const step = await store.roll(most, build);
      if (step === undefined) throw new Error('another rebuild has begun');
      ({ rolled } = step);
      onProgress(step.next - first, Math.max(past, step.next) - first);
    }
    const differing = await store.finish(build);
    return { first, past: (await store.counted()).size, differing };
  } finally {
    await connection.close();
  }
}
