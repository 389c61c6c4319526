import type { RecordInput } from '../../audit/index.js';
import { type Call, uuidv7 } from '../../platform/index.js';
import type { Priority } from '../../vendors/index.js';

/** Work that no call asked for; each of its vendor calls leaves a record of its own. */
export interface Background {
  /** What works, such as `verifications.search`. */
  job: string;
  /** Id of the call that gave rise to it, such as that of a webhook. */
  call?: string;
  client?: string;
  verification?: string;
  /** Pseudonym. */
  subject?: string;
  /** `background` unless told. */
  priority?: Priority;
  /** Id of the one change that it is about to make: its intent names it as its call, and the record of the change gets it. */
  attempt?: string;
}

/** On whose behalf the vendor is called. */
export type Asker = Call | Background;

export function isCall(asker: Asker): asker is Call {
  return 'listener' in asker;
}

/** What every record tells of whoever asked. */
function askedBy(asker: Asker): Pick<RecordInput, 'call' | 'trace' | 'client' | 'actor' | 'verification' | 'subject'> {
  if (!isCall(asker)) {
    const { job: _, priority: _priority, attempt, ...rest } = asker;
    return attempt === undefined ? rest : { ...rest, call: attempt };
  }
  return {
    call: asker.id,
    trace: asker.traceId,
    client: asker.caller?.kind === 'client' ? asker.caller.id : undefined,
    actor: asker.caller?.kind === 'administrator' ? asker.caller.id : undefined,
    verification: asker.verification,
    subject: asker.subject,
  };
}

/** A record of this kind about what `asker` does, at this instant. */
export function recordOf(asker: Asker, kind: RecordInput['kind'], now: Date): RecordInput {
  return { id: uuidv7(now.getTime()), at: now.toISOString(), kind, ...askedBy(asker) };
}
