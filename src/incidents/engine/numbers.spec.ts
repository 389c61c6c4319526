import { describe, expect, it } from 'vitest';
import { findImpreciseNumbers } from './numbers.js';

describe('findImpreciseNumbers', () => {
  it.each([
    ['fifteen digits', '{"a":123456789012345}'],
    ['fifteen digits and a fraction', '{"a":100000.000000001}'],
    ['leading zeros', '{"a":0.000000000000000123456789012345}'],
    ['trailing zeros of an integer', '{"a":1000000000000000000}'],
    ['zero at length', '{"a":0.00000000000000000000}'],
    ['an exponent', '{"a":1.5e30}'],
    ['a string', '{"a":"1234567890123456789"}'],
    ['a member name', '{"12345678901234567":1}'],
    ['true, false and null', '[true,false,null]'],
  ])('passes %s', (_name, text) => {
    expect(findImpreciseNumbers(text)).toEqual([]);
  });

  it.each([
    ['sixteen digits', '{"a":1234567890123456}', ['/a']],
    ['the largest safe integer', '{"a":9007199254740991}', ['/a']],
    ['sixteen digits over the point', '{"a":100000.0000000001}', ['/a']],
    ['zeros written after the point', '{"a":100000.0000000000}', ['/a']],
    ['a negative number', '[-0.1234567890123456]', ['/0']],
    ['an exponent', '{"a":1.234567890123456e-3}', ['/a']],
    ['what is too large for a double', '{"a":1e400}', ['/a']],
    ['what is too small for a double', '{"a":1e-400}', ['/a']],
    ['a bare document', '12345678901234567', ['']],
    ['places deep down', '{"facts":{"costEur":1,"list":[1,{"x":0.30000000000000004}]}}', ['/facts/list/1/x']],
    ['every one of several', '[1234567890123456,1,1234567890123456]', ['/0', '/2']],
    ['names to be escaped', String.raw`{"a/b~c\"d\u0041":1234567890123456}`, ['/a~1b~0c"dA']],
    ['what follows strings with brackets', '{"a":"}]\\\\","b":[1234567890123456]}', ['/b/0']],
    ['what follows an empty object', '{"a":{},"b":1234567890123456}', ['/b']],
  ])('finds %s', (_name, text, pointers) => {
    expect(findImpreciseNumbers(text)).toEqual(pointers);
  });

  it('takes time in proportion to the text and no stack', () => {
    const nested = `${'['.repeat(100_000)}1234567890123456${']'.repeat(100_000)}`;
    expect(findImpreciseNumbers(nested)).toEqual([]);
    expect(findImpreciseNumbers(`[${'1,'.repeat(200_000)}1234567890123456]`)).toEqual(['/200000']);
  });

  it('returns a bounded number of pointers', () => {
    expect(findImpreciseNumbers(`[${Array.from({ length: 100 }, () => '1234567890123456').join(',')}]`)).toHaveLength(
      32,
    );
  });

  it.each(['', '{', '{"a', '{"a":-', '[1234567890123456', 'nonsense'])('ends on malformed text: %s', (text) => {
    expect(Array.isArray(findImpreciseNumbers(text))).toBe(true);
  });
});
