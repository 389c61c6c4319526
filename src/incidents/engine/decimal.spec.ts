import { describe, expect, it } from 'vitest';
import { addDecimals, decimalOf, formatDecimal } from './decimal.js';

describe('decimalOf', () => {
  it.each([
    ['0', '0'],
    ['100000.00', '100000.00'],
    [0.1, '0.1'],
    [1e21, '1000000000000000000000'],
    [1.5e-7, '0.00000015'],
    [-0, '0'],
  ])('reads %s', (value, text) => {
    expect(formatDecimal(decimalOf(value))).toBe(text);
  });

  it.each(['', '-1', '+1', '01', '1.', '.5', '1e5', '1,5', ' 1', '0x1', Number.NaN, Number.POSITIVE_INFINITY, -1])(
    'refuses %s',
    (value) => {
      expect(() => decimalOf(value)).toThrow(RangeError);
    },
  );
});

describe('addDecimals', () => {
  it('keeps the cents', () => {
    expect(formatDecimal(addDecimals(decimalOf('0.10'), decimalOf('0.2')))).toBe('0.30');
  });
});
