import { Injectable } from '@nestjs/common';
import { AuditLog, type RecordInput } from '../audit/index.js';
import { administratorOf, type Call, Clock, type Tx, uuidv7 } from '../platform/index.js';
import type { Drill } from './drill.entity.js';

type Kind = Extract<RecordInput['kind'], `drill.${string}`>;

/** The records of drills, each in the transaction of what it tells: figures, names and digests, no free text of people. */
@Injectable()
export class DrillRecords {
  constructor(
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** @param call unset for what the gateway does by itself */
  async tell(
    tx: Tx,
    call: Call | undefined,
    kind: Kind,
    drill: Drill,
    detail: RecordInput['detail'] = {},
  ): Promise<void> {
    const now = this.clock.now();
    const administrator = call && administratorOf(call);
    await this.audit.appendIn(tx, {
      id: uuidv7(now.getTime()),
      at: now.toISOString(),
      kind,
      call: call?.id,
      trace: call?.traceId,
      actor: administrator?.id ?? 'gateway',
      credential: administrator?.tokenId,
      detail: { drill: drill.id, name: drill.name, state: drill.state, ...detail },
    });
  }
}

/** What a plan does, for a record: kinds and figures. */
export function planDetail({ plan, mostCalls }: Drill): NonNullable<RecordInput['detail']> {
  if (plan === null) return {};
  return {
    faults: plan.faults.map(({ fault, fromMs, forMs }) => ({ kind: fault.kind, fromMs, forMs: forMs ?? null })),
    clients: plan.scope.clients ?? 'all',
    operations: plan.scope.operations ?? 'all',
    // Records hold no fractions.
    sharePerMille: Math.round(plan.scope.share * 1_000),
    durationMs: plan.durationMs,
    mostCalls,
  };
}
