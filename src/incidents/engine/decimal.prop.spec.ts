import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addDecimals, compareDecimals, decimalOf, exceedsPercent, formatDecimal } from './decimal.js';

/** A decimal written by hand, and the same as a number of units of 10^-6 that the oracle counts in. */
const written = fc.tuple(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.nat(6)).map(([units, scale]) => {
  const digits = String(units).padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return { text, micros: units * 10n ** BigInt(6 - scale) };
});

describe('decimals against integers', () => {
  it('compare as the integers do', () => {
    fc.assert(
      fc.property(written, written, (left, right) => {
        const difference = left.micros - right.micros;
        expect(Math.sign(compareDecimals(decimalOf(left.text), decimalOf(right.text)))).toBe(
          difference === 0n ? 0 : difference < 0n ? -1 : 1,
        );
      }),
    );
  });

  it('exceed a share exactly where the integers do', () => {
    fc.assert(
      fc.property(written, written, fc.integer({ min: 1, max: 100 }), (part, whole, percent) => {
        expect(exceedsPercent(decimalOf(part.text), decimalOf(whole.text), percent)).toBe(
          part.micros * 100n > whole.micros * BigInt(percent),
        );
      }),
    );
  });

  it('exceed a tenth by one unit in the last place, and not at the tenth', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 30n }), (units) => {
        const whole = decimalOf(String(units * 10n));
        expect(exceedsPercent(decimalOf(String(units)), whole, 10)).toBe(false);
        expect(exceedsPercent(decimalOf(`${String(units)}.${'0'.repeat(40)}1`), whole, 10)).toBe(true);
      }),
    );
  });

  it('add as the integers do', () => {
    fc.assert(
      fc.property(written, written, (left, right) => {
        const sum = addDecimals(decimalOf(left.text), decimalOf(right.text));
        expect(sum.units * 10n ** BigInt(6 - sum.scale)).toBe(left.micros + right.micros);
      }),
    );
  });

  it('read a number as the text of its shortest form', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(formatDecimal(decimalOf(value)))).toBe(value === 0 ? 0 : value);
      }),
    );
  });
});
