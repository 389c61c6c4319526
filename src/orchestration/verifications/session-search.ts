import { Injectable } from '@nestjs/common';
import { Clock } from '../../platform/index.js';
import type { Background } from '../vendor/asker.js';
import { SessionAttachment } from './session-attachment.js';
import { SubjectSecrets } from './subject-secrets.js';
import { VendorSessions } from './vendor-sessions.js';
import type { VerificationEntity } from './verification.entity.js';
import { VerificationProgress } from './verification-progress.js';
import { VerificationStore } from './verification-store.js';

const MOST_SEARCHES = 5;

/** Looks for the session of one verification that never got it: what the vendor made is adopted, and nothing is created here. */
@Injectable()
export class SessionSearch {
  constructor(
    private readonly store: VerificationStore,
    private readonly progress: VerificationProgress,
    private readonly sessions: VendorSessions,
    private readonly attachment: SessionAttachment,
    private readonly secrets: SubjectSecrets,
    private readonly clock: Clock,
  ) {}

  /** Adopts its session, counts a search in vain, or ends it as failed. @throws VendorFailure when the vendor cannot be asked. */
  async search(id: string): Promise<void> {
    const row = await this.store.transaction((tx) => this.store.lock(tx, id));
    if (row === null || row.sessionId !== null || row.status !== 'pending') return;
    const asker: Background = {
      job: 'verifications.search',
      client: row.clientId,
      verification: row.id,
      subject: row.subject,
    };
    const reference = row.unsure ? await this.referenceOf(row) : null;
    if (reference === null) return this.giveUp(asker, id);
    // Marked before the vendor is asked, so that a search that fails rests like any other.
    await this.mark(row, row.searches);
    const session = await this.sessions.find(asker, row, reference);
    if (session) await this.attachment.attach(asker, id, session);
    else if (row.searches + 1 >= MOST_SEARCHES) await this.giveUp(asker, id);
    else await this.mark(row, row.searches + 1);
  }

  /** Null once the subject was erased: then there is no name to look for, and nobody to verify. */
  private async referenceOf(row: VerificationEntity): Promise<string | null> {
    const [secrets] = await this.secrets.open([row], false);
    return secrets?.reference ?? null;
  }

  private async mark(row: VerificationEntity, searches: number): Promise<void> {
    await this.store.transaction((tx) => this.store.update(tx, row.id, { searches, lookedAt: this.clock.now() }));
  }

  private async giveUp(asker: Background, id: string): Promise<void> {
    await this.store.transaction(async (tx) => {
      const row = await this.store.lock(tx, id);
      if (row?.sessionId === null) await this.progress.happen(tx, asker, row, 'create.given-up', { unsure: false });
    });
  }
}
