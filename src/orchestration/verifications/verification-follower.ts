import { Inject, Injectable } from '@nestjs/common';
import { Clock, type Config, CONFIG, Outbox, type Tx } from '../../platform/index.js';
import { CachedAnswers, sessionStatus, stepsOf, unknownStatuses } from '../../vendors/index.js';
import { nextCheck } from '../reconciliation/check-times.js';
import type { Asker } from '../vendor/asker.js';
import { KeptDecisions } from './kept-decisions.js';
import { advance } from './steps.js';
import { isDecided, isOpen, next, type Status, vendorEvent } from './transitions.js';
import { VendorSessions } from './vendor-sessions.js';
import type { VerificationEntity } from './verification.entity.js';
import { VerificationProgress } from './verification-progress.js';
import { type Changes, changed, VerificationStore } from './verification-store.js';

/** Vendor statuses at which there is something to tell of the person. */
const DECIDED: ReadonlySet<string> = new Set([
  'Approved',
  'Declined',
  'In Review',
  'Resubmitted',
  'Abandoned',
  'Kyc Expired',
]);

const LONGEST_STATUS = 64;

/** What gives rise to a look: the vendor's webhook, the sweep because nothing was heard, or somebody who wants to know. */
export type Occasion = 'webhook' | 'sweep' | 'asked';

export interface Followed {
  /** How many verifications follow that session. */
  followers: number;
  /** Ids of those whose status has changed. */
  moved: string[];
  /** The vendor's decision as it came, with its media links; undefined when nobody follows or the vendor knows the session no more. */
  decision: unknown;
}

interface Seen {
  decision: unknown;
  /** The vendor's own word. */
  vendorStatus: string;
  status: Status | undefined;
  /** Number of the look at which it was seen. */
  look: string;
  now: Date;
  occasion: Occasion;
}

/** Brings verifications to where their session stands at the vendor. What the vendor answers is the truth; what anybody told is not. */
@Injectable()
export class VerificationFollower {
  constructor(
    private readonly store: VerificationStore,
    private readonly progress: VerificationProgress,
    private readonly sessions: VendorSessions,
    private readonly decisions: KeptDecisions,
    private readonly cached: CachedAnswers,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Asks the vendor and moves all verifications of that session, each with its record, in one transaction. Doing it again changes nothing;
   * of two at once the one that began to ask later wins, since it has seen all that the other has.
   * @param asker the call that wants to know, or the work in the background
   * @throws VendorFailure when the vendor cannot be asked.
   */
  async followSession(asker: Asker, sessionId: string, occasion: Occasion = 'asked'): Promise<Followed> {
    // What was kept of a session is no longer the truth once the vendor has told of a change, whether or not it can be asked now.
    if (occasion === 'webhook') await this.store.transaction((tx) => this.cached.purge(tx, [sessionId]));
    const { look, followers } = await this.store.beginLook(sessionId);
    if (followers === 0) return { followers, moved: [], decision: undefined };
    const decision = await this.sessions.decision(asker, sessionId);
    if (decision === undefined) {
      const gone = () => this.store.transaction((tx) => this.sessionGone(tx, asker, sessionId, look));
      return { followers, moved: occasion === 'sweep' ? await gone() : [], decision };
    }
    const vendorStatus = String((decision as Record<string, unknown>)['status']).slice(0, LONGEST_STATUS);
    const seen = { decision, vendorStatus, status: sessionStatus(vendorStatus), look, now: this.clock.now(), occasion };
    const moved = await this.store.transaction((tx) => this.apply(tx, asker, sessionId, seen));
    return { followers, moved, decision };
  }

  /** The client deleted the session at the vendor: what is undecided ends, and no copy of the decision stays. */
  async sessionDeleted(asker: Asker, sessionId: string): Promise<void> {
    const { look } = await this.store.beginLook(sessionId);
    await this.store.transaction(async (tx) => {
      const rows = await this.store.lockBySession(tx, sessionId);
      await this.cached.purge(tx, [sessionId]);
      for (const row of rows) {
        await this.decisions.drop(tx, row);
        await this.progress.happen(tx, asker, row, 'session.deleted', {
          decision: null,
          look,
          sealedLink: null,
          checkAt: null,
        });
      }
    });
  }

  /** The vendor knows the session no more: past its end it has expired; before that the sweep asks again, ever more rarely. */
  private async sessionGone(tx: Tx, asker: Asker, sessionId: string, look: string): Promise<string[]> {
    const now = this.clock.now();
    const moved: string[] = [];
    for (const row of await this.store.lockBySession(tx, sessionId)) {
      if (!isOpen(row.status) || BigInt(row.look) >= BigInt(look)) continue;
      if (row.expiresAt <= now) {
        await this.progress.happen(tx, asker, row, 'vendor.expired', { look, checkAt: null }, { vendorStatus: 'gone' });
        moved.push(row.id);
        continue;
      }
      const checks = row.checks + 1;
      const checkAt = nextCheck(this.config.reconciliation, now, checks, row.expiresAt);
      await this.store.update(tx, row.id, { look, checks, checkAt });
    }
    return moved;
  }

  private async apply(tx: Tx, asker: Asker, sessionId: string, seen: Seen): Promise<string[]> {
    const rows = await this.store.lockBySession(tx, sessionId);
    const [first] = rows;
    // A later look has been applied: this one saw no more than that.
    if (first === undefined || rows.some((row) => BigInt(row.look) >= BigInt(seen.look))) return [];
    if (rows.some((row) => row.vendorStatus !== seen.vendorStatus)) await this.cached.purge(tx, [sessionId]);
    for (const { path, status } of unknownStatuses('session.decision', seen.decision))
      await this.tellUnknown(tx, seen.now, path, status);
    const decision = DECIDED.has(seen.vendorStatus)
      ? await this.decisions.replace(tx, first, seen.decision)
      : first.decision;
    const moved: string[] = [];
    for (const row of rows) {
      const after = await this.move(tx, asker, row, { ...seen, kept: decision });
      if (after.status !== row.status) moved.push(row.id);
    }
    return moved;
  }

  private async move(
    tx: Tx,
    asker: Asker,
    row: VerificationEntity,
    seen: Seen & { kept: string | null },
  ): Promise<VerificationEntity> {
    const { look, vendorStatus, now } = seen;
    const base: Changes = { look, vendorStatus, decision: seen.kept, lookedAt: now, seenAt: now, checkAt: null };
    // The late answer of a cancelled one is kept and moves nothing.
    if (row.status === 'cancelled') return this.write(tx, row, base);
    if (row.reviewedAt !== null) return this.afterReview(tx, asker, row, seen, base);
    const steps = advance(row.steps, stepsOf(seen.decision).steps, now);
    const event = seen.status === undefined || seen.status === row.status ? undefined : vendorEvent(seen.status);
    const to = event === undefined ? row.status : (next(row.status, event) ?? row.status);
    const end = endOf(seen.decision);
    const changes: Changes = { ...base, steps, ...end, ...this.watch(changed(row, end), to, seen) };
    if (event !== undefined) return this.progress.happen(tx, asker, row, event, changes, { vendorStatus, look });
    const visible = seen.kept !== row.decision || steps.some((step, at) => step !== row.steps[at]);
    return this.write(tx, row, visible ? { ...changes, updatedAt: now } : changes);
  }

  /** When the sweep looks again, and whether a webhook has told of the decision. */
  private watch(row: VerificationEntity, to: Status, { occasion, now }: Seen): Changes {
    if (isDecided(to))
      return { checkAt: null, checks: 0, ...(occasion === 'webhook' ? { notifiedAt: row.notifiedAt ?? now } : {}) };
    if (!isOpen(to)) return { checkAt: null };
    const checks = to === row.status && occasion !== 'webhook' ? row.checks + (occasion === 'sweep' ? 1 : 0) : 0;
    return { checks, checkAt: nextCheck(this.config.reconciliation, now, checks, row.expiresAt) };
  }

  /** A person has decided: the vendor's later word is kept beside it, and where it says otherwise people hear of it. */
  private async afterReview(
    tx: Tx,
    asker: Asker,
    row: VerificationEntity,
    seen: Seen,
    changes: Changes,
  ): Promise<VerificationEntity> {
    const event = seen.status === undefined || !isDecided(seen.status) ? undefined : vendorEvent(seen.status);
    if (event !== undefined && seen.status !== row.status && seen.vendorStatus !== row.vendorStatus) {
      const recordId = await this.progress.withstand(tx, asker, row, event, { vendorStatus: seen.vendorStatus });
      await this.outbox.tell(tx, {
        at: seen.now,
        kind: 'review.contradicted',
        subject: 'didit',
        recordId,
        detail: { verification: row.id, reviewed: row.status, vendorStatus: seen.vendorStatus },
      });
    }
    return this.write(tx, row, changes);
  }

  private async write(tx: Tx, row: VerificationEntity, changes: Changes): Promise<VerificationEntity> {
    await this.store.update(tx, row.id, changes);
    return changed(row, changes);
  }

  /** @param path of the status in the decision: the session's own, or that of a module's report */
  private async tellUnknown(tx: Tx, at: Date, path: string, status: string): Promise<void> {
    const detail = path === 'status' ? { status } : { path, status };
    await this.outbox.tell(tx, { at, kind: 'vendor.unknown-status', subject: 'didit', detail });
  }
}

function endOf(decision: unknown): Changes {
  const { expires_at: end } = decision as Record<string, unknown>;
  const at = typeof end === 'string' ? new Date(end) : undefined;
  return at === undefined || Number.isNaN(at.getTime()) ? {} : { expiresAt: at };
}
