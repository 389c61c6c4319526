import type { Scalar } from './json.js';
import type { MaskMethod } from './mask.js';

/** Gives a stable, keyed stand-in for a value; `path` is the template path in the vendor's spelling, so that fields do not link up. */
export type Pseudonymize = (path: string, value: string) => string;

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** The last four characters; nothing where that would be the whole. Counted in code points, so that no character is torn. */
function last4(value: Scalar): Scalar | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const characters = Array.from(String(value).slice(-9));
  return characters.length > 4 ? characters.slice(-4).join('') : undefined;
}

/** The year of a calendar date, as a string like the date was; undefined for what is no date. */
function year(value: Scalar): string | undefined {
  if (typeof value !== 'string' || value.length > 40) return undefined;
  const [, yyyy, mm, dd] = DATE.exec(value) ?? [];
  if (yyyy === undefined || mm === undefined || dd === undefined) return undefined;
  const date = new Date(`${yyyy}-${mm}-${dd}T00:00:00Z`);
  // Date rolls 30 February over into March: a date that does not come back as it went in is none.
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(dd) ? yyyy : undefined;
}

/** One method as a function of the scalar; undefined means dropped. null carries nothing and always passes. */
export function methodOf(
  method: MaskMethod,
  path: string,
  pseudonymize: Pseudonymize,
): (value: Scalar) => Scalar | undefined {
  if (method === 'keep') return (value) => value;
  if (method === 'number') return (value) => (value === null || typeof value === 'number' ? value : undefined);
  if (method === 'last4') return (value) => (value === null ? null : last4(value));
  if (method === 'year') return (value) => (value === null ? null : year(value));
  return (value) => (value === null ? null : pseudonymize(path, String(value)));
}
