import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical, isCanonical, wellFormed } from './canonical.js';

const text = fc.string({ unit: 'binary' }).map(wellFormed);
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(text, tie('value'), { maxKeys: 6 }),
  ),
})).value;

function shuffled(given: unknown, seed: number): unknown {
  if (Array.isArray(given)) return given.map((item) => shuffled(item, seed));
  if (given === null || typeof given !== 'object') return given;
  const members = Object.entries(given).map(([name, item]) => [name, shuffled(item, seed)] as const);
  return Object.fromEntries(seed % 2 === 0 ? members.reverse() : [...members.slice(1), ...members.slice(0, 1)]);
}

/** RFC 8785 by its definition, for values without lone surrogates and NUL: what the short cuts of `canonical` are held against. */
function defined(given: unknown): string {
  if (Array.isArray(given)) return `[${given.map(defined).join(',')}]`;
  if (typeof given === 'number' && !Number.isSafeInteger(given)) throw new TypeError('no safe integer');
  if (given === null || typeof given !== 'object') return JSON.stringify(given);
  const members = given as Record<string, unknown>;
  const names = Object.keys(members).filter((name) => members[name] !== undefined);
  return `{${names
    .sort()
    .map((name) => `${JSON.stringify(name)}:${defined(members[name])}`)
    .join(',')}}`;
}

describe('canonical, for any value', () => {
  it('is what the definition gives', () => {
    fc.assert(
      fc.property(value, fc.nat(3), (given, seed) => {
        expect(canonical(shuffled(given, seed))).toBe(defined(given));
      }),
    );
  });

  it('is read back as the same value', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(JSON.parse(canonical(given))).toEqual(withoutMinusZero(given));
      }),
    );
  });

  it('does not depend on the order of members', () => {
    fc.assert(
      fc.property(value, fc.nat(3), (given, seed) => {
        expect(canonical(shuffled(given, seed))).toBe(canonical(given));
      }),
    );
  });

  it('is the canonical form of what it says', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(canonical(JSON.parse(canonical(given)))).toBe(canonical(given));
      }),
    );
  });

  it('writes texts as JSON.stringify does', () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(canonical(given)).toBe(JSON.stringify(given));
      }),
    );
  });

  it('survives UTF-8, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }), (units) => {
        const written = canonical(String.fromCharCode(...units));
        expect(Buffer.from(written).toString()).toBe(written);
        expect(written).not.toMatch(/(?<!\\)(\\\\)*\\u0000/);
      }),
    );
  });
});

/** What an attacker may write in place of a canonical form: the same value otherwise, another value, floats, escapes, doubled members. */
const otherForms = fc.tuple(
  fc.json(),
  fc.constantFrom<(form: string) => string>(
    (form) => form,
    (form) => ` ${form}`,
    (form) => form.replace('1', '1.0'),
    (form) => form.replace('1', '1.5'),
    (form) => form.replace('0', '-0'),
    (form) => form.replace('a', '\\u0061'),
    (form) => form.replace('":', '\\ud800":'),
    (form) => form.replace('{', '{"a":1,"a":1,'),
    (form) => form.replace('{', '{"z":1,"b":2,'),
    (form) => form.replace('{', '{"10":1,"9":2,'),
    (form) => form.replace('{', '{"9":1,"10":2,'),
    (form) => form.replace('{', '{"__proto__":1,'),
    (form) => `${'['.repeat(40)}${form}${']'.repeat(40)}`,
  ),
);

describe('isCanonical', () => {
  const asWritten = (form: string, parsed: unknown): boolean => {
    try {
      return canonical(parsed) === form && defined(parsed) === form;
    } catch {
      return false;
    }
  };

  it('says the same as writing the form and comparing', () => {
    fc.assert(
      fc.property(otherForms, ([given, change]) => {
        for (const form of [change(given), change(JSON.stringify(JSON.parse(given)))]) {
          let parsed: unknown;
          try {
            parsed = JSON.parse(form);
          } catch {
            continue;
          }
          expect(isCanonical(form, parsed)).toBe(asWritten(form, parsed));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('holds for every form that was written', () => {
    fc.assert(
      fc.property(value, (given) => {
        const form = canonical(given);
        expect(isCanonical(form, JSON.parse(form))).toBe(true);
      }),
    );
  });
});

/** JSON has one zero. */
function withoutMinusZero(given: unknown): unknown {
  if (Object.is(given, -0)) return 0;
  if (Array.isArray(given)) return given.map(withoutMinusZero);
  if (given === null || typeof given !== 'object') return given;
  return Object.fromEntries(Object.entries(given).map(([name, item]) => [name, withoutMinusZero(item)]));
}
