import type { Counts } from '../drill-store.js';
import type { Drill } from '../drill.entity.js';
import type { DrillReport } from './schema.js';
import { software } from './software.js';

/** What the gateway itself can tell of a drill: no load of the drill's own, no client's view of the answers. */
export function observedReport(drill: Drill, counts: Counts): DrillReport {
  const { name, purpose, plan, mostCalls } = drill;
  const expectations = [
    {
      what: 'the drill was not stopped by a guard or limit',
      expected: 'ended or stopped',
      measured: drill.why ?? '',
      met: drill.state !== 'aborted',
    },
    {
      what: 'calls struck stay within the blast radius',
      expected: `at most ${mostCalls}`,
      measured: String(counts.struck),
      met: counts.struck <= mostCalls,
    },
  ];
  const startedAt = drill.startedAt ?? drill.proposedAt;
  const endedAt = drill.overAt ?? startedAt;
  return {
    v: 1,
    scenario: { name, purpose, articles: ['11', '24', '25'], digest: null },
    place: 'running',
    software: software(),
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    faults: (plan?.faults ?? []).map(({ fault: { kind, ...settings }, fromMs, forMs }) => ({
      at: 'vendor',
      kind,
      fromMs,
      forMs: forMs ?? null,
      settings: { ...settings, share: plan?.scope.share ?? 1 },
    })),
    load: null,
    measured: {
      latestAnswerMs: null,
      timeToDetectMs: null,
      detectedBy: null,
      timeToFallBackMs: null,
      fellBackTo: null,
      timeToRecoverMs: null,
      lost: null,
      doubled: null,
      breakerOpenedMs: null,
      attemptsWhileOpen: null,
      earlyAttempts: null,
      calls: { ...counts },
    },
    answers: { byCode: {}, byRung: {} },
    expectations,
    timeline: [],
    events: [{ atMs: endedAt.getTime() - startedAt.getTime(), what: `over: ${drill.why ?? ''}` }],
    passed: expectations.every(({ met }) => met),
  };
}
