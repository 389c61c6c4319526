/** What a record may hold: RFC 8785 without floats, so that no reader has to agree with us on how to print one. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [name: string]: CanonicalValue | undefined };

const MOST_DEPTH = 32;
/** Without what JSON escapes, and without surrogates, which need a second look. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;
/** A high surrogate that no low one follows, or a low one that no high one precedes: UTF-8 cannot carry it. */
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const NUL = '\u0000';
const REPLACEMENT = '\ufffd';

/**
 * Canonical JSON (RFC 8785): members sorted by UTF-16 code units, no white space, strings as ECMAScript's JSON.stringify writes them.
 * Members that are `undefined` are left out. Lone surrogates, which UTF-8 cannot carry, and U+0000, which Postgres' jsonb refuses (and a
 * record that the search columns cannot be computed from would stop the log), become U+FFFD.
 * @throws TypeError on anything but strings, safe integers, booleans, null, arrays and plain objects, or deeper than 32 levels.
 */
export function canonical(value: unknown): string {
  return quickly(value) ?? write(value, 0);
}

/** Whether a text is the canonical form of what it was parsed to. */
export function isCanonical(form: string, value: unknown): boolean {
  if (quickly(value) === form) return true;
  try {
    return canonical(value) === form;
  } catch {
    return false;
  }
}

/**
 * Where members stand in order, numbers are safe integers and nothing is escaped by number, the engine's own JSON.stringify writes the
 * canonical form, at half the cost. @returns undefined where it may write another.
 */
function quickly(value: unknown): string | undefined {
  if (!inOrder(value, 0)) return undefined;
  const form = JSON.stringify(value);
  return form.includes('\\u') ? undefined : form;
}

function inOrder(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isSafeInteger(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth === MOST_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => inOrder(item, depth + 1));
  if (!isPlain(value)) return false;
  let before: string | undefined;
  for (const name in value) {
    if (before !== undefined && before > name) return false;
    before = name;
    const member = (value as Record<string, unknown>)[name];
    if (typeof member !== 'string' && member !== undefined && !inOrder(member, depth + 1)) return false;
  }
  return true;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return text(value);
    case 'number':
      if (!Number.isSafeInteger(value)) throw new TypeError('a record holds no number but safe integers');
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      break;
    default:
      throw new TypeError(`a record holds no ${typeof value}`);
  }
  if (value === null) return 'null';
  if (depth === MOST_DEPTH) throw new TypeError(`a record is nested at most ${MOST_DEPTH} levels deep`);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  return members(value, depth + 1);
}

function members(value: object, depth: number): string {
  if (!isPlain(value)) throw new TypeError('a record holds plain objects only');
  let out = '';
  for (const name of sortedNames(value)) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    out += `${out === '' ? '' : ','}${text(name)}:${write(member, depth)}`;
  }
  return `{${out}}`;
}

/** Most objects come in order already: looking is cheaper than sorting. */
function sortedNames(value: object): string[] {
  const names = Object.keys(value);
  for (let at = 1; at < names.length; at += 1) {
    if ((names[at - 1] ?? '') > (names[at] ?? '')) return names.sort();
  }
  return names;
}

function text(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(wellFormed(value));
}

/** The text as a record keeps it: lone surrogates and NUL replaced. */
export function wellFormed(value: string): string {
  return value.replaceAll(LONE_SURROGATE, REPLACEMENT).replaceAll(NUL, REPLACEMENT);
}
