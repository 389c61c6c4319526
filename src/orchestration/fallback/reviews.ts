import { Injectable } from '@nestjs/common';
import { administratorOf, type Call, Clock, isUuid, Outbox, ProblemError, type Tx } from '../../platform/index.js';
import { lockSubject } from '../erasure/locks.js';
import type { Relationship } from '../verifications/schemas.js';
import { SubjectSecrets } from '../verifications/subject-secrets.js';
import type { Status } from '../verifications/transitions.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { VerificationProgress } from '../verifications/verification-progress.js';
import { VerificationStore } from '../verifications/verification-store.js';
import type { ReviewBody, ReviewListQuery } from './review-schemas.js';
import type { VerificationRung } from './rungs.js';

/** A verification that waits for a person, or that one has decided. */
export interface ReviewView {
  verification: string;
  client: string;
  /** The firm's own reference: a person cannot decide about a pseudonym. Null once the subject was erased. */
  reference: string | null;
  /** Pseudonym, as records show it. */
  subject: string;
  relationship: Relationship;
  status: Status;
  /** `manual`: the vendor failed it; any other: the vendor itself has left it to a person. */
  rung: VerificationRung;
  vendor: { name: string; sessionId: string | null; status: string | null };
  createdAt: string;
  updatedAt: string;
  reviewedBy: string | null;
  reviewedAt: string | null;
}

export interface DecidedReviewView extends ReviewView {
  /** As the person wrote it; null once the subject was erased. */
  reason: string | null;
}

/** The last rung but the error: a named person decides what the vendor could not, or has left open. */
@Injectable()
export class Reviews {
  constructor(
    private readonly store: VerificationStore,
    private readonly progress: VerificationProgress,
    private readonly secrets: SubjectSecrets,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /** @throws ProblemError `not-found` for one that nobody has reviewed */
  async read(call: Call, id: string): Promise<DecidedReviewView> {
    const row = await this.find(call, id);
    const [view] = row.reviewedAt === null ? [] : await this.views([row]);
    if (view === undefined) throw new ProblemError('not-found', { rule: 'review.none' });
    return { ...view, reason: await this.secrets.openReview(row) };
  }

  /** Oldest first. @throws ProblemError `invalid-cursor` */
  async open({ limit, cursor }: ReviewListQuery): Promise<{ items: ReviewView[]; nextCursor: string | null }> {
    const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString();
    if (after !== undefined && !isUuid(after)) throw new ProblemError('invalid-cursor', { rule: 'cursor.id' });
    const found = await this.store.pageInReview(after, limit + 1);
    const rows = found.slice(0, limit);
    const last = found.length > limit ? rows.at(-1) : undefined;
    return {
      items: await this.views(rows),
      nextCursor: last === undefined ? null : Buffer.from(last.id).toString('base64url'),
    };
  }

  /**
   * The person's decision. It stands whatever the vendor says afterwards; the same decision again changes nothing.
   * @throws ProblemError `not-found`, `conflict` for one that waits for nobody
   */
  async decide(call: Call, id: string, { outcome, reason }: ReviewBody): Promise<ReviewView> {
    const known = await this.find(call, id);
    const row = await this.store.transaction(async (tx) => {
      await lockSubject(tx, known.subject, 'shared');
      const locked = await this.store.lock(tx, known.id);
      if (locked === null || locked.erasedAt !== null)
        throw new ProblemError('not-found', { rule: 'verification.erased' });
      return this.apply(tx, call, locked, outcome, reason);
    });
    const [view] = await this.views([row]);
    if (view === undefined) throw new Error('a row has a view');
    return view;
  }

  private async find(call: Call, id: string): Promise<VerificationEntity> {
    const row = isUuid(id) ? await this.store.byId(id) : null;
    if (row === null) throw new ProblemError('not-found', { rule: 'verification.unknown' });
    call.verification = row.id;
    call.subject = row.subject;
    return row;
  }

  private async apply(
    tx: Tx,
    call: Call,
    row: VerificationEntity,
    outcome: ReviewBody['outcome'],
    reason: string,
  ): Promise<VerificationEntity> {
    const by = administratorOf(call).id;
    if (row.reviewedBy === by && row.status === outcome) return row;
    if (row.status !== 'in-review')
      throw new ProblemError('conflict', {
        detail: `This verification is ${row.status} and waits for no review.`,
        rule: 'review.closed',
      });
    const now = this.clock.now();
    const changes = {
      reviewedBy: by,
      reviewedAt: now,
      sealedReview: await this.secrets.sealReview(tx, row, reason),
      checkAt: null,
    };
    // The reason is free text and may name the person: it stands under the subject's key and not in the log.
    const detail = { rung: row.rung, vendorStatus: row.vendorStatus ?? undefined };
    const after = await this.progress.happen(tx, call, row, `review.${outcome}`, changes, detail);
    await this.outbox.tell(tx, {
      at: now,
      kind: 'review.decided',
      subject: 'didit',
      detail: { rung: row.rung, outcome },
    });
    return after;
  }

  private async views(rows: readonly VerificationEntity[]): Promise<ReviewView[]> {
    const secrets = await this.secrets.open(rows, false);
    return rows.map((row, at) => ({
      verification: row.id,
      client: row.clientId,
      reference: secrets[at]?.reference ?? null,
      subject: row.subject,
      relationship: row.relationship,
      status: row.status,
      rung: row.rung,
      vendor: { name: row.vendor, sessionId: row.sessionId, status: row.vendorStatus },
      createdAt: row.createdAt.toISOString(),
      updatedAt: row.updatedAt.toISOString(),
      reviewedBy: row.reviewedBy,
      reviewedAt: row.reviewedAt?.toISOString() ?? null,
    }));
  }
}
