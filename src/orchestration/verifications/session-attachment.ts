import { Inject, Injectable } from '@nestjs/common';
import { Clock, type Config, CONFIG, ProblemError } from '../../platform/index.js';
import { sessionStatus } from '../../vendors/index.js';
import { Ownership } from '../ownership/ownership.js';
import { nextCheck } from '../reconciliation/check-times.js';
import type { Asker } from '../vendor/asker.js';
import { SubjectSecrets } from './subject-secrets.js';
import { isOpen, vendorEvent } from './transitions.js';
import { SESSION_LIFE_MS, type VendorSession } from './vendor-sessions.js';
import type { VerificationEntity } from './verification.entity.js';
import { VerificationProgress } from './verification-progress.js';
import { VerificationStore } from './verification-store.js';

/** Ties a session of the vendor's to the verification that it was made for. */
@Injectable()
export class SessionAttachment {
  constructor(
    private readonly store: VerificationStore,
    private readonly progress: VerificationProgress,
    private readonly secrets: SubjectSecrets,
    private readonly ownership: Ownership,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Session, link, owner and record at once. A verification that has a session already keeps that one. */
  async attach(asker: Asker, id: string, session: VendorSession): Promise<VerificationEntity> {
    return this.store.transaction(async (tx) => {
      const row = await this.store.lock(tx, id);
      if (row === null) throw new ProblemError('internal', { rule: 'verification.lost' });
      if (row.sessionId !== null) return row;
      await this.ownership.claim(tx, row.clientId, 'session', session.id);
      // Whoever was erased while the vendor was asked is given no new key.
      const { url } = row.erasedAt === null ? session : { url: null };
      const sealedLink = url === null ? null : await this.secrets.sealLink(tx, row, url);
      const now = this.clock.now();
      // A queued one's session begins its life now.
      const expiresAt = row.status === 'queued' ? new Date(now.getTime() + SESSION_LIFE_MS) : row.expiresAt;
      const follows = isOpen(row.status) && row.erasedAt === null;
      const changes = {
        sessionId: session.id,
        sealedLink,
        unsure: false,
        vendorStatus: session.status,
        lookedAt: now,
        seenAt: now,
        expiresAt,
        checkAt: follows ? nextCheck(this.config.reconciliation, now, 0, expiresAt) : null,
      };
      const detail = { sessionId: session.id, vendorStatus: session.status };
      const attached = await this.progress.happen(tx, asker, row, 'session.attached', changes, detail);
      // A session given out again may have begun already.
      const event = vendorEvent(sessionStatus(session.status) ?? 'pending');
      return event === undefined ? attached : this.progress.happen(tx, asker, attached, event, {}, detail);
    });
  }
}
