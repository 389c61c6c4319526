import { Inject, Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { Clock, type Config, CONFIG, Database, Outbox, type Tx, uuidv7 } from '../../platform/index.js';
import type { Settled } from './delivery-book.js';
import { restMs } from './retry-schedule.js';

interface Ailing {
  id: string;
  clientId: string | null;
  failingSince: Date | null;
}

/** How well endpoints answer, for all instances: who fails rests, is warned about after a time, and disabled after a longer one. */
@Injectable()
export class EndpointHealth {
  constructor(
    private readonly database: Database,
    private readonly auditLog: AuditLog,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** What attempts have shown. An answer of 410 says that nothing is to be sent there any more. */
  async learn(tx: Tx, settled: readonly Settled[], now: Date): Promise<void> {
    const well = new Set<string>();
    const failed = new Map<string, number>();
    const gone = new Set<string>();
    for (const { delivery, attempt } of settled) {
      const { endpointId } = delivery;
      if (attempt.outcome === 'delivered') well.add(endpointId);
      else failed.set(endpointId, (failed.get(endpointId) ?? 0) + 1);
      if (attempt.outcome === 'gone') gone.add(endpointId);
    }
    await this.hold(tx, [...well], [...failed.keys()]);
    if (well.size > 0) await this.isWell(tx, [...well], now);
    for (const [id, count] of failed) if (!well.has(id)) await this.hasFailed(tx, id, count, now);
    for (const id of gone) await this.disable(tx, id, 'gone', now);
  }

  /** People are told of those that have failed for too long, and then no more is sent there. */
  async judge(): Promise<void> {
    const now = this.clock.now();
    const { warnAfter, disableAfter } = this.config.webhooks.out;
    await this.database.transaction(async (tx) => {
      const warned = await this.changed(
        tx,
        `UPDATE webhooks.endpoints SET warned_at = $1 WHERE state IN ('active', 'draining') AND warned_at IS NULL AND failing_since <= $2`,
        [now, new Date(now.getTime() - warnAfter)],
      );
      for (const endpoint of warned) await this.tell(tx, endpoint, 'failing', now);
      const disabled = await this.changed(
        tx,
        `UPDATE webhooks.endpoints SET state = 'disabled', reason = 'failing', updated_at = $1, version = version + 1
          WHERE state IN ('active', 'draining') AND warned_at IS NOT NULL AND failing_since <= $2`,
        [now, new Date(now.getTime() - disableAfter)],
      );
      for (const endpoint of disabled) await this.tell(tx, endpoint, 'disabled', now);
    });
  }

  /** What will be changed, in one order, so that two instances never wait for each other; healthy ones are left alone. */
  private async hold(tx: Tx, well: string[], failed: string[]): Promise<void> {
    await tx.query(
      `SELECT FROM webhooks.endpoints WHERE id = ANY($1) AND failing_since IS NOT NULL OR id = ANY($2) ORDER BY id FOR UPDATE`,
      [well, failed],
    );
  }

  private async isWell(tx: Tx, ids: string[], now: Date): Promise<void> {
    await tx.query(
      `UPDATE webhooks.endpoints SET failures_in_row = 0, failing_since = NULL, warned_at = NULL, resume_at = $2
        WHERE id = ANY($1) AND failing_since IS NOT NULL`,
      [ids, now],
    );
  }

  private async hasFailed(tx: Tx, id: string, count: number, now: Date): Promise<void> {
    const [row] = await tx.query<{ n: number }[]>(
      `WITH failed AS (
         UPDATE webhooks.endpoints SET failures_in_row = failures_in_row + $2, failing_since = coalesce(failing_since, $3)
          WHERE id = $1 RETURNING failures_in_row)
       SELECT failures_in_row AS n FROM failed`,
      [id, count, now],
    );
    const rest = restMs(row?.n ?? 0);
    if (rest === 0) return;
    await tx.query('UPDATE webhooks.endpoints SET resume_at = greatest(resume_at, $2) WHERE id = $1', [
      id,
      new Date(now.getTime() + rest),
    ]);
  }

  private async disable(tx: Tx, id: string, reason: 'gone', now: Date): Promise<void> {
    const [endpoint] = await this.changed(
      tx,
      `UPDATE webhooks.endpoints SET state = 'disabled', reason = $3, updated_at = $1, version = version + 1
        WHERE id = $2 AND state <> 'disabled'`,
      [now, id, reason],
    );
    if (endpoint !== undefined) await this.tell(tx, endpoint, reason, now);
  }

  private async tell(tx: Tx, { id, clientId, failingSince }: Ailing, what: string, now: Date): Promise<void> {
    const recordId = uuidv7(now.getTime());
    await this.auditLog.appendIn(tx, {
      id: recordId,
      at: now.toISOString(),
      kind: 'webhook.endpoint',
      client: clientId ?? undefined,
      detail: { act: `endpoint.${what}`, endpoint: id, failingSince: failingSince?.toISOString() },
    });
    const kind = what === 'failing' ? 'webhook.endpoint-failing' : 'webhook.endpoint-disabled';
    await this.outbox.tell(tx, { at: now, kind, subject: id, recordId, detail: { why: what } });
  }

  private changed(tx: Tx, sql: string, parameters: unknown[]): Promise<Ailing[]> {
    return tx.query<Ailing[]>(
      `WITH changed AS (${sql} RETURNING id, client_id, failing_since)
       SELECT id, client_id AS "clientId", failing_since AS "failingSince" FROM changed`,
      parameters,
    );
  }
}
