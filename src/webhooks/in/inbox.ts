import { createHmac } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ErasedSessions, type SessionHolder } from '../../orchestration/index.js';
import { Clock, Database, Keyring, type Tx, uuidv7, Vault } from '../../platform/index.js';
import { WebhookEntity, type WebhookState } from './webhook.entity.js';

/** What an arrival became. */
export interface Arrival {
  id: string;
  /** Whether the event had come before. */
  duplicate: boolean;
  /** Whether there is work to do: not for what names no session, nor for what is done or under way. */
  open: boolean;
  /** Whom its session belongs to, as far as it is known here. */
  holder: SessionHolder | undefined;
}

export interface NewWebhook {
  vendor: string;
  eventKey: string;
  verdict: 'trusted' | 'ask';
  reason: string;
  eventType: string;
  sessionId: string | undefined;
  bytes: Buffer;
  digest: Buffer;
}

/** Of the bytes in the vault. */
export const PURPOSE = 'webhook';
/** In place of the digest of bytes that named somebody who was erased. */
export const NO_DIGEST = Buffer.alloc(32);
/** The bytes are evidence of what was sent; after this time the decision itself is all that matters. */
const KEEP_BYTES_MS = 30 * 86_400_000;

/** Whose key seals what the vendor told of a session. */
export function sessionOwner(vendor: string, sessionId: string): string {
  return `${vendor}-session:${sessionId}`;
}

/** The table of what was received. */
@Injectable()
export class Inbox {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly keyring: Keyring,
    private readonly clock: Clock,
    private readonly sessions: ErasedSessions,
  ) {}

  digest(bytes: Buffer): Buffer {
    return createHmac('sha256', this.keyring.key('webhook-digest')).update(bytes).digest();
  }

  /** Keeps a webhook once, however often and wherever it arrives. What could not be worked on before gets another chance. */
  async receive(tx: Tx, webhook: NewWebhook): Promise<Arrival> {
    const { vendor, eventKey, verdict, reason, eventType, sessionId, digest } = webhook;
    const now = this.clock.now();
    const id = uuidv7(now.getTime());
    const holder = sessionId === undefined ? undefined : await this.sessions.holderOf(tx, sessionId);
    const erased = holder?.erased === true;
    const open = sessionId !== undefined && !erased;
    const [made] = await tx.query<{ id: string }[]>(
      `INSERT INTO webhooks.inbox (id, vendor, event_key, verdict, reason, event_type, session_id, received_at, digest, state)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT ON CONSTRAINT inbox_event_key DO NOTHING RETURNING id`,
      [
        id,
        vendor,
        eventKey,
        verdict,
        reason,
        eventType,
        sessionId ?? null,
        now,
        erased ? NO_DIGEST : digest,
        open ? 'new' : 'kept',
      ],
    );
    if (made === undefined) return { ...(await this.again(tx, webhook, erased)), holder };
    if (!erased) await tx.query('UPDATE webhooks.inbox SET raw = $2 WHERE id = $1', [id, await this.keep(tx, webhook)]);
    return { id, duplicate: false, open, holder };
  }

  async find(id: string): Promise<WebhookEntity | null> {
    return this.database.source.manager.findOneBy(WebhookEntity, { id });
  }

  /** Ends a webhook that is still open. @returns whether it was. */
  async settle(tx: Pick<Tx, 'query'>, id: string, state: Exclude<WebhookState, 'new'>): Promise<boolean> {
    const [row] = await tx.query<{ n: number }[]>(
      `WITH settled AS (UPDATE webhooks.inbox SET state = $2, settled_at = $3 WHERE id = $1 AND state = 'new' RETURNING id)
       SELECT count(*)::integer AS n FROM settled`,
      [id, state, this.clock.now()],
    );
    return row?.n === 1;
  }

  /** Counts a look that found nobody who follows the session. @returns how many there were. */
  async countAttempt(tx: Tx, id: string): Promise<number> {
    const [row] = await tx.query<{ attempts: number }[]>(
      `WITH counted AS (UPDATE webhooks.inbox SET attempts = attempts + 1 WHERE id = $1 RETURNING attempts)
       SELECT attempts FROM counted`,
      [id],
    );
    return row?.attempts ?? 0;
  }

  /** Drops what nobody will send again. */
  async prune(before: Date): Promise<void> {
    await this.database.query(`DELETE FROM webhooks.inbox WHERE received_at < $1 AND state <> 'new'`, [before]);
  }

  private async again(tx: Tx, webhook: NewWebhook, erased: boolean): Promise<Omit<Arrival, 'holder'>> {
    const [row] = await tx.query<{ id: string; revived: boolean }[]>(
      `WITH known AS (
         SELECT id, state FROM webhooks.inbox WHERE vendor = $1 AND event_key = $2 AND verdict = $3 FOR UPDATE
       ), revived AS (
         UPDATE webhooks.inbox i SET state = 'new', attempts = 0, settled_at = NULL
           FROM known WHERE i.id = known.id AND known.state IN ('unmatched', 'failed') AND NOT $4 RETURNING i.id)
       SELECT known.id, EXISTS (SELECT FROM revived) AS revived FROM known`,
      [webhook.vendor, webhook.eventKey, webhook.verdict, erased],
    );
    if (row === undefined) throw new Error('the webhook went while it was being received');
    return { id: row.id, duplicate: true, open: row.revived };
  }

  /** Under a key a session: erasing a person erases those of their sessions. */
  private keep(tx: Tx, { vendor, sessionId, eventKey, bytes }: NewWebhook): Promise<string> {
    const owner = sessionId === undefined ? `${vendor}-event:${eventKey}` : sessionOwner(vendor, sessionId);
    return this.vault.put(tx, { owner, purpose: PURPOSE, plain: bytes, keepMs: KEEP_BYTES_MS });
  }
}
