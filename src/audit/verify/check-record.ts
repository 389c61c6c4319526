import { isCanonical } from '../canonical.js';

/** Columns of a stored record, as text in Postgres' own output form (time zone UTC). */
type Columns = readonly (string | null)[];

/** The columns that are a projection of the bytes, in the order that `checkBeside` takes them. */
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
 * hide the other's mistake or a change of it. Equal arrays are written alike, but for rare texts: only others need be taken apart.
 * @param columns JSON of an array: the id, then those of `PROJECTED`
 * @returns what is wrong; undefined when all holds.
 */
export function checkBeside(record: Members, columns: string): string | undefined {
  const expected = project(record);
  if (expected !== undefined && JSON.stringify(expected) === columns) return undefined;
  const [id, ...found] = JSON.parse(columns) as Columns;
  if (record['id'] !== id) return 'its id is not the one in its bytes';
  if (expected === undefined) return 'a member has not the type that it should have';
  const apart = PROJECTED.find((_, at) => expected[at + 1] !== found[at]);
  return apart === undefined ? undefined : `its column ${apart} does not follow from its bytes`;
}

class WrongType extends Error {}

/** The id, and the columns that follow from the record. */
function project(record: Members): Columns | undefined {
  try {
    const http = objectOf(record['http']);
    const decision = objectOf(record['decision']);
    const vendor = objectOf(record['vendor']);
    return [
      idOf(record['id']),
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

function idOf(value: unknown): string {
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
