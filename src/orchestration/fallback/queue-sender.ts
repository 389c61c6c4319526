import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { Clock, Log, ProblemError, Rounds, type Tx, uuidv7 } from '../../platform/index.js';
import { VendorFailure, VendorRefusal } from '../../vendors/index.js';
import { type Background, recordOf } from '../vendor/asker.js';
import { SessionAttachment } from '../verifications/session-attachment.js';
import { SubjectSecrets } from '../verifications/subject-secrets.js';
import { type VendorSession, VendorSessions } from '../verifications/vendor-sessions.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { VerificationProgress } from '../verifications/verification-progress.js';
import { VerificationStore } from '../verifications/verification-store.js';
import { FallbackLadder } from './ladder.js';
import { FallbackMetrics } from './fallback-metrics.js';
import { QueueBook, type Queued } from './queue-book.js';

export const SENDER = 'fallback.queue';
const RENEW_EVERY_MS = 3_000;
const MOST_STRIKES = 5;
/** Where nobody says how long to wait. */
const PUT_OFF_S = 1;

/** How one attempt ended: `failed` when the vendor cannot be had, `put-off` when the gateway itself had no room or budget for it. */
export type Sent = 'sent' | 'over' | 'failed' | 'put-off';

type Attempt = Background & { attempt: string };

/** Somebody else works on it now: this attempt must not send any more. */
class LeaseLost extends Error {}

/**
 * Sends one verification of the queue. It may have been sent before by whoever died meanwhile, or by the call that queued it: where that
 * outcome is unknown the vendor is asked first, so that no verification gets two sessions.
 */
@Injectable()
export class QueueSender {
  /** When this instance last had a session made. */
  #madeAt = new Date(0);

  constructor(
    private readonly store: VerificationStore,
    private readonly progress: VerificationProgress,
    private readonly sessions: VendorSessions,
    private readonly attachment: SessionAttachment,
    private readonly secrets: SubjectSecrets,
    private readonly queue: QueueBook,
    private readonly ladder: FallbackLadder,
    private readonly metrics: FallbackMetrics,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** @param restMs how long it rests when the vendor fails it */
  async send(queued: Queued, restMs: (failure: ProblemError) => number): Promise<Sent> {
    const holder = uuidv7(this.clock.epochMs());
    const row = await this.claim(queued, holder);
    if (row === undefined) return 'over';
    const lease = new Rounds('fallback.lease', RENEW_EVERY_MS, this.log, async () => {
      await this.store.transaction((tx) => this.queue.renew(tx, queued.id, holder));
    });
    try {
      return await this.work(queued, row, holder);
    } catch (error) {
      if (error instanceof LeaseLost) return 'over';
      if (!(error instanceof ProblemError)) throw error;
      if (isOwnRefusal(error)) return await this.putOff(queued, holder, error);
      return await this.failed(queued, holder, error, restMs(error));
    } finally {
      await lease.stop();
      await this.queue.letGo(queued.id, holder);
    }
  }

  private claim(queued: Queued, holder: string): Promise<VerificationEntity | undefined> {
    return this.store.transaction(async (tx) => {
      const row = await this.store.lock(tx, queued.id);
      const waits = row?.status === 'queued' && row.sessionId === null && row.erasedAt === null;
      return waits && (await this.queue.claim(tx, queued.id, holder)) ? row : undefined;
    });
  }

  private async work(queued: Queued, row: VerificationEntity, holder: string): Promise<Sent> {
    const asker = { ...askerOf(row), attempt: uuidv7(this.clock.epochMs()) };
    const [opened] = await this.secrets.open([row], false);
    const reference = opened?.reference ?? null;
    const wanted = await this.store.transaction((tx) => this.queue.wanted(tx, queued));
    if (reference === null || wanted === undefined) return this.giveUp(row, 'no-longer-kept');
    const { workflow, relationship } = row;
    const body = { workflow: workflow as 'onboarding', subject: { reference, relationship }, ...wanted };
    const found = row.unsure ? await this.sessions.find(asker, row, reference) : undefined;
    const session =
      found ?? (await this.create(asker, row, holder, () => this.sessions.create(asker, row, reference, body)));
    if (session === undefined) return this.refused(asker, row);
    await this.attachment.attach(asker, row.id, session);
    await this.store.transaction((tx) => this.queue.remove(tx, row.id));
    this.#madeAt = this.clock.now();
    this.metrics.left('sent');
    return 'sent';
  }

  /** @returns undefined when the vendor refused the request itself */
  private async create(
    asker: Attempt,
    row: VerificationEntity,
    holder: string,
    send: () => Promise<VendorSession>,
  ): Promise<VendorSession | undefined> {
    await this.store.transaction((tx) => this.intend(tx, asker, row.id, holder));
    try {
      return await send();
    } catch (error) {
      if (error instanceof VendorFailure) {
        if (error.outcome === 'none' && !row.unsure) await this.settle(row.id);
      } else {
        // Where nothing was sent no record of it came about, and the intent has to have its end all the same.
        const answered = error instanceof ProblemError && error.rule === 'vendor.refused';
        if (!answered) await this.tellEnd(asker, error);
        if (error instanceof ProblemError && error.code === 'unprocessable') return undefined;
        if (error instanceof ProblemError && !row.unsure) await this.settle(row.id);
      }
      throw error;
    }
  }

  /** Durable before anything is sent, and only while it is still this sender's to send. */
  private async intend(tx: Tx, asker: Background, id: string, holder: string): Promise<void> {
    const row = await this.store.lock(tx, id);
    const waits = row?.status === 'queued' && row.sessionId === null && row.erasedAt === null;
    if (!waits || !(await this.queue.renew(tx, id, holder))) throw new LeaseLost();
    await this.store.update(tx, id, { unsure: true });
    await this.progress.intend(tx, asker);
  }

  private async settle(id: string): Promise<void> {
    await this.store.transaction((tx) => this.store.update(tx, id, { unsure: false }));
  }

  private async tellEnd(asker: Attempt, error: unknown): Promise<void> {
    const problem = error instanceof ProblemError ? error.code : 'internal';
    const record = recordOf(asker, 'vendor.call', this.clock.now());
    await this.auditLog.append({ ...record, id: asker.attempt, detail: { job: SENDER, problem } });
  }

  private async refused(asker: Background, row: VerificationEntity): Promise<Sent> {
    await this.store.transaction(async (tx) => {
      const now = await this.store.lock(tx, row.id);
      await this.queue.remove(tx, row.id);
      if (now?.sessionId === null) await this.progress.happen(tx, asker, now, 'create.refused', { unsure: false });
    });
    this.metrics.left('failed');
    return 'over';
  }

  private async failed(queued: Queued, holder: string, error: ProblemError, restMs: number): Promise<Sent> {
    await this.store.transaction(async (tx) => {
      const row = await this.store.lock(tx, queued.id);
      const until = new Date(this.clock.epochMs() + restMs);
      const strikes = await this.queue.rest(tx, queued.id, holder, until, this.#madeAt);
      if (row?.status === 'queued' && strikes >= MOST_STRIKES)
        await this.ladder.below(tx, askerOf(row), row, error.code);
    });
    return 'failed';
  }

  /** Its client's share of the vendor's budget is used up, or there is no place: nothing that the vendor or the others have to do with. */
  private async putOff({ id }: Queued, holder: string, refusal: VendorRefusal): Promise<Sent> {
    const restMs = (refusal.retryAfterSeconds ?? PUT_OFF_S) * 1_000;
    await this.queue.letGo(id, holder, new Date(this.clock.epochMs() + restMs));
    return 'put-off';
  }

  private async giveUp(row: VerificationEntity, why: string): Promise<Sent> {
    await this.store.transaction(async (tx) => {
      const now = await this.store.lock(tx, row.id);
      if (now?.status === 'queued') await this.ladder.below(tx, askerOf(now), now, why);
    });
    return 'over';
  }
}

/** An open breaker tells of the vendor; everything else for which nothing is sent is the gateway's own. */
function isOwnRefusal(error: ProblemError): error is VendorRefusal {
  return error instanceof VendorRefusal && error.problem !== 'vendor-unavailable';
}

export function askerOf(row: VerificationEntity): Background {
  // Its client has asked for it and pays for it: with the gateway's own small share of the vendor's budget a queue would take hours.
  const priority = 'interactive';
  return { job: SENDER, client: row.clientId, verification: row.id, subject: row.subject, priority };
}
