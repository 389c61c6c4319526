import type { Counts } from './drill-store.js';
import type { Drill } from './drill.entity.js';
import type { Plan } from './schemas.js';
import type { DrillState } from './transitions.js';

/** A drill as administrators see it; people by their ids. */
export interface DrillView {
  id: string;
  name: string;
  purpose: string;
  state: DrillState;
  plan: Plan | null;
  mostCalls: number;
  proposedBy: string;
  proposedAt: string;
  approvedBy: string | null;
  approvedAt: string | null;
  startedBy: string | null;
  startedAt: string | null;
  endsAt: string | null;
  stoppedBy: string | null;
  overAt: string | null;
  why: string | null;
  counts: Counts;
  /** Of the report, hex; null while there is none. */
  reportDigest: string | null;
  signature: { by: string; at: string; verdict: string; remark: string | null } | null;
}

export function drillView(drill: Drill, counts: Counts): DrillView {
  const instant = (at: Date | null): string | null => at?.toISOString() ?? null;
  return {
    id: drill.id,
    name: drill.name,
    purpose: drill.purpose,
    state: drill.state,
    plan: drill.plan,
    mostCalls: drill.mostCalls,
    proposedBy: drill.proposedBy,
    proposedAt: drill.proposedAt.toISOString(),
    approvedBy: drill.approvedBy,
    approvedAt: instant(drill.approvedAt),
    startedBy: drill.startedBy,
    startedAt: instant(drill.startedAt),
    endsAt: instant(drill.endsAt),
    stoppedBy: drill.stoppedBy,
    overAt: instant(drill.overAt),
    why: drill.why,
    counts,
    reportDigest: drill.reportDigest?.toString('hex') ?? null,
    signature:
      drill.signedBy === null || drill.signedAt === null
        ? null
        : { by: drill.signedBy, at: drill.signedAt.toISOString(), verdict: drill.verdict ?? '', remark: drill.remark },
  };
}
