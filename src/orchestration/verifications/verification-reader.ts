import { Injectable } from '@nestjs/common';
import { type Call, clientOf, Clock, isUuid, Keyring, may, ProblemError } from '../../platform/index.js';
import { FallbackMetrics } from '../fallback/fallback-metrics.js';
import type { Rung } from '../fallback/rungs.js';
import { readCursor, writeCursor } from './cursor.js';
import { KeptDecisions } from './kept-decisions.js';
import type { ListQuery } from './schemas.js';
import { SubjectSecrets } from './subject-secrets.js';
import { isOpen } from './transitions.js';
import type { VerificationEntity } from './verification.entity.js';
import { VerificationFollower } from './verification-follower.js';
import { VerificationStore } from './verification-store.js';

/** A look at the vendor is good for that long: whoever asks more often is answered from what is known. */
const LOOK_AGE_MS = 2_000;

export interface Reading {
  row: VerificationEntity;
  /** The vendor's decision, unmasked; undefined before there is one. */
  decision: unknown;
  /** `fresh`: the vendor was asked just now, and only then do links to media still work; `cached`: what it said before. */
  rung: Rung;
  /** Seconds since the vendor said it; undefined for what the vendor was never asked about. */
  ageSeconds: number | undefined;
}

/** What a look at the vendor came to: `away` when it could not be had, `none` when nobody looked. */
type Look = { came: 'seen'; decision: unknown } | { came: 'away' | 'none' };

const NOBODY_LOOKED: Look = { came: 'none' };

export interface Page {
  rows: VerificationEntity[];
  nextCursor: string | null;
}

/** Verifications for those who ask: a client sees its own, and a foreign id is as unknown as one that never was. */
@Injectable()
export class VerificationReader {
  constructor(
    private readonly store: VerificationStore,
    private readonly follower: VerificationFollower,
    private readonly decisions: KeptDecisions,
    private readonly secrets: SubjectSecrets,
    private readonly metrics: FallbackMetrics,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
  ) {}

  /** @throws ProblemError `not-found` */
  async read(call: Call, id: string): Promise<Reading> {
    const known = await this.find(call, id);
    const look = await this.look(call, known);
    const row = look.came === 'none' ? known : await this.find(call, id);
    const from = this.origin(row, look);
    // Of a cancelled one the late answer is kept for the record and told to nobody.
    if (row.decision === null || row.status === 'cancelled') return { row, decision: undefined, ...from };
    const seen = seesMedia(call) && look.came === 'seen' ? look.decision : undefined;
    return { row, decision: seen ?? (await this.decisions.get(row)), ...from };
  }

  /** @throws ProblemError `invalid-cursor` */
  async page(call: Call, query: ListQuery): Promise<Page> {
    const { id: clientId } = clientOf(call);
    const { status, createdFrom, createdTo, limit } = query;
    const subject = query.subject === undefined ? undefined : this.secrets.pseudonym(clientId, query.subject);
    // The digest of a list of one person's is erased with the person.
    if (subject !== undefined) call.subject = subject;
    const list = [clientId, status, subject, createdFrom?.toISOString(), createdTo?.toISOString()].map(
      (part) => part ?? '',
    );
    const before = query.cursor === undefined ? undefined : readCursor(this.keyring, list, query.cursor);
    const rows = await this.store.page({ clientId, status, subject, createdFrom, createdTo, before, limit: limit + 1 });
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      rows: rows.slice(0, limit),
      nextCursor: last === undefined ? null : writeCursor(this.keyring, list, last.id),
    };
  }

  /** The caller's own, with the call told whom it is about. @throws ProblemError `not-found` */
  async find(call: Call, id: string): Promise<VerificationEntity> {
    const row = isUuid(id) ? await this.store.find(clientOf(call).id, id) : null;
    if (row === null) throw new ProblemError('not-found', { rule: 'verification.unknown' });
    call.verification = row.id;
    call.subject = row.subject;
    return row;
  }

  /**
   * Asks the vendor about one that is undecided, unless somebody has just asked: webhooks bring decisions sooner, and this brings them even
   * when webhooks are lost. For eyes that may see media it asks every time, since the links of a kept decision have long expired.
   */
  private async look(call: Call, row: VerificationEntity): Promise<Look> {
    if (row.sessionId === null || row.status === 'cancelled' || row.erasedAt !== null) return NOBODY_LOOKED;
    if (row.decision !== null && seesMedia(call)) return this.ask(call, row.sessionId);
    if (!isOpen(row.status)) return NOBODY_LOOKED;
    const now = this.clock.now();
    const lastBefore = new Date(now.getTime() - LOOK_AGE_MS);
    if (row.lookedAt > lastBefore || !(await this.store.takeLook(row.id, now, lastBefore))) return NOBODY_LOOKED;
    return this.ask(call, row.sessionId);
  }

  /** What is known can be told without the vendor: its trouble is told as its own, and is not this call's. */
  private async ask(call: Call, sessionId: string): Promise<Look> {
    try {
      const { decision } = await this.follower.followSession(call, sessionId);
      return { came: 'seen', decision };
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      this.metrics.taken('cached', 'session.decision');
      if (call.vendor !== undefined) call.vendor = { ...call.vendor, rung: 'cached' };
      return { came: 'away' };
    }
  }

  private origin(row: VerificationEntity, look: Look): Pick<Reading, 'rung' | 'ageSeconds'> {
    if (look.came === 'seen') return { rung: 'fresh', ageSeconds: 0 };
    if (row.seenAt === null || row.status === 'cancelled') return { rung: row.rung, ageSeconds: undefined };
    const ageMs = Math.max(0, this.clock.epochMs() - row.seenAt.getTime());
    return { rung: row.reviewedAt === null ? 'cached' : 'manual', ageSeconds: Math.floor(ageMs / 1_000) };
  }
}

function seesMedia(call: Call): boolean {
  return may(call, 'didit:media') && may(call, 'pii:read');
}
