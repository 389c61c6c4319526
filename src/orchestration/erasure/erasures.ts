import { Inject, Injectable } from '@nestjs/common';
import { LegalHolds } from '../../audit/index.js';
import { type Call, Clock, type Config, CONFIG, Database, ProblemError, type Tx } from '../../platform/index.js';
import { SubjectSecrets } from '../verifications/subject-secrets.js';
import { type Erasure, ErasureStore } from './erasure-store.js';
import { ErasureWriter } from './erasure-writer.js';
import { lockSubject } from './locks.js';
import type { NewErasure } from './schemas.js';
import type { ErasedSubject } from './subject-eraser.js';

/** What stands against an erasure. */
@Injectable()
export class ErasureRules {
  constructor(
    private readonly holds: LegalHolds,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Nobody places a hold on the subject before the transaction ends.
   * @param lastMove of any verification of the subject
   * @throws ProblemError `conflict` while a legal hold or the retention duty runs (Article 17(3)(b) and (e) GDPR)
   */
  async check(tx: Tx, { subject }: ErasedSubject, lastMove: Date): Promise<void> {
    if (await this.holds.holdsSubject(tx, subject))
      throw new ProblemError('conflict', {
        detail: 'A legal hold stands against this erasure until it is released.',
        rule: 'erasure.legal-hold',
      });
    const until = new Date(lastMove.getTime() + this.config.erasure.keepAfterLastVerification);
    if (this.config.erasure.keepAfterLastVerification > 0 && until > this.clock.now())
      throw new ProblemError('conflict', {
        detail: `What is kept of this subject must be kept until ${until.toISOString()}.`,
        rule: 'erasure.retention-duty',
        reason: `to be kept until ${until.toISOString()}`,
      });
  }
}

/** Erases persons on somebody's word. */
@Injectable()
export class Erasures {
  constructor(
    private readonly database: Database,
    private readonly store: ErasureStore,
    private readonly rules: ErasureRules,
    private readonly writer: ErasureWriter,
    private readonly secrets: SubjectSecrets,
  ) {}

  /**
   * All of it in one transaction. Who was erased before and has not come back is not erased again: the answer is that of the first time.
   * @throws ProblemError `not-found` for a reference that the client never gave, `conflict` as of `ErasureRules`
   */
  async erase(call: Call, { client, reference, reason, ground }: NewErasure): Promise<Erasure & { repeated: boolean }> {
    const who = { clientId: client, subject: this.secrets.pseudonym(client, reference) };
    return this.database.transaction(async (tx) => {
      await lockSubject(tx, who.subject, 'alone');
      const lastMove = await this.store.lastMove(tx, who);
      if (lastMove === undefined) {
        const before = await this.store.lastOf(tx, who);
        if (before === undefined) throw new ProblemError('not-found', { rule: 'subject.unknown' });
        return { ...before, repeated: true };
      }
      await this.rules.check(tx, who, lastMove);
      return { ...(await this.writer.erase(tx, call, { ...who, ground, reason })), repeated: false };
    });
  }
}
