/** A double holds any decimal of 15 significant digits, and not every one of 16. */
const MAX_SIGNIFICANT_DIGITS = 15;

/** No request of this module nests deeper than a handful; a deeper document is refused by its schema. */
const MAX_DEPTH = 64;

/** More findings say nothing new, and pointers of long keys add up. */
const MAX_FINDINGS = 32;

const NUMBER_TOKEN = /-?(?<mantissa>\d+(?:\.\d+)?)(?:[eE][+-]?\d+)?/y;
const SMALLEST_NORMAL_DOUBLE = 2.2250738585072014e-308;

/** Where the scan stands inside one array or object. */
interface Container {
  readonly kind: 'array' | 'object';
  index: number;
  /** the raw JSON string token of the current member's name */
  key: string;
  /** an object's string is a name until its colon was passed */
  expectsKey: boolean;
}

/**
 * JSON pointers of the number tokens that `JSON.parse` would silently bend: more than 15 significant digits as written, or
 * too large or too small for a double. Leading zeros are not significant, nor are the trailing ones of an integer.
 * Works on the raw text in one pass without recursion. Expects text that JSON.parse accepts (anything else ends the scan early),
 * looks no deeper than 64 levels and returns at most 32 pointers.
 */
export function findImpreciseNumbers(rawJsonText: string): string[] {
  const found: string[] = [];
  const path: Container[] = [];
  let at = 0;
  while (at < rawJsonText.length && found.length < MAX_FINDINGS) {
    const char = rawJsonText.charAt(at);
    const top = path.at(-1);
    if (char === '"') {
      const end = endOfString(rawJsonText, at);
      if (end === -1) return found;
      if (top?.expectsKey === true) top.key = rawJsonText.slice(at, end);
      at = end;
    } else if (char === '-' || (char >= '0' && char <= '9')) {
      const token = numberAt(rawJsonText, at);
      if (token === null) return found;
      if (isImprecise(token)) found.push(pointerOf(path));
      at += token.text.length;
    } else {
      if (!step(char, path, top)) return found;
      at += 1;
    }
  }
  return found;
}

/** Follows one structural character; false where the document nests too deep. Letters of true, false, null and blanks pass by. */
function step(char: string, path: Container[], top: Container | undefined): boolean {
  switch (char) {
    case '{':
    case '[':
      if (path.length === MAX_DEPTH) return false;
      path.push({ kind: char === '{' ? 'object' : 'array', index: 0, key: '""', expectsKey: char === '{' });
      break;
    case '}':
    case ']':
      path.pop();
      break;
    case ':':
      if (top !== undefined) top.expectsKey = false;
      break;
    case ',':
      if (top !== undefined) {
        top.index += 1;
        top.expectsKey = top.kind === 'object';
      }
      break;
    default:
      break;
  }
  return true;
}

/** The position after the closing quote, or -1 where there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '\\') at += 1;
    else if (char === '"') return at + 1;
  }
  return -1;
}

interface NumberToken {
  readonly text: string;
  readonly mantissa: string;
}

function numberAt(text: string, at: number): NumberToken | null {
  NUMBER_TOKEN.lastIndex = at;
  const match = NUMBER_TOKEN.exec(text);
  return match === null ? null : { text: match[0], mantissa: match.groups?.mantissa ?? '' };
}

function isImprecise({ text, mantissa }: NumberToken): boolean {
  const significant = significantDigits(mantissa);
  if (significant === 0) return false;
  if (significant > MAX_SIGNIFICANT_DIGITS) return true;
  const magnitude = Math.abs(Number(text));
  return !Number.isFinite(magnitude) || magnitude < SMALLEST_NORMAL_DOUBLE;
}

/** Zeros after the point are significant as written; those that end an integer only place the point. */
function significantDigits(mantissa: string): number {
  const digits = mantissa.replace('.', '');
  let first = 0;
  while (digits.charAt(first) === '0') first += 1;
  let last = digits.length;
  if (!mantissa.includes('.')) while (last > first && digits.charAt(last - 1) === '0') last -= 1;
  return first === digits.length ? 0 : last - first;
}

function pointerOf(path: readonly Container[]): string {
  return path.map(({ kind, index, key }) => `/${kind === 'array' ? String(index) : pointerToken(key)}`).join('');
}

/** RFC 6901 section 3: `~` and `/` are escaped. A name that is no JSON string keeps its raw form. */
function pointerToken(rawKey: string): string {
  return unquote(rawKey).replaceAll('~', '~0').replaceAll('/', '~1');
}

function unquote(rawKey: string): string {
  try {
    return String(JSON.parse(rawKey));
  } catch {
    return rawKey;
  }
}
