import { Injectable } from '@nestjs/common';
import type { Tx } from '../../platform/index.js';
import { lockSessions } from './locks.js';

/** Whom a session of the vendor's belongs to here. */
export interface SessionHolder {
  /** Pseudonym. */
  subject: string;
  /** Undefined when several verifications follow the session. */
  verification: string | undefined;
  /** Whether nothing of the person may be kept any more. */
  erased: boolean;
}

/** For whoever keeps what the vendor tells of a session. */
@Injectable()
export class ErasedSessions {
  /** Nobody erases the holder before the transaction ends. @returns undefined for a session that no verification has */
  async holderOf(tx: Tx, sessionId: string): Promise<SessionHolder | undefined> {
    return (await this.holdersOf(tx, [sessionId])).get(sessionId);
  }

  /** The same for several sessions. */
  async holdersOf(tx: Tx, sessionIds: readonly string[]): Promise<Map<string, SessionHolder>> {
    if (sessionIds.length === 0) return new Map();
    await lockSessions(tx, sessionIds);
    const rows = await tx.query<{ session: string; id: string; subject: string; erased_at: Date | null }[]>(
      'SELECT session_id AS session, id, subject, erased_at FROM orchestration.verifications WHERE session_id = ANY($1)',
      [sessionIds],
    );
    return new Map(
      [...Map.groupBy(rows, ({ session }) => session)].map(([session, [first, ...others]]) => [
        session,
        {
          subject: first?.subject ?? '',
          verification: others.length === 0 ? first?.id : undefined,
          erased: [first, ...others].every((row) => row?.erased_at !== null),
        },
      ]),
    );
  }
}
