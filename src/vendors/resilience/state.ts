import type { Clock } from '../../platform/index.js';
import type { BreakerView } from './breaker.js';
import type { LaneView } from './bulkhead.js';
import type { OriginView } from './origins.js';
import type { Answered } from './passage.js';
import type { Pipeline } from './pipeline.js';
import type { BudgetView, VendorBudgets } from './vendor-budgets.js';

interface BreakerReport {
  /** `*` for the breaker of the whole vendor. */
  operation: string;
  state: BreakerView['state'];
  since: string;
  /** Attempts in the window, and the share of them that failed, and that failed or were slow. */
  calls: number;
  failureRatio: number;
  slowRatio: number;
  nextProbeAt: string | null;
  /** Until when the vendor asked this operation to pause. */
  pausedUntil: string | null;
}

/** The way out to one vendor, as this instance sees it. */
export interface VendorState {
  vendor: string;
  /** `down` while its own breaker is not closed, `degraded` while one of an operation is not or it asked for a pause. */
  state: 'up' | 'degraded' | 'down';
  breakers: BreakerReport[];
  bulkheads: LaneView[];
  budgets: BudgetView[];
  origins: OriginView[];
}

export function vendorState<T extends Answered>(
  vendor: string,
  { breakers, bulkhead, origins }: Pick<Pipeline<T>, 'breakers' | 'bulkhead' | 'origins'>,
  budgets: VendorBudgets,
  clock: Clock,
): VendorState {
  const { whole, operations } = breakers.view();
  const nowMs = clock.monotonicMs();
  const instant = (ms: number | undefined): string | null =>
    ms === undefined ? null : new Date(Math.round(clock.epochMs() + ms - nowMs)).toISOString();
  const report = (operation: string, view: BreakerView, pausedUntilMs?: number): BreakerReport => ({
    operation,
    state: view.state,
    since: instant(view.sinceMs) ?? '',
    calls: view.calls,
    failureRatio: rounded(view.failureRatio),
    slowRatio: rounded(view.slowRatio),
    nextProbeAt: instant(view.nextProbeMs),
    pausedUntil: instant(pausedUntilMs),
  });
  const troubled = operations.some(({ view, pausedUntilMs }) => view.state !== 'closed' || pausedUntilMs !== undefined);
  return {
    vendor,
    state: whole.state === 'closed' ? (troubled ? 'degraded' : 'up') : 'down',
    breakers: [
      report('*', whole),
      ...operations.map(({ operation, view, pausedUntilMs }) => report(operation, view, pausedUntilMs)),
    ],
    bulkheads: bulkhead.view(),
    budgets: budgets.view(),
    origins: origins.view(nowMs),
  };
}

function rounded(ratio: number): number {
  return Math.round(ratio * 1_000) / 1_000;
}
