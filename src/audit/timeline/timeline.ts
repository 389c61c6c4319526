import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/index.js';
import type { StoredRecord } from '../record.js';
import type { Place } from '../search.js';

/** Facts of a record that a timeline shows; the record itself has them all. */
const DETAIL = [
  'act',
  'duplicate',
  'event',
  'from',
  'job',
  'problem',
  'reason',
  'to',
  'type',
  'vendorStatus',
  'verdict',
] as const;

export interface TimelineItem {
  /** Null until it has its number. */
  seq: number | null;
  recordId: string;
  at: string;
  kind: string;
  /** The call that it belongs to. */
  call?: string;
  client?: string;
  actor?: string;
  http?: { method: string; route: string; status: number; durationUs?: number | undefined };
  decision?: { outcome: string; rule: string; reason: string };
  vendor?: { name: string; operation: string; status?: number | undefined; durationUs?: number | undefined };
  detail?: Record<string, string | number | boolean | null>;
}

interface Row {
  seq: string | null;
  id: string;
  at: Date;
  bytes: Buffer;
}

const UUID = `'^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'`;

/**
 * Records that name the verification, and those of its calls that name none: a webhook is told before anybody knows whose it is. One
 * statement is one snapshot, in which a record stands either in the intake or in the log. A record of a call is not of this verification
 * where it names another. Each call is looked up by itself (LATERAL with a limit): left to choose, the planner reads the log from end to
 * end in the order of time instead, against every call.
 */
const PAGE = `
  WITH own AS MATERIALIZED (
    SELECT id, call, kind FROM audit.log WHERE verification = $1
    UNION ALL SELECT id, call, kind FROM audit.intake WHERE verification = $1
  ), calls AS MATERIALIZED (
    SELECT call FROM own WHERE call IS NOT NULL UNION SELECT id::text FROM own WHERE kind = 'call'
  ), ids AS MATERIALIZED (
    SELECT DISTINCT call::uuid AS id FROM own WHERE call ~ ${UUID}
  )
  SELECT DISTINCT ON (at, id) seq, id, at, bytes FROM (
    (SELECT seq, id, at, bytes FROM audit.log
      WHERE verification = $1 AND at >= $2 AND (at, id) > ($2, $3) ORDER BY at, id LIMIT $4)
    UNION ALL
    (SELECT r.* FROM calls, LATERAL (
        SELECT seq, id, at, bytes FROM audit.log
         WHERE log.call = calls.call AND log.call IS NOT NULL AND verification IS NULL AND (at, id) > ($2, $3)
         ORDER BY at, id LIMIT $4) AS r
      ORDER BY r.at, r.id LIMIT $4)
    UNION ALL
    (SELECT r.* FROM ids, LATERAL (SELECT seq FROM audit.place WHERE place.id = ids.id LIMIT 1) AS p, LATERAL (
        SELECT seq, id, at, bytes FROM audit.log WHERE log.seq = p.seq AND verification IS NULL AND (at, id) > ($2, $3) LIMIT 1) AS r
      ORDER BY r.at, r.id LIMIT $4)
    UNION ALL
    (SELECT NULL::bigint, id, at, bytes FROM audit.intake
      WHERE (at, id) > ($2, $3) AND (verification = $1
             OR verification IS NULL AND (call IN (SELECT call FROM calls) OR id IN (SELECT id FROM ids)))
      ORDER BY at, id LIMIT $4)
  ) AS chosen ORDER BY at, id LIMIT $4`;

const BEGINNING: Place = { at: new Date('0001-01-01T00:00:00.000Z'), id: '00000000-0000-0000-0000-000000000000' };

/** What happened to a verification, out of the log. */
@Injectable()
export class Timeline {
  constructor(private readonly database: Database) {}

  /**
   * Oldest first, by the instant in the record and then its id: neither ever changes, so that going on from the last place shows every
   * record that stood when the timeline was begun, once. A call is written at its end and bears the instant of its beginning.
   */
  async page(
    verification: string,
    limit: number,
    after: Place = BEGINNING,
  ): Promise<{ items: TimelineItem[]; last: Place | undefined }> {
    const rows = await this.database.query<Row>(PAGE, [verification, after.at, after.id, limit + 1]);
    const chosen = rows.slice(0, limit);
    const end = chosen.at(-1);
    return { items: chosen.map(item), last: rows.length > limit && end ? { at: end.at, id: end.id } : undefined };
  }
}

function item({ seq, bytes }: Row): TimelineItem {
  const record = JSON.parse(bytes.toString('utf8')) as StoredRecord;
  const { call, client, actor, http, decision, vendor } = record;
  const detail = detailOf(record);
  return {
    seq: seq === null ? null : Number(seq),
    recordId: record.id,
    at: record.at,
    kind: record.kind,
    ...(call === undefined ? {} : { call }),
    ...(client === undefined ? {} : { client }),
    ...(actor === undefined ? {} : { actor }),
    ...(http && { http: { method: http.method, route: http.route, status: http.status, durationUs: http.durationUs } }),
    ...(decision && { decision: { outcome: decision.outcome, rule: decision.rule, reason: decision.reason } }),
    ...(vendor && { vendor: vendorOf(vendor) }),
    ...(Object.keys(detail).length === 0 ? {} : { detail }),
  };
}

function vendorOf({ name, operation, status, durationUs }: NonNullable<StoredRecord['vendor']>) {
  return { name, operation, status, durationUs };
}

function detailOf({ detail = {} }: StoredRecord): Record<string, string | number | boolean | null> {
  const shown: Record<string, string | number | boolean | null> = {};
  for (const name of DETAIL) {
    const value = detail[name];
    if (value === null || ['string', 'number', 'boolean'].includes(typeof value))
      shown[name] = value as string | number | boolean | null;
  }
  return shown;
}
