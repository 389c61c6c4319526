import type { AuditLog, ErasureJournal, JournaledErasure } from '../../audit/index.js';
import { administratorOf, type Call, type Clock, ProblemError, type Tx, uuidv7 } from '../../platform/index.js';
import type { Erasure, ErasureStore } from './erasure-store.js';
import type { SubjectEraser } from './subject-eraser.js';

/** Whoever erases when nobody asked anew: a start on an older database. */
const GATEWAY = 'gateway';

export type Asked = Pick<Erasure, 'clientId' | 'subject' | 'ground' | 'reason'>;

/** An erasure with everything that tells it, in the caller's transaction, under the caller's lock on the subject. */
export class ErasureWriter {
  constructor(
    private readonly eraser: SubjectEraser,
    private readonly store: ErasureStore,
    private readonly auditLog: AuditLog,
    private readonly journal: ErasureJournal,
    private readonly clock: Clock,
  ) {}

  /**
   * The journal comes last and before the commit: no erasure is committed that it does not know. One that it knows and that was not
   * committed was asked for and allowed all the same, and is made up for at the next start.
   */
  async erase(tx: Tx, call: Call, asked: Asked): Promise<Erasure> {
    const now = this.clock.now();
    const erased = await this.eraser.erase(tx, asked, now);
    const erasure: Erasure = {
      clientId: asked.clientId,
      subject: asked.subject,
      ground: asked.ground,
      reason: asked.reason,
      id: uuidv7(now.getTime()),
      erasedBy: administratorOf(call).id,
      recordId: uuidv7(now.getTime()),
      at: now,
      erased,
      replayedAt: null,
    };
    await this.store.insert(tx, erasure);
    await this.tell(tx, erasure, call);
    await this.journal.add([journaled(erasure)]).catch((error: unknown) => {
      throw new ProblemError('audit-unavailable', { rule: 'erasure.journal', cause: error });
    });
    return erasure;
  }

  /**
   * An erasure done again: what was there before it goes, what came later stays. Nothing is told when nothing was found.
   * @returns whether anything was
   */
  async again(tx: Tx, entry: JournaledErasure): Promise<boolean> {
    const now = this.clock.now();
    const at = new Date(entry.at);
    const who = { clientId: entry.client, subject: entry.subject };
    // The same millisecond is part of it.
    const erased = await this.eraser.erase(tx, who, now, new Date(at.getTime() + 1));
    if (Object.values(erased).every((n) => n === 0)) return false;
    const { ground, erasure: id } = entry;
    const erasure: Erasure = {
      ...who,
      id,
      ground,
      reason: null,
      erasedBy: GATEWAY,
      recordId: uuidv7(now.getTime()),
      at,
      erased,
      replayedAt: now,
    };
    await this.store.insert(tx, erasure);
    await this.tell(tx, erasure, undefined, entry.record);
    return true;
  }

  private async tell(tx: Tx, erasure: Erasure, call: Call | undefined, first?: string): Promise<void> {
    const administrator = call && administratorOf(call);
    await this.auditLog.appendIn(tx, {
      id: erasure.recordId,
      at: (erasure.replayedAt ?? erasure.at).toISOString(),
      kind: 'subject.erased',
      call: call?.id,
      trace: call?.traceId,
      actor: administrator?.id ?? GATEWAY,
      credential: administrator?.tokenId,
      client: erasure.clientId,
      subject: erasure.subject,
      detail: {
        erasure: erasure.id,
        ground: erasure.ground,
        erasedAt: erasure.at.toISOString(),
        ...erasure.erased,
        ...(first === undefined ? {} : { replayed: true, first }),
      },
    });
  }
}

export function journaled({ id, clientId, subject, ground, recordId, at }: Erasure): JournaledErasure {
  return { erasure: id, client: clientId, subject, ground, record: recordId, at: at.toISOString() };
}
