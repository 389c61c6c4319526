import { describe, expect, it } from 'vitest';
import type { Factor } from './entities/client.entity.js';
import { intersection, missingFactor } from './factors.js';

describe('the factors of a call', () => {
  const both: Factor[] = ['key', 'token'];
  it.each<[Factor[], boolean, boolean, string | undefined]>([
    [['key'], true, false, undefined],
    [['key'], true, true, undefined],
    [['key'], false, true, 'auth.key-missing'],
    [['key'], false, false, 'auth.key-missing'],
    [['token'], false, true, undefined],
    [['token'], true, true, undefined],
    [['token'], true, false, 'auth.token-missing'],
    [['token'], false, false, 'auth.token-missing'],
    [both, true, true, undefined],
    [both, true, false, 'auth.token-missing'],
    [both, false, true, 'auth.key-missing'],
    [both, false, false, 'auth.key-missing'],
  ])('required %j, key %s, token %s: %s', (required, key, token, refusal) => {
    expect(missingFactor(required, { key, token })).toBe(refusal);
  });
});

describe('the intersection of rights', () => {
  it('leaves out a credential that was not brought', () => {
    expect(intersection(new Set(['a', 'b']), undefined, new Set(['b', 'c']))).toEqual(new Set(['b']));
  });

  it('is nothing where one credential carries nothing', () => {
    expect(intersection(new Set(['a']), new Set(['a']), new Set())).toEqual(new Set());
  });
});
