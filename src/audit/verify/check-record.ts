import { isCanonical } from '../canonical.js';

/** Columns of a stored record, as text in Postgres' own output form (time zone UTC), in the order of `PROJECTED`. */
export type ProjectedRow = readonly (string | null)[];

/** The columns that are a projection of the bytes, in the order that `check` takes them. */
export const PROJECTED = [
  'at',
  'kind',
  'call',
  'trace',
  'client',
  'credential',
  'actor',
  'verification',
  'subject',
  'route',
  'status',
  'duration_us',
  'outcome',
  'rule',
  'decision',
  'vendor_operation',
  'vendor_status',
  'vendor_duration_us',
] as const;

export type Members = Readonly<Record<string, unknown>>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NONE: Members = {};

/**
 * The members of a record.
 * @param form its bytes, or the text that they are in UTF-8
 * @returns undefined when it is not the canonical JSON of an object.
 */
export function readRecord(form: Uint8Array | string): Members | undefined {
  try {
    const text = typeof form === 'string' ? form : utf8.decode(form);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !isCanonical(text, value)) return undefined;
    return value as Members;
  } catch {
    return undefined;
  }
}

/**
 * Whether the columns beside a record follow from its members. Written apart from the SQL that computed the columns, so that neither can
 * hide the other's mistake or a change of it.
 * @param first the number of the first projected column in `row`
 * @returns what is wrong; undefined when all holds.
 */
export function checkBeside(record: Members, id: string | null, row: ProjectedRow, first: number): string | undefined {
  if (record['id'] !== id) return 'its id is not the one in its bytes';
  const projected = project(record);
  if (projected === undefined) return 'a member has not the type that it should have';
  for (let at = 0; at < projected.length; at += 1) {
    if (projected[at] !== row[first + at]) return `its column ${PROJECTED[at] ?? ''} does not follow from its bytes`;
  }
  return undefined;
}

class WrongType extends Error {}

function project(record: Members): ProjectedRow | undefined {
  try {
    const http = objectOf(record['http']);
    const decision = objectOf(record['decision']);
    const vendor = objectOf(record['vendor']);
    return [
      instantOf(record['at']),
      textOf(record['kind']),
      textOf(record['call']),
      textOf(record['trace']),
      textOf(record['client']),
      textOf(record['credential']),
      textOf(record['actor']),
      textOf(record['verification']),
      textOf(record['subject']),
      textOf(http['route']),
      integerOf(http['status']),
      integerOf(http['durationUs']),
      textOf(decision['outcome']),
      textOf(decision['rule']),
      textOf(decision['id']),
      textOf(vendor['operation']),
      integerOf(vendor['status']),
      integerOf(vendor['durationUs']),
    ];
  } catch (error) {
    if (error instanceof WrongType) return undefined;
    throw error;
  }
}

function objectOf(value: unknown): Members {
  if (value === undefined || value === null) return NONE;
  if (typeof value !== 'object' || Array.isArray(value)) throw new WrongType();
  return value as Members;
}

function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new WrongType();
  return value;
}

function integerOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number') throw new WrongType();
  return String(value);
}

/** ISO 8601 with milliseconds as Postgres prints a timestamptz: without zeros at the end of the fraction. */
function instantOf(value: unknown): string {
  if (typeof value !== 'string' || value.length !== 24) throw new WrongType();
  const fraction = value.slice(19, 23).replace(/\.?0+$/, '');
  return `${value.slice(0, 10)} ${value.slice(11, 19)}${fraction}+00`;
}
