import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { jsonDepth, parseJson } from './body.js';

const bytes = (text: string) => Buffer.from(text);

describe('parseJson', () => {
  it.each([
    ['{"a":1', 'cut off'],
    ['{"a":01}', 'a leading zero'],
    ["{'a':1}", 'single quotes'],
    ['\uFEFF{}', 'a byte order mark'],
    ['{"__proto__":{"x":1}}', '__proto__'],
    ['{"\\u005f_proto__":1}', '__proto__ in escapes'],
  ])('refuses %s (%s)', (text) => {
    expect(() => parseJson(bytes(text), 32)).toThrow('malformed-request');
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), 32)).toThrow('malformed-request');
  });

  it('takes what is exactly as deep as allowed and refuses one level more', () => {
    expect(parseJson(bytes('[[[1]]]'), 3)).toEqual([[[1]]]);
    expect(() => parseJson(bytes('[[[[1]]]]'), 3)).toThrow('malformed-request');
  });

  it('does not take brackets in strings for nesting', () => {
    expect(jsonDepth(bytes('{"a":"[[[{\\"[["}'))).toBe(1);
  });

  it('measures the depth of any value and parses it as JSON.parse does', () => {
    const depth = (value: unknown): number =>
      value !== null && typeof value === 'object' ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('__proto__'));
        expect(jsonDepth(bytes(text))).toBe(depth(JSON.parse(text)));
        expect(parseJson(bytes(text), 1_000)).toEqual(JSON.parse(text));
      }),
    );
  });
});
