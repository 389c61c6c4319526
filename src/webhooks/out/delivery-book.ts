import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '../../platform/index.js';
import { FAILURES_TO_REST } from './retry-schedule.js';
import type { Attempt } from './receiver-client.js';

/** How long a delivery stays with an instance that has fallen silent. */
export const LEASE_MS = 5_000;

/** A delivery in the hands of an instance, with all that it takes to make an attempt. */
export interface Claimed {
  n: string;
  id: string;
  /** This one included. */
  attempts: number;
  endpointId: string;
  url: string;
  payload: 'thin' | 'full';
  clientId: string | null;
  eventId: string;
  at: Date;
  type: string;
  verificationId: string | null;
  facts: Readonly<Record<string, string | number | boolean>>;
}

/** What has become of an attempt. */
export interface Settled {
  delivery: Claimed;
  attempt: Attempt;
  attemptId: string;
  state: 'waiting' | 'delivered' | 'dead';
  nextAt: Date;
}

export interface ClaimOptions {
  holder: string;
  now: Date;
  /** How many more attempts this instance may have under way to these endpoints, and to any other. */
  rooms: ReadonlyMap<string, number>;
  room: number;
  most: number;
}

/**
 * Of each endpoint as many as there is room for, so that one which does not answer takes no place of another's; one that has failed several
 * times in a row gets one attempt that shows whether it is back. Where the order is to be kept, nothing of a verification goes before what is
 * older.
 */
const CLAIM = `
WITH room AS (SELECT * FROM unnest($4::uuid[], $5::integer[]) AS r (endpoint_id, n)),
asked AS (
  SELECT e.id, e.ordered, CASE WHEN e.failures_in_row >= ${FAILURES_TO_REST} THEN least(1, coalesce(room.n, 1)) ELSE coalesce(room.n, $6) END AS n
    FROM webhooks.endpoints e LEFT JOIN room ON room.endpoint_id = e.id
   WHERE e.state IN ('active', 'draining') AND e.resume_at <= $1 ORDER BY random()),
picked AS (
  SELECT due.n FROM asked CROSS JOIN LATERAL (
    SELECT d.n FROM webhooks.deliveries d
     WHERE d.endpoint_id = asked.id AND d.state = 'waiting' AND d.next_at <= $1 AND (d.lease_until IS NULL OR d.lease_until <= $1)
       AND (NOT asked.ordered OR d.verification_id IS NULL OR NOT EXISTS (
         SELECT FROM webhooks.deliveries p WHERE p.endpoint_id = d.endpoint_id AND p.verification_id = d.verification_id
            AND p.state = 'waiting' AND p.n < d.n))
     ORDER BY d.next_at, d.n LIMIT greatest(0, asked.n) FOR UPDATE SKIP LOCKED) due
   LIMIT $7),
claimed AS (
  UPDATE webhooks.deliveries d SET holder = $2, lease_until = $3, attempts = d.attempts + 1
    FROM picked WHERE d.n = picked.n RETURNING d.*)
SELECT c.n, c.id, c.attempts, c.endpoint_id AS "endpointId", e.url, e.payload, e.client_id AS "clientId", v.id AS "eventId", v.at, v.type,
       v.verification_id AS "verificationId", v.facts
  FROM claimed c JOIN webhooks.endpoints e ON e.id = c.endpoint_id JOIN webhooks.events v ON v.id = c.event_id ORDER BY c.n`;

/** What was delivered is delivered, whoever holds it by now; all else is for the holder alone to say. */
const SETTLE = `
WITH said AS (SELECT * FROM unnest($2::bigint[], $3::text[], $4::timestamptz[]) AS s (n, state, next_at)),
settled AS (
  UPDATE webhooks.deliveries d
     SET state = said.state, next_at = said.next_at, holder = NULL, lease_until = NULL,
         ended_at = CASE WHEN said.state = 'waiting' THEN NULL ELSE $5::timestamptz END
    FROM said WHERE d.n = said.n AND d.state = 'waiting' AND (d.holder = $1 OR said.state = 'delivered') RETURNING d.n)
SELECT n FROM settled`;

const ATTEMPTS = `
INSERT INTO webhooks.attempts (id, delivery_id, at, duration_ms, status, outcome, content_type, answer_bytes)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::integer[], $5::integer[], $6::text[], $7::text[], $8::integer[])
`;

/** The table of deliveries, as those who make them use it. */
@Injectable()
export class DeliveryBook {
  constructor(private readonly database: Database) {}

  claim({ holder, now, rooms, room, most }: ClaimOptions): Promise<Claimed[]> {
    return this.database.query<Claimed>(CLAIM, [
      now,
      holder,
      new Date(now.getTime() + LEASE_MS),
      [...rooms.keys()],
      [...rooms.values()],
      room,
      most,
    ]);
  }

  /** Passes over what is being settled just now: waiting for each other's rows the two would wait for ever. */
  async renew(holder: string, deliveries: readonly string[], now: Date): Promise<void> {
    await this.database.query(
      `UPDATE webhooks.deliveries SET lease_until = $3 WHERE n IN (
         SELECT n FROM webhooks.deliveries WHERE n = ANY($2) AND holder = $1 AND state = 'waiting' FOR UPDATE SKIP LOCKED)`,
      [holder, deliveries, new Date(now.getTime() + LEASE_MS)],
    );
  }

  /** @returns those that were still to be settled */
  async settle(tx: Tx, holder: string, settled: readonly Settled[], now: Date): Promise<Settled[]> {
    const rows = await tx.query<{ n: string }[]>(SETTLE, [
      holder,
      settled.map(({ delivery }) => delivery.n),
      settled.map(({ state }) => state),
      settled.map(({ nextAt }) => nextAt),
      now,
    ]);
    const open = new Set(rows.map(({ n }) => n));
    const done = settled.filter(({ delivery }) => open.has(delivery.n));
    await tx.query(ATTEMPTS, [
      done.map(({ attemptId }) => attemptId),
      done.map(({ delivery }) => delivery.id),
      done.map(({ attempt }) => attempt.at),
      done.map(({ attempt }) => attempt.durationMs),
      done.map(({ attempt }) => attempt.status),
      done.map(({ attempt }) => attempt.outcome),
      done.map(({ attempt }) => attempt.contentType),
      done.map(({ attempt }) => attempt.answerBytes),
    ]);
    return done;
  }

  async waiting(): Promise<{ n: number; oldest: Date | null }> {
    const [row] = await this.database.query<{ n: number; oldest: Date | null }>(
      `SELECT count(*)::integer AS n, min(created_at) AS oldest FROM webhooks.deliveries WHERE state = 'waiting'`,
    );
    return row ?? { n: 0, oldest: null };
  }

  /** What has ended long ago goes, and what waits so long for an endpoint that nobody will mend. */
  async prune(before: Date, most: number): Promise<void> {
    await this.database.query(
      `DELETE FROM webhooks.events WHERE id IN (SELECT id FROM webhooks.events WHERE at < $1 ORDER BY at LIMIT $2)`,
      [before, most],
    );
  }
}
