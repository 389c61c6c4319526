import { type Counter, metrics } from '@opentelemetry/api';
import { type Clock, type Database, isUuid, type Outbox, type Tx } from '../../platform/index.js';
import type { AuditLog } from '../audit-log.js';
import { derivedId } from '../derived-id.js';
import type { RecordInput, StoredRecord } from '../record.js';

export interface CompletenessParts {
  database: Database;
  auditLog: AuditLog;
  outbox: Pick<Outbox, 'tell'>;
  clock: Clock;
  /** Age past which an intent has no completion to wait for; longer than any call may take. */
  patienceMs: number;
}

/** Intents looked at in one transaction: some tens of milliseconds. */
const MOST = 500;

/** The condition names the kinds as the index does, or Postgres would not use it. */
const INTENTS_SQL = `
  SELECT seq, bytes, recorded_at < clock_timestamp() - make_interval(secs => $2) AS due
    FROM audit.log WHERE (kind = 'call.intent' OR kind = 'vendor.intent') AND seq >= $1 ORDER BY seq LIMIT $3`;
const KNOWN_SQL = `SELECT id FROM audit.intake WHERE id = ANY ($1::uuid[])
                    UNION ALL SELECT id FROM audit.place WHERE id = ANY ($1::uuid[])`;

/**
 * Finds intents whose completion never came: the instance died, or the log could not be written, between the two. A change at the vendor
 * may then stand that nothing here tells of, which Delegated Regulation (EU) 2024/1774 Article 12(2)(e) wants found. Every intent belongs to
 * a call, and its completion is the record of that call, whose id is the call's. What has none is closed as of unknown outcome.
 */
export class Completeness {
  readonly #unknown: Counter;

  constructor(private readonly parts: CompletenessParts) {
    this.#unknown = metrics.getMeter('gatehouse').createCounter('gatehouse.audit.outcomes.unknown', {
      description: 'Intents of a change at the vendor that were closed without their completion.',
    });
  }

  /** Looks at every intent that is due. @returns how many were closed. */
  async round(): Promise<number> {
    let closed = 0;
    for (;;) {
      const step = await this.parts.database.transaction((tx) => this.step(tx));
      closed += step.closed;
      if (!step.more) return closed;
    }
  }

  /** The cursor goes on in the transaction of the records: a crash leaves both or neither. */
  private async step(tx: Tx): Promise<{ closed: number; more: boolean }> {
    const [cursor] = await tx.query<{ next: string }[]>('SELECT next FROM audit.completeness FOR UPDATE SKIP LOCKED');
    // Another instance is at it.
    if (cursor === undefined) return { closed: 0, more: false };
    const rows = await tx.query<{ seq: string; bytes: Buffer; due: boolean }[]>(INTENTS_SQL, [
      cursor.next,
      this.parts.patienceMs / 1_000,
      MOST,
    ]);
    const young = rows.findIndex(({ due }) => !due);
    const due = young < 0 ? rows : rows.slice(0, young);
    const last = due.at(-1);
    if (last === undefined) return { closed: 0, more: false };
    const closed = await this.close(
      tx,
      due.map(({ bytes }) => JSON.parse(bytes.toString('utf8')) as StoredRecord),
    );
    await tx.query('UPDATE audit.completeness SET next = $1', [Number(last.seq) + 1]);
    return { closed, more: young < 0 && rows.length === MOST };
  }

  private async close(tx: Tx, intents: readonly StoredRecord[]): Promise<number> {
    // Its own id is asked for as well: a cursor that was set back closes nothing twice.
    const ids = intents.flatMap((intent) => [closingId(intent), intent.call ?? '']).filter(isUuid);
    const rows = await tx.query<{ id: string }[]>(KNOWN_SQL, [ids]);
    const known = new Set(rows.map(({ id }) => id));
    const open = intents.filter((intent) => !known.has(closingId(intent)) && !known.has(intent.call ?? ''));
    for (const intent of open) await this.tell(tx, intent);
    return open.length;
  }

  private async tell(tx: Tx, intent: StoredRecord): Promise<void> {
    const now = this.parts.clock.now();
    const operation = intent.vendor?.operation ?? 'unknown';
    const record: RecordInput = {
      id: closingId(intent),
      at: now.toISOString(),
      kind: 'call.outcome-unknown',
      call: intent.call,
      trace: intent.trace,
      client: intent.client,
      verification: intent.verification,
      subject: intent.subject,
      detail: { intent: intent.id, intendedAt: intent.at, operation },
    };
    await this.parts.auditLog.appendIn(tx, record);
    await this.parts.outbox.tell(tx, {
      at: now,
      kind: 'audit.outcome-unknown',
      subject: operation,
      recordId: record.id,
    });
    this.#unknown.add(1, { operation });
  }
}

function closingId({ at, id }: StoredRecord): string {
  return derivedId(at, `outcome-unknown/${id}`);
}
