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

interface Arriving {
  id: string;
  webhook: NewWebhook;
  holder: SessionHolder | undefined;
  erased: boolean;
  open: boolean;
  digest: Buffer;
}

const INSERT = `
INSERT INTO webhooks.inbox (id, vendor, event_key, verdict, reason, event_type, session_id, digest, state, received_at)
SELECT w.*, $10 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::bytea[], $9::text[]) AS w
    ON CONFLICT ON CONSTRAINT inbox_event_key DO NOTHING RETURNING id`;

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

  /**
   * Keeps each webhook once, however often and wherever it arrives. What could not be worked on before gets another chance.
   * @returns what each became, in their order
   */
  async receive(tx: Tx, webhooks: readonly NewWebhook[]): Promise<Arrival[]> {
    const holders = await this.sessions.holdersOf(
      tx,
      webhooks.flatMap(({ sessionId }) => sessionId ?? []),
    );
    const arriving = webhooks.map((webhook) => this.arriving(webhook, holders));
    const rows = await tx.query<{ id: string }[]>(INSERT, [
      arriving.map(({ id }) => id),
      webhooks.map(({ vendor }) => vendor),
      webhooks.map(({ eventKey }) => eventKey),
      webhooks.map(({ verdict }) => verdict),
      webhooks.map(({ reason }) => reason),
      webhooks.map(({ eventType }) => eventType),
      webhooks.map(({ sessionId }) => sessionId ?? null),
      arriving.map(({ digest }) => digest),
      arriving.map(({ open }) => (open ? 'new' : 'kept')),
      this.clock.now(),
    ]);
    const made = new Set(rows.map(({ id }) => id));
    await this.keep(
      tx,
      arriving.filter(({ id, erased }) => made.has(id) && !erased),
    );
    const arrivals: Arrival[] = [];
    for (const { id, webhook, erased, open, holder } of arriving)
      arrivals.push(
        made.has(id) ? { id, duplicate: false, open, holder } : { ...(await this.again(tx, webhook, erased)), holder },
      );
    return arrivals;
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

  private arriving(webhook: NewWebhook, holders: ReadonlyMap<string, SessionHolder>): Arriving {
    const { sessionId, digest } = webhook;
    const holder = sessionId === undefined ? undefined : holders.get(sessionId);
    const erased = holder?.erased === true;
    return {
      id: uuidv7(this.clock.epochMs()),
      webhook,
      holder,
      erased,
      open: sessionId !== undefined && !erased,
      digest: erased ? NO_DIGEST : digest,
    };
  }

  /** Under a key a session: erasing a person erases those of their sessions. */
  private async keep(tx: Tx, arrived: readonly Arriving[]): Promise<void> {
    const raws = await this.vault.putAll(
      tx,
      arrived.map(({ webhook: { vendor, sessionId, eventKey, bytes } }) => ({
        owner: sessionId === undefined ? `${vendor}-event:${eventKey}` : sessionOwner(vendor, sessionId),
        purpose: PURPOSE,
        plain: bytes,
        keepMs: KEEP_BYTES_MS,
      })),
    );
    if (raws.length === 0) return;
    await tx.query(
      'UPDATE webhooks.inbox i SET raw = kept.raw FROM unnest($1::uuid[], $2::uuid[]) AS kept (id, raw) WHERE i.id = kept.id',
      [arrived.map(({ id }) => id), raws],
    );
  }
}
