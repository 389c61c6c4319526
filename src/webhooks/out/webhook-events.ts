import { Injectable } from '@nestjs/common';
import type { Moved, VerificationListener } from '../../orchestration/index.js';
import { Clock, type Tx, uuidv7 } from '../../platform/index.js';
import { filtersOf } from './event-types.js';

/** Something that an endpoint may be told of. */
export interface WebhookEvent {
  at: Date;
  type: string;
  /** Whose endpoints; null for those of the firm's administrators. */
  client: string | null;
  verification?: string;
  /** Allow-listed: it is kept in the clear. */
  facts: Readonly<Record<string, string | number | boolean>>;
}

/** The outbox: an event is written in the transaction of what it tells, with a delivery for each endpoint that asked for it. */
@Injectable()
export class WebhookEvents implements VerificationListener {
  constructor(private readonly clock: Clock) {}

  moved(tx: Tx, { at, verification, client, from, to, rung }: Moved): Promise<void> {
    return this.tell(tx, {
      at,
      type: `verification.${to}`,
      client,
      verification,
      facts: { status: to, previous: from, rung },
    });
  }

  /** Nothing is kept of what nobody asked for. */
  async tell(tx: Tx, event: WebhookEvent): Promise<void> {
    await this.write(tx, event, 'e.client_id IS NOT DISTINCT FROM $4 AND e.event_types && $7', [filtersOf(event.type)]);
  }

  /** To one endpoint, whatever it asked for. @returns the id of the delivery */
  async tellOne(tx: Tx, endpoint: string, event: WebhookEvent): Promise<string | undefined> {
    const [delivery] = await this.write(tx, event, 'e.id = $7', [endpoint]);
    return delivery?.id;
  }

  private write(tx: Tx, event: WebhookEvent, which: string, parameters: unknown[]): Promise<{ id: string }[]> {
    const { at, type, client, verification = null, facts } = event;
    return tx.query<{ id: string }[]>(
      `WITH told AS (SELECT e.id FROM webhooks.endpoints e WHERE e.state IN ('active', 'paused') AND ${which}),
       event AS (
         INSERT INTO webhooks.events (id, at, type, client_id, verification_id, facts)
         SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (SELECT FROM told) RETURNING id)
       INSERT INTO webhooks.deliveries (id, event_id, endpoint_id, verification_id, state, next_at, created_at)
       SELECT gen_random_uuid(), event.id, told.id, $5, 'waiting', $2, $2 FROM event, told RETURNING id`,
      [uuidv7(this.clock.epochMs()), at, type, client, verification, facts, ...parameters],
    );
  }
}
