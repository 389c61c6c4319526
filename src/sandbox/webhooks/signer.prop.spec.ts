import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { parseJson, writeJson } from '../wire/json.js';
import { canonicalText } from './signer.js';

const json = fc.jsonValue({ stringUnit: 'binary' }).map((value) => parseJson(JSON.stringify(value)));

describe('the canonical form', () => {
  test.prop([json, fc.constantFrom('kept' as const, 'shortened' as const)])(
    'is the same whichever way the wire writes its floats',
    (value, floats) => {
      const wire = writeJson(value, { sorted: true, ascii: true, floats });
      expect(wire).toMatch(/^[ -~]*$/);
      expect(canonicalText(parseJson(wire))).toBe(canonicalText(value));
    },
  );

  test.prop([json])('is what JavaScript would read in it', (value) => {
    const plain: unknown = JSON.parse(writeJson(value, { sorted: false, ascii: false, floats: 'kept' }));
    expect(JSON.parse(canonicalText(value))).toEqual(withoutNegativeZero(plain));
  });
});

const withoutNegativeZero = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_key, item: unknown) => (Object.is(item, -0) ? 0 : item));
