import { z } from 'zod';
import { type Database, isUuid } from '../platform/index.js';
import type { StoredRecord } from './record.js';

/** A record by its number or its id. */
export const recordKey = z.string().refine((key) => isUuid(key) || /^(0|[1-9]\d{0,14})$/.test(key), {
  error: 'must be the number or the id of a record',
});

/** What records are searched by; all that are given must hold. */
export interface RecordFilter {
  /** Instant in ISO 8601, with its offset. */
  from?: string | undefined;
  /** Not included. */
  to?: string | undefined;
  client?: string | undefined;
  verification?: string | undefined;
  subject?: string | undefined;
  kind?: string | undefined;
  outcome?: string | undefined;
  rule?: string | undefined;
}

/** Where a page ended: the place of its last record in the order of the list. */
export interface Place {
  at: Date;
  id: string;
}

export interface FoundRecord {
  /** Null until it has its number. */
  seq: number | null;
  recordedAt: string;
  record: StoredRecord;
}

/** A record in the log as it is stored. */
export interface NumberedRow {
  seq: number;
  id: string;
  at: Date;
  kind: string;
  bytes: Buffer;
}

interface Row {
  seq: string | null;
  id: string;
  at: Date;
  recorded_at: Date;
  bytes: Buffer;
}

const EQUAL = ['client', 'verification', 'subject', 'kind', 'outcome', 'rule'] as const;

/** Conditions of one query, each with its own parameter. */
class Conditions {
  readonly values: unknown[] = [];
  readonly #terms: string[] = [];

  add(term: (parameter: string) => string, value: unknown): void {
    this.#terms.push(term(`$${this.values.push(value)}`));
  }

  toString(): string {
    return this.#terms.length === 0 ? 'true' : this.#terms.join(' AND ');
  }
}

/** Reads the log for people: records with a number and, beside them, those that are durable and wait for theirs. */
export class RecordSearch {
  constructor(private readonly database: Database) {}

  /**
   * Newest first, by the instant in the record and then its id. Neither ever changes, not even when a record gets its number, so that going
   * on from the last place shows every record that stood when the list was begun, once.
   * @param after place of the last record already seen
   */
  async list(
    filter: RecordFilter,
    limit: number,
    after: Place | undefined,
  ): Promise<{ items: FoundRecord[]; last: Place | undefined }> {
    const where = conditions(filter, after);
    const most = `$${where.values.push(limit + 1)}`;
    const one = (seq: string, table: string): string =>
      `(SELECT ${seq} AS seq, id, at, recorded_at, bytes FROM audit.${table} WHERE ${where.toString()} ORDER BY at DESC, id DESC LIMIT ${most})`;
    const rows = await this.database.query<Row>(
      `${one('seq', 'log')} UNION ALL ${one('NULL::bigint', 'intake')} ORDER BY at DESC, id DESC LIMIT ${most}`,
      where.values,
    );
    const items = rows.slice(0, limit);
    const end = items.at(-1);
    return { items: items.map(found), last: rows.length > limit && end ? { at: end.at, id: end.id } : undefined };
  }

  /** @param key a `recordKey` */
  async byKey(key: string): Promise<FoundRecord | undefined> {
    const row = await this.row(key);
    return row && found(row);
  }

  /** The record as it is stored, once it has its number. @param key a `recordKey` */
  async numbered(key: string): Promise<{ seq: number; id: string; bytes: Buffer } | undefined> {
    const row = await this.row(key);
    return row?.seq == null ? undefined : { seq: Number(row.seq), id: row.id, bytes: row.bytes };
  }

  /** Numbered records of a client's verification from a number on, those of the gateway's own people left out. */
  async ofVerification(verification: string, client: string, from: number, limit: number): Promise<NumberedRow[]> {
    const rows = await this.database.query<Row & { seq: string; kind: string }>(
      `SELECT seq, id, at, kind, recorded_at, bytes FROM audit.log
        WHERE verification = $1 AND (client = $2 OR client IS NULL) AND actor IS NULL AND seq >= $3 ORDER BY seq LIMIT $4`,
      [verification, client, from, limit],
    );
    return rows.map(({ seq, id, at, kind, bytes }) => ({ seq: Number(seq), id, at, kind, bytes }));
  }

  private async row(key: string): Promise<Row | undefined> {
    const [row] = isUuid(key) ? await this.byId(key) : await this.bySeq(Number(key));
    return row;
  }

  private bySeq(seq: number): Promise<Row[]> {
    return this.database.query<Row>('SELECT seq, id, at, recorded_at, bytes FROM audit.log WHERE seq = $1', [seq]);
  }

  private byId(id: string): Promise<Row[]> {
    return this.database.query<Row>(
      `SELECT seq, id, at, recorded_at, bytes FROM audit.log
        WHERE seq = (SELECT seq FROM audit.place WHERE id = $1) AND id = $1
        UNION ALL SELECT NULL, id, at, recorded_at, bytes FROM audit.intake WHERE id = $1`,
      [id],
    );
  }

  /** The record of the call that was decided so. */
  async byDecision(decision: string): Promise<FoundRecord | undefined> {
    const [row] = await this.database.query<Row>(
      `SELECT seq, id, at, recorded_at, bytes FROM audit.log WHERE decision = $1
        UNION ALL SELECT NULL, id, at, recorded_at, bytes FROM audit.intake WHERE decision = $1
        ORDER BY at LIMIT 1`,
      [decision],
    );
    return row && found(row);
  }
}

export function conditions(filter: RecordFilter, after: Place | undefined): Conditions {
  const where = new Conditions();
  if (filter.from !== undefined) where.add((value) => `at >= ${value}`, filter.from);
  if (filter.to !== undefined) where.add((value) => `at < ${value}`, filter.to);
  for (const column of EQUAL) {
    const value = filter[column];
    if (value !== undefined) where.add((parameter) => `${column} = ${parameter}`, value);
  }
  if (after !== undefined) {
    // Said twice: the first is what the index on the instant understands.
    where.add((value) => `at <= ${value}`, after.at);
    const at = `$${where.values.length}`;
    where.add((id) => `(at, id) < (${at}, ${id})`, after.id);
  }
  return where;
}

function found(row: Row): FoundRecord {
  return {
    seq: row.seq === null ? null : Number(row.seq),
    recordedAt: row.recorded_at.toISOString(),
    record: JSON.parse(row.bytes.toString('utf8')) as StoredRecord,
  };
}
