import { Injectable } from '@nestjs/common';
import { type Call, clientOf, Clock, ProblemError, type Tx } from '../../platform/index.js';
import { VendorFailure } from '../../vendors/index.js';
import { FallbackLadder } from '../fallback/ladder.js';
import { lockSubject } from '../erasure/locks.js';
import type { CreateBody } from './schemas.js';
import { SessionAttachment } from './session-attachment.js';
import { firstSteps, onRung } from './steps.js';
import { SubjectSecrets } from './subject-secrets.js';
import { SESSION_LIFE_MS, VendorSessions } from './vendor-sessions.js';
import { newVerification } from './new-verification.js';
import type { VerificationEntity } from './verification.entity.js';
import { VerificationProgress } from './verification-progress.js';
import { VerificationStore } from './verification-store.js';

interface Begun {
  row: VerificationEntity;
  /** An earlier attempt may have made a session: look for it before another is asked for. */
  look: boolean;
}

/**
 * Makes a verification. One Idempotency-Key makes one verification, and one verification at most one session, whatever breaks in between:
 * the row and the intent are durable before the vendor is asked, and a repeat goes on with that row.
 */
@Injectable()
export class VerificationCreator {
  constructor(
    private readonly store: VerificationStore,
    private readonly progress: VerificationProgress,
    private readonly sessions: VendorSessions,
    private readonly attachment: SessionAttachment,
    private readonly secrets: SubjectSecrets,
    private readonly ladder: FallbackLadder,
    private readonly clock: Clock,
  ) {}

  /**
   * While the vendor fails, it comes to stand on a rung of the ladder.
   * @param version of the workflow
   * @throws VendorFailure without a rung, ProblemError `unprocessable`.
   */
  async create(call: Call, body: CreateBody, version: number): Promise<VerificationEntity> {
    const { row, look } = await this.store.transaction((tx) => this.begin(tx, call, body, version));
    if (!isToBeSent(row)) return row;
    try {
      const found = look ? await this.sessions.find(call, row, body.subject.reference) : undefined;
      const session = found ?? (await this.ask(call, row, body, look));
      return await this.attachment.attach(call, row.id, session);
    } catch (error) {
      if (!this.ladder.takes(error)) throw error;
      return this.ladder.take(call, row.id, body, error);
    }
  }

  /** The row and the intent, before anything is sent. */
  private async begin(tx: Tx, call: Call, body: CreateBody, version: number): Promise<Begun> {
    const key = call.idempotency?.id;
    if (key === undefined) throw new Error('a verification is made under an Idempotency-Key only');
    const known = await this.store.lockByKey(tx, key);
    const begun = known ? await this.again(tx, call, known) : await this.anew(tx, call, body, key, version);
    call.verification = begun.row.id;
    call.subject = begun.row.subject;
    if (isToBeSent(begun.row)) await this.progress.intend(tx, call);
    return begun;
  }

  private async anew(tx: Tx, call: Call, body: CreateBody, key: string, version: number): Promise<Begun> {
    const now = this.clock.now();
    const { id: clientId } = clientOf(call);
    const { reference, relationship } = body.subject;
    const subject = this.secrets.pseudonym(clientId, reference);
    await lockSubject(tx, subject, 'shared');
    const row = newVerification(now, {
      clientId,
      idempotencyId: key,
      workflow: body.workflow,
      workflowVersion: version,
      subject,
      relationship,
      hosted: true,
      unsure: true,
      steps: firstSteps(),
      expiresAt: new Date(now.getTime() + SESSION_LIFE_MS),
    });
    row.sealedSubject = await this.secrets.sealReference(tx, row, reference);
    await this.store.insert(tx, row);
    return { row, look: false };
  }

  private async again(tx: Tx, call: Call, known: VerificationEntity): Promise<Begun> {
    if (!isToBeSent(known) && known.status !== 'failed') return { row: known, look: false };
    const changes = {
      unsure: true,
      searches: 0,
      lookedAt: this.clock.now(),
      rung: 'fresh' as const,
      steps: onRung(known.steps, 'fresh'),
    };
    const row = await this.progress.happen(tx, call, known, 'create.repeated', changes);
    return { row, look: known.unsure || known.status === 'failed' };
  }

  /** @param wasUnsure whether an earlier attempt may have left a session behind, which a refusal of this one says nothing about */
  private async ask(call: Call, row: VerificationEntity, body: CreateBody, wasUnsure: boolean) {
    try {
      return await this.sessions.create(call, row, body.subject.reference, body);
    } catch (error) {
      if (error instanceof VendorFailure) {
        if (error.outcome === 'none' && !wasUnsure) await this.settle(row.id);
      } else if (error instanceof ProblemError && error.code === 'unprocessable') await this.refused(call, row.id);
      throw error;
    }
  }

  /** The vendor has certainly made nothing: a repeat need not look first. */
  private async settle(id: string): Promise<void> {
    await this.store.transaction((tx) => this.store.update(tx, id, { unsure: false }));
  }

  private async refused(call: Call, id: string): Promise<void> {
    await this.store.transaction(async (tx) => {
      const row = await this.store.lock(tx, id);
      if (row?.sessionId === null) await this.progress.happen(tx, call, row, 'create.refused', { unsure: false });
    });
  }
}

/** Whether this call is to ask for a session; what waits in the queue or for a person is no longer its own to send. */
function isToBeSent(row: VerificationEntity): boolean {
  return row.sessionId === null && row.status === 'pending';
}
