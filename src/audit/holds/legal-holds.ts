import {
  administratorOf,
  type Call,
  type Clock,
  type Database,
  isUuid,
  ProblemError,
  type Tx,
  uuidv7,
} from '../../platform/index.js';
import type { AuditLog } from '../audit-log.js';
import { NOT_OURS } from '../cursor.js';
import type { RecordInput } from '../record.js';
import type { HoldListQuery, NewHold } from './hold-schemas.js';

export interface HoldView {
  id: string;
  scope: NewHold['scope'];
  value: string | null;
  from: string | null;
  to: string | null;
  reason: string;
  placedBy: string;
  placedAt: string;
  releasedBy: string | null;
  releasedAt: string | null;
  releaseReason: string | null;
}

interface HoldRow {
  id: string;
  scope: NewHold['scope'];
  value: string | null;
  from_at: Date | null;
  to_at: Date | null;
  reason: string;
  placed_by: string;
  placed_at: Date;
  released_by: string | null;
  released_at: Date | null;
  release_reason: string | null;
}

/**
 * A hold of any scope touches a subject when one of the subject's records falls under it. Where all of them may be in the archive nobody
 * can tell, and what cannot be told is held.
 */
const HOLDS_SUBJECT_SQL = `
  WITH hold AS (SELECT * FROM audit.read_holds()),
       record AS (SELECT client, verification, at FROM audit.log WHERE subject = $1
                  UNION ALL SELECT client, verification, at FROM audit.intake WHERE subject = $1)
  SELECT EXISTS (SELECT FROM hold WHERE scope = 'all' OR scope = 'subject' AND value = $1)
      OR EXISTS (SELECT FROM hold, record
                  WHERE CASE scope WHEN 'client' THEN client = value
                                   WHEN 'verification' THEN verification = value
                                   WHEN 'period' THEN at >= coalesce(from_at, '-infinity') AND at < coalesce(to_at, 'infinity') END)
      OR EXISTS (SELECT FROM hold WHERE scope <> 'subject')
         AND EXISTS (SELECT FROM audit.away) AND NOT EXISTS (SELECT FROM record) AS held`;

/**
 * Legal holds: what they touch stays in the database, and is not erased, until a person releases them. Placing and releasing are each one
 * transaction with their record; the reasons, which are free text, stay out of it.
 */
export class LegalHolds {
  constructor(
    private readonly database: Database,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Whether an unreleased hold touches the subject, by what the database holds of it. None is placed before the transaction ends, so that
   * what is erased in it was not held.
   * @param subject its pseudonym
   */
  async holdsSubject(tx: Tx, subject: string): Promise<boolean> {
    const [row] = await tx.query<{ held: boolean }[]>(HOLDS_SUBJECT_SQL, [subject]);
    return row?.held !== false;
  }

  /** Newest first, released ones among them. */
  async list({ limit, cursor }: HoldListQuery): Promise<{ items: HoldView[]; nextCursor: string | null }> {
    const after = cursor === undefined ? null : Buffer.from(cursor, 'base64url').toString();
    if (after !== null && !isUuid(after)) throw new ProblemError('invalid-cursor', { errors: [NOT_OURS] });
    const rows = await this.database.query<HoldRow>(
      'SELECT * FROM audit.legal_hold WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2',
      [after, limit + 1],
    );
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      items: rows.slice(0, limit).map(view),
      nextCursor: last === undefined ? null : Buffer.from(last.id).toString('base64url'),
    };
  }

  place(call: Call, hold: NewHold): Promise<HoldView> {
    const now = this.clock.now();
    const id = uuidv7(now.getTime());
    const { value, from, to } = { value: undefined, from: undefined, to: undefined, ...hold };
    return this.database.transaction(async (tx) => {
      await tx.query('SELECT audit.place_hold($1, $2, $3, $4, $5, $6, $7, $8)', [
        id,
        hold.scope,
        value ?? null,
        from ?? null,
        to ?? null,
        hold.reason,
        administratorOf(call).id,
        now,
      ]);
      const placed = await held(tx, id);
      await this.audit.appendIn(tx, this.record(call, 'legal-hold.placed', placed));
      return placed;
    });
  }

  /** @throws ProblemError `not-found`, or `conflict` when it was released before */
  release(call: Call, id: string, reason: string): Promise<HoldView> {
    return this.database.transaction(async (tx) => {
      if (!isUuid(id)) throw unknown();
      const [row] = await tx.query<{ released: boolean | null }[]>(
        'SELECT audit.release_hold($1, $2, $3, $4) AS released',
        [id, reason, administratorOf(call).id, this.clock.now()],
      );
      if (row?.released === false) throw new ProblemError('conflict', { detail: 'The hold was released before.' });
      const released = await held(tx, id);
      await this.audit.appendIn(tx, this.record(call, 'legal-hold.released', released));
      return released;
    });
  }

  private record(call: Call, kind: RecordInput['kind'], { id, scope, value, from, to }: HoldView): RecordInput {
    const now = this.clock.now();
    const administrator = administratorOf(call);
    return {
      id: uuidv7(now.getTime()),
      at: now.toISOString(),
      kind,
      call: call.id,
      trace: call.traceId,
      actor: administrator.id,
      credential: administrator.tokenId,
      ...(value !== null && scope !== 'period' && scope !== 'all' ? { [scope]: value } : {}),
      detail: { hold: id, scope, from, to },
    };
  }
}

async function held(tx: Tx, id: string): Promise<HoldView> {
  const [row] = await tx.query<HoldRow[]>('SELECT * FROM audit.legal_hold WHERE id = $1', [id]);
  if (row === undefined) throw unknown();
  return view(row);
}

function view(row: HoldRow): HoldView {
  return {
    id: row.id,
    scope: row.scope,
    value: row.value,
    from: row.from_at?.toISOString() ?? null,
    to: row.to_at?.toISOString() ?? null,
    reason: row.reason,
    placedBy: row.placed_by,
    placedAt: row.placed_at.toISOString(),
    releasedBy: row.released_by,
    releasedAt: row.released_at?.toISOString() ?? null,
    releaseReason: row.release_reason,
  };
}

function unknown(): ProblemError {
  return new ProblemError('not-found', { rule: 'hold.unknown' });
}
