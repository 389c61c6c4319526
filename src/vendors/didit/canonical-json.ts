import { isUtf8 } from 'node:buffer';

/** Deepest nesting and longest number that are read: Python's own parser ends at about a thousand levels and 4300 digits. */
const MAX_DEPTH = 128;
const MAX_DIGITS = 4_300;

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const BLANK = /[ \t\n\r]*/y;
const LITERAL = /true|false|null/y;

/**
 * JSON written again as Didit's signer writes it (Python's `json.dumps` with sorted keys, no blanks and no escapes beyond the needful,
 * after whole-valued floats have become integers). Numbers are taken from their tokens, since a JavaScript number has already lost what
 * Python keeps. Returns undefined for what is no JSON in UTF-8, or what that signer cannot have written.
 */
export function canonicalJson(raw: Buffer): string | undefined {
  if (!isUtf8(raw)) return undefined;
  try {
    return new Writer(raw.toString('utf8')).document();
  } catch (error) {
    if (error instanceof NotCanonical) return undefined;
    throw error;
  }
}

class NotCanonical extends Error {}

class Writer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): string {
    const value = this.#value(0);
    this.#blank();
    if (this.#at !== this.#text.length) throw new NotCanonical();
    return value;
  }

  #value(depth: number): string {
    if (depth > MAX_DEPTH) throw new NotCanonical();
    this.#blank();
    const next = this.#text[this.#at];
    if (next === '{') return this.#object(depth);
    if (next === '[') return this.#array(depth);
    if (next === '"') return JSON.stringify(this.#string());
    if (next === 't' || next === 'f' || next === 'n') return this.#token(LITERAL);
    return canonicalNumber(this.#token(NUMBER));
  }

  #object(depth: number): string {
    // The last of several members of one name wins, in Python as in JavaScript.
    const members = new Map<string, string>();
    this.#at += 1;
    if (!this.#took('}')) {
      do {
        this.#blank();
        const name = this.#string();
        this.#expect(':');
        members.set(name, this.#value(depth + 1));
      } while (this.#took(','));
      this.#expect('}');
    }
    const sorted = [...members].sort(([a], [b]) => byCodePoint(a, b));
    return `{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
  }

  #array(depth: number): string {
    const items: string[] = [];
    this.#at += 1;
    if (!this.#took(']')) {
      do items.push(this.#value(depth + 1));
      while (this.#took(','));
      this.#expect(']');
    }
    return `[${items.join(',')}]`;
  }

  #string(): string {
    if (this.#text[this.#at] !== '"') throw new NotCanonical();
    const start = this.#at;
    do {
      this.#at = this.#text.indexOf('"', this.#at + 1);
      if (this.#at === -1) throw new NotCanonical();
    } while (this.#isEscaped());
    this.#at += 1;
    const value = parsedString(this.#text.slice(start, this.#at));
    // Half a surrogate pair has no UTF-8, so that a signer could not have signed it.
    if (value === undefined || !value.isWellFormed()) throw new NotCanonical();
    return value;
  }

  /** Whether an odd number of backslashes stands before the quote. */
  #isEscaped(): boolean {
    let before = this.#at - 1;
    while (this.#text[before] === '\\') before -= 1;
    return (this.#at - before) % 2 === 0;
  }

  #token(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (!found) throw new NotCanonical();
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #blank(): void {
    BLANK.lastIndex = this.#at;
    BLANK.exec(this.#text);
    this.#at = BLANK.lastIndex;
  }

  #took(mark: string): boolean {
    this.#blank();
    if (this.#text[this.#at] !== mark) return false;
    this.#at += 1;
    return true;
  }

  #expect(mark: string): void {
    if (!this.#took(mark)) throw new NotCanonical();
  }
}

function parsedString(token: string): string | undefined {
  try {
    const value: unknown = JSON.parse(token);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Python sorts text by code points, JavaScript by UTF-16 units: they differ from U+E000 on against the pairs above U+FFFF. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Lifts surrogates above the rest of the basic plane, which is all that the order by units gets wrong. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function canonicalNumber(token: string): string {
  if (token.length > MAX_DIGITS) throw new NotCanonical();
  if (/^-?\d+$/.test(token)) return token === '-0' ? '0' : token;
  const value = Number(token);
  if (!Number.isFinite(value)) throw new NotCanonical();
  if (Number.isInteger(value)) return BigInt(value).toString();
  return pythonFloat(value);
}

/** `repr` of a float: the same shortest digits as JavaScript's, but with an exponent of two digits or more below 0.0001. */
function pythonFloat(value: number): string {
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  // From here up JavaScript writes no exponent either, for what is not whole.
  if (power >= -4) return String(value);
  return `${digits}e-${String(-power).padStart(2, '0')}`;
}
