import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { type Call, Clock, Database, isUuid, ProblemError, type Tx, uuidv7 } from '../../platform/index.js';
import { EndpointStore, type Owner } from './endpoint-store.js';
import type { DELIVERY_STATES, DeliveryListQuery, ResendBody } from './schemas.js';

export interface DeliveryView {
  id: string;
  endpoint: string;
  event: {
    /** As receivers see it. */
    id: string;
    type: string;
    at: string;
    verification: string | null;
    facts: Record<string, string | number | boolean>;
  };
  state: (typeof DELIVERY_STATES)[number];
  attempts: number;
  /** Of one that waits. */
  nextAt: string | null;
  createdAt: string;
  endedAt: string | null;
}

export interface AttemptView {
  id: string;
  at: string;
  durationMs: number;
  outcome: string;
  /** Of the answer; 0 when none came. */
  status: number;
  contentType: string | null;
  answerBytes: number;
}

export interface DeliveryDetailView extends DeliveryView {
  tries: AttemptView[];
}

interface Row {
  n: string;
  id: string;
  endpoint: string;
  event: string;
  type: string;
  at: Date;
  verification: string | null;
  facts: Record<string, string | number | boolean>;
  state: DeliveryView['state'];
  attempts: number;
  nextAt: Date;
  createdAt: Date;
  endedAt: Date | null;
}

const SELECT = `
SELECT d.n, d.id, d.endpoint_id AS endpoint, v.id AS event, v.type, v.at, d.verification_id AS verification, v.facts, d.state, d.attempts,
       d.next_at AS "nextAt", d.created_at AS "createdAt", d.ended_at AS "endedAt"
  FROM webhooks.deliveries d JOIN webhooks.events v ON v.id = d.event_id JOIN webhooks.endpoints e ON e.id = d.endpoint_id`;

/** From the first attempt on, as if it had just come about. */
const AGAIN = `state = 'waiting', attempts = 0, next_at = $1, ended_at = NULL, holder = NULL, lease_until = NULL`;
const MOST_AT_ONCE = 10_000;

/** Deliveries as clients and administrators look at them, and have them sent again. */
@Injectable()
export class Deliveries {
  constructor(
    private readonly database: Database,
    private readonly endpoints: EndpointStore,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Newest first. @throws ProblemError `invalid-cursor` */
  async list(
    owner: Owner,
    { cursor, endpoint, verification, state, type, from, to, limit }: DeliveryListQuery,
  ): Promise<{ items: DeliveryView[]; nextCursor: string | null }> {
    if (cursor !== undefined && !/^\d{1,18}$/.test(cursor))
      throw new ProblemError('invalid-cursor', { rule: 'cursor.number' });
    const rows = await this.database.query<Row>(
      `${SELECT} WHERE ($1::uuid IS NULL OR e.client_id = $1) AND ($2::uuid IS NULL OR d.endpoint_id = $2)
         AND ($3::uuid IS NULL OR d.verification_id = $3) AND ($4::text IS NULL OR d.state = $4) AND ($5::text IS NULL OR v.type = $5)
         AND ($6::timestamptz IS NULL OR d.created_at >= $6) AND ($7::timestamptz IS NULL OR d.created_at < $7)
         AND ($8::bigint IS NULL OR d.n < $8) ORDER BY d.n DESC LIMIT $9`,
      [clientOf(owner), endpoint, verification, state, type, from, to, cursor, limit + 1].map((value) => value ?? null),
    );
    const shown = rows.slice(0, limit);
    return { items: shown.map(view), nextCursor: rows.length > limit ? (shown.at(-1)?.n ?? null) : null };
  }

  /** @throws ProblemError `not-found` */
  async get(owner: Owner, id: string): Promise<DeliveryDetailView> {
    const row = await this.find(this.database.source.manager, owner, id);
    const tries = await this.database.query<Omit<AttemptView, 'at'> & { at: Date }>(
      `SELECT id, at, duration_ms AS "durationMs", outcome, status, content_type AS "contentType", answer_bytes AS "answerBytes"
         FROM webhooks.attempts WHERE delivery_id = $1 ORDER BY at, id`,
      [row.id],
    );
    return { ...view(row), tries: tries.map((one) => ({ ...one, at: one.at.toISOString() })) };
  }

  /** One that has ended; one that waits is sent now. */
  async resend(call: Call, owner: Owner, id: string): Promise<DeliveryDetailView> {
    await this.database.transaction(async (tx) => {
      const { endpoint } = await this.find(tx, owner, id);
      await tx.query(
        `UPDATE webhooks.deliveries SET ${AGAIN} WHERE id = $2 AND (lease_until IS NULL OR lease_until <= $1)`,
        [this.clock.now(), id],
      );
      await this.record(tx, call, endpoint, { delivery: id });
    });
    return this.get(owner, id);
  }

  /** Those of an endpoint that came about in a window and have ended so. @returns how many are sent again */
  resendAll(call: Call, owner: Owner, endpoint: string, { from, to, states }: ResendBody): Promise<{ resent: number }> {
    return this.database.transaction(async (tx) => {
      await this.endpoints.get(tx, owner, endpoint);
      const [row] = await tx.query<{ n: number }[]>(
        `WITH again AS (
           UPDATE webhooks.deliveries SET ${AGAIN} WHERE n IN (
             SELECT n FROM webhooks.deliveries
              WHERE endpoint_id = $2 AND created_at >= $3 AND created_at < $4 AND state = ANY($5) ORDER BY n LIMIT $6 FOR UPDATE)
           RETURNING n)
         SELECT count(*)::integer AS n FROM again`,
        [this.clock.now(), endpoint, from, to, states, MOST_AT_ONCE],
      );
      const resent = row?.n ?? 0;
      await this.record(tx, call, endpoint, { from: from.toISOString(), to: to.toISOString(), states, resent });
      return { resent };
    });
  }

  private async find(from: Pick<Tx, 'query'>, owner: Owner, id: string): Promise<Row> {
    const [row] = isUuid(id)
      ? await from.query<Row[]>(`${SELECT} WHERE d.id = $1 AND ($2::uuid IS NULL OR e.client_id = $2)`, [
          id,
          clientOf(owner),
        ])
      : [];
    if (row === undefined) throw new ProblemError('not-found', { rule: 'webhook.delivery' });
    return row;
  }

  private async record(
    tx: Tx,
    call: Call,
    endpoint: string,
    detail: Record<string, string | number | string[]>,
  ): Promise<void> {
    const now = this.clock.now();
    await this.auditLog.appendIn(tx, {
      id: uuidv7(now.getTime()),
      at: now.toISOString(),
      kind: 'webhook.endpoint',
      call: call.id,
      trace: call.traceId,
      client: call.caller?.kind === 'client' ? call.caller.id : undefined,
      actor: call.caller?.kind === 'administrator' ? call.caller.id : undefined,
      detail: { act: 'endpoint.resent', endpoint, ...detail },
    });
  }
}

function clientOf(owner: Owner): string | null {
  return owner === 'anyone' ? null : owner.client;
}

function view(row: Row): DeliveryView {
  return {
    id: row.id,
    endpoint: row.endpoint,
    event: {
      id: `msg_${row.event}`,
      type: row.type,
      at: row.at.toISOString(),
      verification: row.verification,
      facts: row.facts,
    },
    state: row.state,
    attempts: row.attempts,
    nextAt: row.state === 'waiting' ? row.nextAt.toISOString() : null,
    createdAt: row.createdAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}
