import type { DrillReport } from '../report/schema.js';
import type { Scenario } from '../scenario/schema.js';
import { breakerName, early, type OpenTime, openTimes, type Probing, probings } from './probes.js';
import type { Stage } from './stage.js';

export interface VendorFigures {
  attempts: number;
  measured: Pick<DrillReport['measured'], 'breakerOpenedMs' | 'attemptsWhileOpen' | 'earlyAttempts'>;
  probings: readonly Probing[];
  events: DrillReport['events'];
}

/** What reached the vendor and what its breakers did. @param wellMs when it was well again, since the epoch */
export async function vendorFigures(
  stage: Stage,
  scenario: Scenario,
  startedAt: Date,
  wellMs: number,
): Promise<VendorFigures> {
  const attempts = stage.attempts(startedAt);
  const earlyAttempts = early(attempts);
  if (!areBreakersSeen(scenario)) {
    const measured = { breakerOpenedMs: null, attemptsWhileOpen: null, earlyAttempts };
    return { attempts: attempts.length, measured, probings: [], events: [] };
  }
  const times = await openTimes(stage.caller, startedAt);
  const probed = probings(attempts, times, stage.config.vendors.didit.breaker, wellMs);
  const startedMs = startedAt.getTime();
  const faultMs = Math.min(...scenario.faults.filter(({ at }) => at === 'vendor').map(({ from }) => from));
  const [first] = times;
  return {
    attempts: attempts.length,
    measured: {
      breakerOpenedMs: first === undefined ? null : Math.max(0, first.fromMs - startedMs - faultMs),
      attemptsWhileOpen: new Set(probed.flatMap((probing) => probing.attempts)).size,
      earlyAttempts,
    },
    probings: probed,
    events: times.flatMap((time) => eventsOf(time, startedMs)),
  };
}

/** Each instance has breakers of its own, and a proxy cannot tell whose attempt it sees; their books go by the clock of their instance. */
function areBreakersSeen({ faults, system }: Scenario): boolean {
  return system.instances === 1 && faults.some(({ at }) => at === 'vendor') && !faults.some(({ at }) => at === 'clock');
}

function eventsOf({ operation, fromMs, toMs }: OpenTime, startedMs: number): DrillReport['events'] {
  const opened = { atMs: fromMs - startedMs, what: `opens: ${breakerName(operation)}` };
  return toMs === Infinity ? [opened] : [opened, { atMs: toMs - startedMs, what: `closes: ${breakerName(operation)}` }];
}
