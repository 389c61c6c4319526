import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditLog } from '../../audit/index.js';
import { type Call, Clock, Database, isUuid, Jobs, ProblemError, uuidv7, Vault } from '../../platform/index.js';
import { PURPOSE } from './inbox.js';
import { FOLLOW } from './queues.js';
import type { WebhookEntity, WebhookState } from './webhook.entity.js';

export const receivedListSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.uuid().optional(),
  state: z.enum(['new', 'done', 'kept', 'unmatched', 'failed']).optional(),
  verdict: z.enum(['trusted', 'ask']).optional(),
  /** As the vendor writes it; what is no name stands there as `unrecognised`. */
  type: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'is no type')
    .optional(),
  session: z.uuid().optional(),
});

export type ReceivedListQuery = z.output<typeof receivedListSchema>;

export interface ReceivedView {
  id: string;
  vendor: string;
  type: string;
  session: string | null;
  verdict: 'trusted' | 'ask';
  /** By which signature, or why it is not believed. */
  reason: string;
  state: WebhookState;
  attempts: number;
  receivedAt: string;
  settledAt: string | null;
}

export interface ReceivedDetailView extends ReceivedView {
  /** HMAC of its bytes: the same for the same bytes. */
  digest: string;
  /** Of its members those that name nobody; null once the bytes are no longer kept. */
  body: Record<string, string | number> | null;
}

type Row = Pick<
  WebhookEntity,
  'id' | 'vendor' | 'eventType' | 'sessionId' | 'verdict' | 'reason' | 'state' | 'attempts' | 'receivedAt' | 'settledAt'
> &
  Pick<WebhookEntity, 'raw' | 'digest'>;

const SELECT = `
SELECT id, vendor, event_type AS "eventType", session_id AS "sessionId", verdict, reason, state, attempts, received_at AS "receivedAt",
       settled_at AS "settledAt", raw, digest FROM webhooks.inbox`;

/** An allow-list: everything else may be the person's. */
const SHOWN = [
  'event_id',
  'webhook_type',
  'timestamp',
  'created_at',
  'environment',
  'status',
  'session_id',
  'session_kind',
  'workflow_id',
  'workflow_version',
  'transaction_id',
] as const;
const LONGEST_SHOWN = 128;

/** What vendors have sent, as administrators look at it, types that nobody knows among it; nothing that was forged is kept. */
@Injectable()
export class Received {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly jobs: Jobs,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Newest first. */
  async list(query: ReceivedListQuery): Promise<{ items: ReceivedView[]; nextCursor: string | null }> {
    const { limit, cursor, state, verdict, type, session } = query;
    const rows = await this.database.query<Row>(
      `${SELECT} WHERE ($1::uuid IS NULL OR id < $1) AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR verdict = $3)
         AND ($4::text IS NULL OR event_type = $4) AND ($5::uuid IS NULL OR session_id = $5) ORDER BY id DESC LIMIT $6`,
      [cursor ?? null, state ?? null, verdict ?? null, type ?? null, session ?? null, limit + 1],
    );
    const shown = rows.slice(0, limit);
    return { items: shown.map(view), nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
  }

  /** @throws ProblemError `not-found` */
  async get(id: string): Promise<ReceivedDetailView> {
    const row = await this.find(id);
    const bytes = row.raw === null ? undefined : await this.vault.get(this.database.source.manager, row.raw, PURPOSE);
    return { ...view(row), digest: row.digest.toString('hex'), body: bytes === undefined ? null : shownOf(bytes) };
  }

  /** Has the vendor asked about its session once more. @throws ProblemError `not-found`, `conflict` for one that names no session */
  async work(call: Call, id: string): Promise<ReceivedView> {
    const { sessionId } = await this.find(id);
    if (sessionId === null)
      throw new ProblemError('conflict', { detail: 'This webhook names no session.', rule: 'webhook.session' });
    await this.database.transaction(async (tx) => {
      const now = this.clock.now();
      await tx.query(`UPDATE webhooks.inbox SET state = 'new', attempts = 0, settled_at = NULL WHERE id = $1`, [id]);
      await this.jobs.send(tx, FOLLOW, { webhook: id, call: call.id });
      await this.auditLog.appendIn(tx, {
        id: uuidv7(now.getTime()),
        at: now.toISOString(),
        kind: 'admin.act',
        call: call.id,
        trace: call.traceId,
        actor: call.caller?.kind === 'administrator' ? call.caller.id : undefined,
        detail: { act: 'webhook.worked-again', webhook: id },
      });
    });
    return view(await this.find(id));
  }

  private async find(id: string): Promise<Row> {
    const [row] = isUuid(id) ? await this.database.query<Row>(`${SELECT} WHERE id = $1`, [id]) : [];
    if (row === undefined) throw new ProblemError('not-found', { rule: 'webhook.received' });
    return row;
  }
}

function shownOf(bytes: Buffer): Record<string, string | number> {
  const body = JSON.parse(bytes.toString()) as Record<string, unknown>;
  const shown: Record<string, string | number> = {};
  for (const name of SHOWN) {
    const value = body[name];
    if (typeof value === 'number') shown[name] = value;
    if (typeof value === 'string') shown[name] = value.slice(0, LONGEST_SHOWN);
  }
  return shown;
}

function view(row: Row): ReceivedView {
  return {
    id: row.id,
    vendor: row.vendor,
    type: row.eventType,
    session: row.sessionId,
    verdict: row.verdict,
    reason: row.reason,
    state: row.state,
    attempts: row.attempts,
    receivedAt: row.receivedAt.toISOString(),
    settledAt: row.settledAt?.toISOString() ?? null,
  };
}
