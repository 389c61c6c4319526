import { Injectable } from '@nestjs/common';
import type { Tx } from '../../platform/index.js';
import { lockSession } from './locks.js';

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
    await lockSession(tx, sessionId, 'shared');
    const rows = await tx.query<{ id: string; subject: string; erased_at: Date | null }[]>(
      'SELECT id, subject, erased_at FROM orchestration.verifications WHERE session_id = $1',
      [sessionId],
    );
    const [first] = rows;
    if (first === undefined) return undefined;
    return {
      subject: first.subject,
      verification: rows.length === 1 ? first.id : undefined,
      erased: rows.every((row) => row.erased_at !== null),
    };
  }
}
