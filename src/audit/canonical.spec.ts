import { describe, expect, it } from 'vitest';
import { canonical } from './canonical.js';

describe('canonical', () => {
  it('sorts members by UTF-16 code units (the example of RFC 8785 section 3.2.3)', () => {
    const members = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect(Object.values(JSON.parse(canonical(members)) as object)).toHaveLength(7);
    const order = [...canonical(members).matchAll(/:"([^"]*)"/g)].map(([, value]) => value);
    expect(order).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it('writes literals and strings as RFC 8785 section 3.2.2 has them', () => {
    const value = { string: '\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"/', literals: [null, true, false] };
    expect(canonical(value)).toBe('{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}');
  });

  it('sorts numeric names as texts, which a JavaScript object does not', () => {
    expect(canonical({ 9: 0, 10: 0, a: 0 })).toBe('{"10":0,"9":0,"a":0}');
  });

  it('leaves out what is undefined, and keeps null', () => {
    expect(canonical({ a: undefined, b: null })).toBe('{"b":null}');
    expect(canonical({})).toBe('{}');
  });

  it('takes integers up to 2^53 and writes zero once', () => {
    expect(canonical([Number.MAX_SAFE_INTEGER, -1, -0])).toBe('[9007199254740991,-1,0]');
  });

  it.each([
    ['a lone high surrogate', 'a\ud800b', '"a\ufffdb"'],
    ['a lone low surrogate', '\udc00', '"\ufffd"'],
    ['surrogates in the wrong order', '\udc00\ud800', '"\ufffd\ufffd"'],
    ['a pair', '\ud83e\udd8a', '"🦊"'],
    ['NUL', 'a\u0000b', '"a\ufffdb"'],
    ['an escape spelt out', '\\u0000', '"\\\\u0000"'],
  ])('writes %s so that UTF-8 and jsonb take it', (_what, text, written) => {
    expect(canonical(text)).toBe(written);
    expect(canonical({ [text]: 1 })).toBe(`{${written}:1}`);
  });

  it.each([
    ['a float', 1.5],
    ['an integer past 2^53', 2 ** 53],
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a bigint', 1n],
    ['a function', () => 0],
    ['a symbol', Symbol('x')],
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['bytes', Buffer.from('x')],
  ])('refuses %s', (_what, value) => {
    expect(() => canonical(value)).toThrow(TypeError);
    expect(() => canonical({ deep: [value] })).toThrow(TypeError);
  });

  it('refuses what is nested too deeply, also when it holds itself', () => {
    const endless: unknown[] = [];
    endless.push(endless);
    expect(() => canonical(endless)).toThrow(TypeError);
  });
});
