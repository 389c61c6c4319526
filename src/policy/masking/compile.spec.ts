import { describe, expect, it } from 'vitest';
import { compileMask, type MaskOptions } from './compile.js';
import { dropped, either, exempt, fields, leaf, list, type MaskNode, members, subtree } from './mask.js';

const pseudonymize = (path: string, value: string) => `${path}=${value.length}`;
const mask = (node: MaskNode, input: unknown, options: Partial<MaskOptions> = {}) =>
  compileMask(node, { names: 'as-is', pseudonymize, ...options })(input);
const value = (node: MaskNode, input: unknown, options: Partial<MaskOptions> = {}) => mask(node, input, options).value;
const keep = leaf('keep');

describe('a mask', () => {
  it('builds the answer of what it lists and of nothing else', () => {
    const node = fields({ id: keep, inner: fields({ a: keep }), items: list(fields({ b: keep })) });
    const input = { id: 1, name: 'N', inner: { a: true, x: 1 }, items: [{ b: null, y: 'Y' }, { z: 1 }] };
    expect(value(node, input)).toEqual({ id: 1, inner: { a: true }, items: [{ b: null }, {}] });
    expect(input.name).toBe('N');
  });

  it.each([
    ['an object', { a: { name: 'N' } }],
    ['a list', { a: ['N'] }],
  ])('lets no %s pass where a scalar is listed', (_, input) => {
    expect(mask(fields({ a: keep }), input)).toEqual({ value: {}, unlisted: ['a'] });
  });

  it('lets no scalar and no other kind pass where an object or a list is listed', () => {
    const node = fields({ o: fields({ a: keep }), l: list(keep) });
    expect(mask(node, { o: 'N', l: 'N' })).toEqual({ value: {}, unlisted: ['o', 'l'] });
    expect(mask(node, { o: ['N'], l: { a: 'N' } }).value).toEqual({});
    expect(mask(node, { o: null, l: null })).toEqual({ value: { o: null, l: null }, unlisted: [] });
  });

  it('leaves elements of another kind out of a list', () => {
    expect(value(list(fields({ a: keep })), [{ a: 1 }, 'N', ['N'], null, { a: { b: 'N' } }])).toEqual([
      { a: 1 },
      null,
      {},
    ]);
  });

  it('takes either of several kinds where they are listed', () => {
    const node = list(either(keep, fields({ name: keep })));
    expect(value(node, ['AML', { name: 'ID', secret: 1 }])).toEqual(['AML', { name: 'ID' }]);
  });

  it('does not take inherited names for listed ones, nor lets any set a prototype', () => {
    const input: unknown = JSON.parse('{"constructor":"N","__proto__":{"polluted":1},"toString":"N","a":1}');
    expect(value(fields({ a: keep }), input)).toEqual({ a: 1 });
    const copied = value(
      subtree(() => true),
      input,
    );
    expect(Object.keys(copied ?? {})).toEqual(['constructor', 'toString', 'a']);
    expect(Object.getPrototypeOf(copied)).toBe(Object.prototype);
  });

  it('gives nothing for nothing listed', () => {
    expect(mask(dropped, { a: 1 })).toEqual({ value: undefined, unlisted: [] });
    expect(value(keep, undefined)).toBeUndefined();
  });
});

describe('the methods', () => {
  it.each([
    ['last4', 'CAA000789', '0789'],
    ['last4', 'ABCDE', 'BCDE'],
    ['last4', 'ABCD', undefined],
    ['last4', '', undefined],
    ['last4', 123456, '3456'],
    ['last4', 'xyz😀😁😂🤣', '😀😁😂🤣'],
    ['last4', true, undefined],
    ['last4', null, null],
    ['year', '1984-02-29', '1984'],
    ['year', '2031-06-02T10:00:00.000Z', '2031'],
    ['year', '2031-06-02 10:00:00+02:00', '2031'],
    ['year', '1983-02-29', undefined],
    ['year', '1984-13-01', undefined],
    ['year', '29/02/1984', undefined],
    ['year', '1984', undefined],
    ['year', '1984-02-29 Nuria', undefined],
    ['year', 1984, undefined],
    ['year', null, null],
    ['number', 97.5, 97.5],
    ['number', null, null],
    ['number', '97.5', undefined],
    ['number', true, undefined],
    ['pseudonym', 'Nuria', 'a=5'],
    ['pseudonym', 12, 'a=2'],
    ['pseudonym', null, null],
    ['keep', 'x', 'x'],
  ] as const)('%s of %j is %j', (method, input, expected) => {
    expect(value(fields({ a: leaf(method) }), { a: input })).toEqual(expected === undefined ? {} : { a: expected });
  });

  it('name a pseudonym by its template path, so that fields do not link up', () => {
    const node = fields({ rows: list(fields({ number: leaf('pseudonym') })) });
    expect(value(node, { rows: [{ number: 'abc' }] })).toEqual({ rows: [{ number: 'rows[].number=3' }] });
    expect(value(node, { rows: [{ number: 'abc' }] }, { names: 'camel' })).toEqual({
      rows: [{ number: 'rows[].number=3' }],
    });
  });

  it('are followed by the guard’s word on every text, but for those that are exempt', () => {
    const guard = (name: string, text: string) => name !== 'status' && !text.includes('N');
    const node = fields({ ...members(keep, 'a', 'status'), l: list(keep), own: exempt, n: keep });
    expect(value(node, { a: 'N', status: 'ok', l: ['x', 'N'], own: 'N', n: 1 }, { guard })).toEqual({
      l: ['x'],
      own: 'N',
      n: 1,
    });
  });
});

describe('a subtree', () => {
  const open = subtree((name, text) => name !== 'image' && !text.startsWith('https:'));

  it('passes whole, but for the texts that are refused, by member and by what they are', () => {
    const input = { a: [1, { image: 'x', images: ['https://x', 'y'] }], image: { width: 3 }, b: 'https://x' };
    expect(value(open, input)).toEqual({ a: [1, { images: ['y'] }], image: { width: 3 } });
    expect(value(fields({ image: open }), { image: ['x', ['y']] })).toEqual({ image: [[]] });
    expect(value(fields({ image: open }), { image: 'x' })).toEqual({});
  });

  it('may have listed members of its own', () => {
    const node = either(open, fields({ number: leaf('last4'), gone: dropped }));
    expect(value(node, { number: '123456', gone: 1, other: { gone: 2 } })).toEqual({
      number: '3456',
      other: { gone: 2 },
    });
  });

  it('is cut where it is nested too deeply', () => {
    const deep = JSON.parse('[{"a":'.repeat(5_000) + '1' + '}]'.repeat(5_000)) as unknown;
    const copied = JSON.stringify(value(open, deep));
    expect(copied.length).toBeLessThan(200);
  });
});

describe('names in camelCase', () => {
  it('are spelled so wherever they are names', () => {
    const open = subtree(() => true);
    const node = fields({ node_id: keep, id_items: list(either(open, fields({ first_name: keep }))) });
    const input = {
      node_id: 1,
      id_items: [{ first_name: 'a', raw_results: { long_name: 1, OTHER_NAME: 2, eyeColor: 3 } }],
    };
    expect(value(node, input, { names: 'camel' })).toEqual({
      nodeId: 1,
      idItems: [{ firstName: 'a', rawResults: { longName: 1, OTHER_NAME: 2, eyeColor: 3 } }],
    });
  });

  it('stay as they are where they are data', () => {
    const input = { meta_data: { some_key: { other_key: 1 } }, x_y: 1 };
    const options = { names: 'camel', verbatim: new Set(['meta_data']) } as const;
    const expected = { metaData: { some_key: { other_key: 1 } }, xY: 1 };
    expect(
      value(
        subtree(() => true),
        input,
        options,
      ),
    ).toEqual(expected);
    expect(value(fields({ meta_data: subtree(() => true), x_y: keep }), input, options)).toEqual(expected);
  });
});

describe('what is told as unlisted', () => {
  const node = fields({ id: keep, known: dropped, rows: list(fields({ status: keep, person: dropped })) });

  it('is a template path, once, and never a known or listed one', () => {
    const input = { id: 1, known: 'N', rows: [{ status: 'a', known: 1 }, { known: 2 }], person: 'N' };
    expect(mask(node, input).unlisted).toEqual(['rows[].known', 'person']);
    expect(mask(node, { id: 1 }).unlisted).toEqual([]);
  });

  it('names nobody’s own words: a member outside the vocabulary is told as its parent’s', () => {
    const input = { 'nuria@mail.test': 1, rows: [{ 'Nuria Ferrer': 1 }, { other: 2 }] };
    expect(mask(node, input).unlisted).toEqual(['*', 'rows[].*']);
  });

  it('is bounded', () => {
    const names = Array.from({ length: 100 }, (_, n) => `m${n}`);
    const wide = fields({ inner: fields(members(dropped, ...names)) });
    const input = Object.fromEntries(names.map((name) => [name, 1]));
    expect(mask(wide, input).unlisted).toHaveLength(32);
  });
});
