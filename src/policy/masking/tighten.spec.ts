import { describe, expect, it } from 'vitest';
import { compileMask } from './compile.js';
import { dropped, either, type ExtraMethod, fields, leaf, list, type MaskNode, subtree } from './mask.js';
import { parsePath } from './tighten.js';

const masked = (node: MaskNode, extra: Record<string, ExtraMethod>, input: unknown) =>
  compileMask(node, { names: 'as-is', pseudonymize: (_, value) => `p(${value})`, extra })(input).value;
const open = subtree((_, text) => text !== 'media');

describe('a path', () => {
  it.each([
    ['a', ['a']],
    ['a.b', ['a', 'b']],
    ['id_verifications[].document_number', ['id_verifications', null, 'document_number']],
    ['a[][].b', ['a', null, null, 'b']],
    ['[].a', [null, 'a']],
    ['a[]', ['a', null]],
  ])('%s is read', (path, steps) => {
    expect(parsePath(path)).toEqual(steps);
  });

  it.each(['', '.a', 'a.', 'a..b', 'a[0]', 'a[', 'a]', 'a[]b', 'a.[]'])('%j is none', (path) => {
    expect(() => parsePath(path)).toThrow(/path/);
  });
});

describe('extra methods', () => {
  const input = { rows: [{ number: '1234567890', born: '1984-02-29', name: 'Nuria', extra: { number: '999999' } }] };
  const row = fields({ number: leaf('keep'), born: leaf('year'), name: dropped });
  const listed = fields({ rows: list(row) });

  it('narrow what a mask lets through', () => {
    const extra = { 'rows[].number': 'last4', 'rows[].born': 'drop' } as const;
    expect(masked(listed, extra, input)).toEqual({ rows: [{ number: '7890' }] });
    expect(masked(listed, { 'rows[].number': 'pseudonym' }, input)).toEqual({
      rows: [{ number: 'p(1234567890)', born: '1984' }],
    });
  });

  it('bring back nothing that was dropped or never listed', () => {
    const extra = { 'rows[].name': 'last4', 'rows[].extra.number': 'last4', 'other.path': 'last4' } as const;
    expect(masked(listed, extra, input)).toEqual({ rows: [{ number: '1234567890', born: '1984' }] });
  });

  it('come after the methods that stand there', () => {
    expect(masked(listed, { 'rows[].born': 'last4' }, input)).toEqual({ rows: [{ number: '1234567890' }] });
    expect(masked(listed, { 'rows[].born': 'pseudonym' }, input)).toHaveProperty('rows.0.born', 'p(1984)');
    expect(masked(listed, { 'rows[].born': 'year' }, input)).toHaveProperty('rows.0.born', '1984');
  });

  it('reach into whole subtrees and leave the rest of them alone', () => {
    const extra = { 'rows[].number': 'last4', 'rows[].extra.number': 'drop' } as const;
    expect(masked(open, extra, { ...input, other: 1 })).toEqual({
      rows: [{ number: '7890', born: '1984-02-29', name: 'Nuria', extra: {} }],
      other: 1,
    });
    expect(masked(open, { 'rows[].number': 'last4' }, { rows: [{ number: 'media' }] })).toEqual({ rows: [{}] });
    expect(masked(either(open, fields({ rows: list(open) })), extra, input)).toHaveProperty('rows.0.number', '7890');
  });

  it('on a whole object or list leave nothing of it', () => {
    expect(masked(listed, { rows: 'last4' }, input)).toEqual({});
    expect(masked(open, { 'rows[].extra': 'pseudonym' }, input)).not.toHaveProperty('rows.0.extra');
    expect(masked(open, { rows: 'drop' }, input)).toEqual({});
  });

  it('of a malformed path stop the start, naming it', () => {
    expect(() => masked(open, { 'a[0]': 'drop' }, input)).toThrow('a[0]');
  });
});
