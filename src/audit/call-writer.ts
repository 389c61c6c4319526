import { type Answer, type Call, CallCommit, type Clock } from '../platform/index.js';
import type { AuditLog } from './audit-log.js';
import { BodyDigests } from './body-digest.js';
import { callRecord } from './call-record.js';
import type { RecordInput } from './record.js';
import type { RefusalsJournal } from './refusals-journal.js';

export interface CallWriterParts {
  auditLog: AuditLog;
  clock: Clock;
  journal: RefusalsJournal;
  /** Of the policy that decided, for every record: a later reader finds the rules of the day by it. */
  policyVersion: string;
}

/** Room 10: the record of each audited call, durable before its answer leaves; a refusal for want of the log goes to the journal. */
export class CallWriter extends CallCommit {
  constructor(private readonly parts: CallWriterParts) {
    super();
  }

  override async commit(call: Call, answer: Answer): Promise<void> {
    const { record, digestKey } = this.record(call, answer);
    await this.parts.auditLog.append(record, digestKey);
  }

  override refused(call: Call, answer: Answer): void {
    void this.parts.journal.note({
      at: call.at.toISOString(),
      call: call.id,
      client: call.caller?.kind === 'client' ? call.caller.id : undefined,
      method: call.method,
      route: call.route,
      status: answer.status,
    });
  }

  /** The record of a call with the key of its digests, for whoever commits it together with a change: `AuditLog.appendIn` takes both. */
  record(call: Call, answer: Answer): { record: RecordInput; digestKey: Buffer | undefined } {
    const digests = new BodyDigests();
    const durationUs = Number((this.parts.clock.monotonic() - call.startedNs) / 1_000n);
    const record = callRecord(call, { answer, durationUs, policyVersion: this.parts.policyVersion, digests });
    return { record, digestKey: digests.key };
  }
}
