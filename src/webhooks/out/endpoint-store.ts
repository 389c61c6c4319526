import { Injectable } from '@nestjs/common';
import { Database, isUuid, ProblemError, type Tx } from '../../platform/index.js';
import type { EndpointState } from './endpoint-states.js';

/** Whose endpoints: a client's own, or all there are for an administrator. */
export type Owner = { client: string } | 'anyone';

export interface Endpoint {
  id: string;
  clientId: string | null;
  url: string;
  description: string;
  eventTypes: string[];
  payload: 'thin' | 'full';
  ordered: boolean;
  state: EndpointState;
  /** Why it is disabled: `gone`, `failing` or `person`. */
  reason: string | null;
  failuresInRow: number;
  failingSince: Date | null;
  warnedAt: Date | null;
  resumeAt: Date;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS = `id, client_id AS "clientId", url, description, event_types AS "eventTypes", payload, ordered, state, reason,
  failures_in_row AS "failuresInRow", failing_since AS "failingSince", warned_at AS "warnedAt", resume_at AS "resumeAt", version,
  created_at AS "createdAt", updated_at AS "updatedAt"`;

/** The table of endpoints, as people see it. */
@Injectable()
export class EndpointStore {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  get now(): Pick<Tx, 'query'> {
    return this.database.source.manager;
  }

  async page(owner: Owner, client: string | undefined, after: string | undefined, limit: number): Promise<Endpoint[]> {
    return this.database.query<Endpoint>(
      `SELECT ${COLUMNS} FROM webhooks.endpoints
        WHERE ($1::uuid IS NULL OR client_id = $1) AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3`,
      [owner === 'anyone' ? (client ?? null) : owner.client, after ?? null, limit],
    );
  }

  /** A foreign one is as unknown as one that never was. @throws ProblemError `not-found` */
  async get(from: Pick<Tx, 'query'>, owner: Owner, id: string, hold = false): Promise<Endpoint> {
    const rows = isUuid(id)
      ? await from.query<Endpoint[]>(
          `SELECT ${COLUMNS} FROM webhooks.endpoints WHERE id = $1 AND ($2::uuid IS NULL OR client_id = $2) ${hold ? 'FOR UPDATE' : ''}`,
          [id, owner === 'anyone' ? null : owner.client],
        )
      : [];
    const [endpoint] = rows;
    if (endpoint === undefined) throw new ProblemError('not-found', { rule: 'webhook.endpoint' });
    return endpoint;
  }

  /** How many a client has; one at a time is made, so that the bound holds. */
  async count(tx: Tx, clientId: string | null): Promise<number> {
    await tx.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('gatehouse/webhooks.endpoints' || coalesce($1, ''), 1713))`,
      [clientId],
    );
    const [row] = await tx.query<{ n: number }[]>(
      'SELECT count(*)::integer AS n FROM webhooks.endpoints WHERE client_id IS NOT DISTINCT FROM $1',
      [clientId],
    );
    return row?.n ?? 0;
  }

  async insert(tx: Tx, one: Endpoint): Promise<void> {
    await tx.query(
      `INSERT INTO webhooks.endpoints
         (id, client_id, url, description, event_types, payload, ordered, state, resume_at, version, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        one.id,
        one.clientId,
        one.url,
        one.description,
        one.eventTypes,
        one.payload,
        one.ordered,
        one.state,
        one.resumeAt,
        one.version,
        one.createdAt,
        one.updatedAt,
      ],
    );
  }

  /** What people may change; the rest is what the gateway has learnt. */
  async update(tx: Tx, one: Endpoint): Promise<void> {
    await tx.query(
      `UPDATE webhooks.endpoints
          SET url = $2, description = $3, event_types = $4, payload = $5, ordered = $6, state = $7, reason = $8,
              failures_in_row = $9, failing_since = $10, warned_at = $11, resume_at = $12, version = $13, updated_at = $14
        WHERE id = $1`,
      [
        one.id,
        one.url,
        one.description,
        one.eventTypes,
        one.payload,
        one.ordered,
        one.state,
        one.reason,
        one.failuresInRow,
        one.failingSince,
        one.warnedAt,
        one.resumeAt,
        one.version,
        one.updatedAt,
      ],
    );
  }

  async remove(tx: Tx, id: string): Promise<void> {
    await tx.query('DELETE FROM webhooks.endpoints WHERE id = $1', [id]);
  }
}
