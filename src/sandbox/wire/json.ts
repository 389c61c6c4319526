/**
 * JSON as Didit's Python sees it: whole numbers of any size stay exact and a float stays a float (`90.0` is not `90`).
 * JavaScript's own parser loses both, and the webhook signatures depend on them.
 */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export type Json = null | boolean | string | number | bigint | Float | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export interface WriteOptions {
  /** Keys in the order of Python's sort_keys: by code point, at every depth. */
  readonly sorted: boolean;
  /** Everything outside printable ASCII as \uXXXX. */
  readonly ascii: boolean;
  /** Whether a whole float keeps its `.0` or is written as an integer. */
  readonly floats: 'kept' | 'shortened';
}

const maxDepth = 200;

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

/** The third argument of a reviver is in Node.js since 21 and not yet in the ES2023 types. */
const parseWithSource: (text: string, reviver: Reviver) => unknown = JSON.parse;

/** Throws SyntaxError on what is not JSON, or is nested deeper than 200. */
export const parseJson = (text: string): Json => {
  const value = parseWithSource(text, (_key, item, context) =>
    typeof item === 'number' ? numeral(context?.source ?? String(item), item) : item,
  );
  return toJson(value, 0);
};

export const writeJson = (value: Json, options: WriteOptions): string => {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quote(value, options.ascii);
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  if (value instanceof Float) return floatText(value.value, options.floats);
  if (Array.isArray(value)) return `[${value.map((item) => writeJson(item, options)).join(',')}]`;
  const keys = options.sorted ? Object.keys(value).sort(byCodePoint) : Object.keys(value);
  return `{${keys.map((key) => `${quote(key, options.ascii)}:${writeJson(value[key] ?? null, options)}`).join(',')}}`;
};

/** How the API writes its answers. */
export const answerText = (value: Json): string => writeJson(value, { sorted: false, ascii: false, floats: 'kept' });

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Float);

/** A text or number as text; of anything else nothing. */
export const scalarText = (value: Json | undefined): string => {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' ? value.toString() : '';
};

/** Python's repr of a float: exponent form below 1e-4 and from 1e16 on, always a point or an exponent. */
export const pythonFloat = (value: number): string => {
  if (Object.is(value, -0)) return '-0.0';
  const [mantissa = '0', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const digits = String(Math.abs(exponent)).padStart(2, '0');
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
};

const floatText = (value: number, floats: WriteOptions['floats']): string =>
  floats === 'shortened' && Number.isInteger(value) ? BigInt(value).toString() : pythonFloat(value);

const numeral = (source: string, value: number): number | bigint | Float => {
  if (/[.eE]/.test(source)) {
    if (!Number.isFinite(value)) throw new SyntaxError('number out of range');
    return new Float(value);
  }
  return Number.isSafeInteger(value) ? (Object.is(value, -0) ? 0 : value) : BigInt(source);
};

const quote = (text: string, ascii: boolean): string => {
  const quoted = JSON.stringify(text);
  if (!ascii) return quoted;
  return quoted.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
};

/** JavaScript's own order compares UTF-16 units and so puts U+1F600 before U+FF5E. */
const byCodePoint = (left: string, right: string): number => {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const [a, b] = [left.charCodeAt(index), right.charCodeAt(index)];
    if (a === b) continue;
    const [highA, highB] = [isSurrogate(a), isSurrogate(b)];
    return highA === highB ? a - b : highA ? 1 : -1;
  }
  return left.length - right.length;
};

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

const toJson = (value: unknown, depth: number): Json => {
  if (depth > maxDepth) throw new SyntaxError('nested too deeply');
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Float) return value;
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  if (typeof value !== 'object') throw new SyntaxError('not JSON');
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item, depth + 1)]));
};
