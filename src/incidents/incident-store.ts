import { Injectable } from '@nestjs/common';
import { IsNull, LessThan, MoreThan } from 'typeorm';
import { Database, isUuid, ProblemError, type Tx } from '../platform/index.js';
import { type Incident, IncidentEntity } from './entities/incident.entity.js';
import { TimelineEntryEntity } from './entities/timeline-entry.entity.js';
import type { IncidentListQuery, TimelineQuery } from './schemas.js';

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export type NewTimelineEntry = Pick<TimelineEntryEntity, 'incidentId' | 'at' | 'what' | 'by' | 'recordId' | 'detail'>;

/** The tables of incidents. */
@Injectable()
export class IncidentStore {
  constructor(private readonly database: Database) {}

  /** The next reference of a year. The row stays locked until the caller's transaction ends, which puts openings in order. */
  async nextReference(tx: Tx, year: number): Promise<string> {
    const [row] = await tx.query<{ last: number }[]>(
      `INSERT INTO incidents.numbers AS n (year, last) VALUES ($1, 1)
       ON CONFLICT (year) DO UPDATE SET last = n.last + 1 RETURNING last`,
      [year],
    );
    return `INC-${year}-${String(row?.last).padStart(4, '0')}`;
  }

  async insert(tx: Tx, incident: Incident): Promise<void> {
    await tx.insert(IncidentEntity, { ...incident });
  }

  /** Writes every member of an incident whose row the caller holds. */
  async update(tx: Tx, { id, ...members }: Incident): Promise<void> {
    await tx.update(IncidentEntity, id, members);
  }

  async addToTimeline(tx: Tx, entry: NewTimelineEntry): Promise<void> {
    await tx.query(
      'INSERT INTO incidents.timeline (incident_id, at, what, by, record_id, detail) VALUES ($1, $2, $3, $4, $5, $6)',
      [entry.incidentId, entry.at, entry.what, entry.by, entry.recordId, entry.detail],
    );
  }

  /** @throws ProblemError `not-found` */
  async get(id: string): Promise<Incident> {
    return found(isUuid(id) ? await this.database.source.manager.findOneBy(IncidentEntity, { id }) : null);
  }

  /** With its row locked. @throws ProblemError `not-found` */
  async hold(tx: Tx, id: string): Promise<Incident> {
    const lock = { mode: 'pessimistic_write' as const };
    return found(isUuid(id) ? await tx.findOne(IncidentEntity, { where: { id }, lock }) : null);
  }

  /** The incident that further signs of this cause join, with its row locked. */
  async holdByCause(tx: Tx, causeKey: string): Promise<Incident | undefined> {
    const lock = { mode: 'pessimistic_write' as const };
    return (await tx.findOne(IncidentEntity, { where: { causeKey, causeClosedAt: IsNull() }, lock })) ?? undefined;
  }

  /** When the last incident of this cause stopped taking further signs of it. */
  async causeClosedAt(tx: Tx, causeKey: string): Promise<Date | undefined> {
    const [row] = await tx.query<{ at: Date | null }[]>(
      'SELECT max(cause_closed_at) AS at FROM incidents.incidents WHERE cause_key = $1',
      [causeKey],
    );
    return row?.at ?? undefined;
  }

  /** Newest first. @throws ProblemError `invalid-cursor` */
  async list({ state, limit, cursor }: IncidentListQuery): Promise<Page<Incident>> {
    const before = decoded(cursor);
    if (before !== undefined && !isUuid(before)) throw new ProblemError('invalid-cursor');
    const rows = await this.database.source.manager.find(IncidentEntity, {
      where: { ...(state === undefined ? {} : { state }), ...(before === undefined ? {} : { id: LessThan(before) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return page(rows, limit, (row) => row.id);
  }

  /** Oldest first. @throws ProblemError `invalid-cursor` */
  async timeline(incidentId: string, { limit, cursor }: TimelineQuery): Promise<Page<TimelineEntryEntity>> {
    const after = decoded(cursor);
    if (after !== undefined && !/^\d{1,18}$/.test(after)) throw new ProblemError('invalid-cursor');
    const rows = await this.database.source.manager.find(TimelineEntryEntity, {
      where: { incidentId, ...(after === undefined ? {} : { n: MoreThan(after) }) },
      order: { n: 'ASC' },
      take: limit + 1,
    });
    return page(rows, limit, (row) => row.n);
  }

  /** Undecided incidents whose maintenance window has ended since their proposal was worked out. */
  async overrun(now: Date, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `SELECT id FROM incidents.incidents
        WHERE state = 'assessing' AND restored_at IS NULL AND resolved_at IS NULL
          AND (maintenance_window ->> 'to')::timestamptz < $1
          AND (proposal ->> 'computedAt')::timestamptz <= (maintenance_window ->> 'to')::timestamptz
        ORDER BY id LIMIT $2`,
      [now, limit],
    );
    return rows.map((row) => row.id);
  }
}

function found(incident: Incident | null): Incident {
  if (incident === null) throw new ProblemError('not-found', { rule: 'incident.unknown' });
  return incident;
}

function decoded(cursor: string | undefined): string | undefined {
  return cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString();
}

function page<T>(rows: T[], limit: number, keyOf: (row: T) => string): Page<T> {
  const last = rows[limit - 1];
  const more = rows.length > limit && last !== undefined;
  return { items: rows.slice(0, limit), nextCursor: more ? Buffer.from(keyOf(last)).toString('base64url') : null };
}
