import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical, wellFormed } from './canonical.js';

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

describe('canonical, for any value', () => {
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

/** JSON has one zero. */
function withoutMinusZero(given: unknown): unknown {
  if (Object.is(given, -0)) return 0;
  if (Array.isArray(given)) return given.map(withoutMinusZero);
  if (given === null || typeof given !== 'object') return given;
  return Object.fromEntries(Object.entries(given).map(([name, item]) => [name, withoutMinusZero(item)]));
}
