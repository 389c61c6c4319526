import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileMask, type MaskOptions } from './compile.js';
import { dropped, fields, leaf, list, type MaskNode, members, subtree } from './mask.js';
import { camelCase } from './names.js';

const NAMES = ['id', 'node_id', 'name', 'rows', 'inner', 'number', 'born', 'warnings', 'x'];
const MASK = fields({
  ...members(leaf('keep'), 'id', 'node_id'),
  number: leaf('last4'),
  born: leaf('year'),
  name: dropped,
  inner: fields({ id: leaf('keep'), rows: list(list(leaf('number'))) }),
  rows: list(fields({ node_id: leaf('keep'), warnings: list(fields({ id: leaf('keep') })) })),
});
const options: MaskOptions = { names: 'as-is', pseudonymize: () => 'p' };

/** JSON of any shape out of the mask's own names, with texts that can be told apart from everything the mask could make. */
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: 'small' },
    fc.constantFrom(null, true, 1.5, '1984-02-29', 'secret-text'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), tie('value'), { maxKeys: 6 }),
  ),
})).value;

/** Paths at which scalars stand in a value. */
function scalars(value: unknown, path = ''): { path: string; scalar: unknown }[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object') return [{ path, scalar: value }];
  if (Array.isArray(value)) return value.flatMap((item) => scalars(item, `${path}[]`));
  return Object.entries(value).flatMap(([name, member]) => scalars(member, `${path}.${name}`));
}

const texts = (value: unknown) =>
  scalars(value)
    .filter(({ scalar }) => typeof scalar === 'string')
    .map(({ path }) => path);

/** A value with its member names in camelCase; the last of two that meet wins. */
function camelised(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(camelised);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [camelCase(name), camelised(member)]));
}

const TEXTS = new Set(['.id', '.node_id', '.number', '.born', '.inner.id', '.rows[].node_id', '.rows[].warnings[].id']);

describe('whatever the shape of an answer', () => {
  it('texts come out at listed places alone, and nothing else is made up', () => {
    const mask = compileMask(MASK, options);
    fc.assert(
      fc.property(anything, (input) => {
        const { value, unlisted } = mask(input);
        for (const path of texts(value)) expect(TEXTS).toContain(path);
        for (const path of unlisted) expect(path).toMatch(/^(?:[a-z_]+|\*)?(?:\[\]|\.(?:[a-z_]+|\*))*$/);
        expect(JSON.stringify(unlisted)).not.toContain('secret');
      }),
      { numRuns: 2_000 },
    );
  });

  it('masking again changes nothing where methods keep', () => {
    const keepers = compileMask(fields({ id: leaf('keep'), rows: list(fields({ node_id: leaf('keep') })) }), options);
    fc.assert(
      fc.property(anything, (input) => {
        const once = keepers(input).value;
        expect(keepers(once).value).toEqual(once);
      }),
    );
  });

  it('both spellings agree', () => {
    for (const node of [MASK, subtree((_, text) => text !== 'secret-text')] satisfies MaskNode[]) {
      const snake = compileMask(node, options);
      const camel = compileMask(node, { ...options, names: 'camel' });
      fc.assert(
        fc.property(anything, (input) => {
          expect(camel(input).value).toEqual(camelised(snake(input).value));
          expect(camel(input).unlisted).toEqual(snake(input).unlisted);
        }),
      );
    }
  });

  it('an extra method never says more', () => {
    const plain = compileMask(MASK, options);
    const path = fc.constantFrom('id', 'name', 'number', 'rows', 'rows[].node_id', 'inner.rows[][]', 'rows[].name');
    const method = fc.constantFrom('drop', 'last4', 'year', 'pseudonym' as const);
    fc.assert(
      fc.property(anything, path, method, (input, at, how) => {
        const tight = compileMask(MASK, { ...options, extra: { [at]: how } });
        const before = new Set(scalars(plain(input).value).map(({ path }) => path));
        for (const found of scalars(tight(input).value)) expect(before).toContain(found.path);
      }),
    );
  });

  it('refused texts come out of no subtree', () => {
    const mask = compileMask(
      subtree((_, text) => !text.includes('secret')),
      options,
    );
    fc.assert(
      fc.property(anything, (input) => {
        const out = mask(input).value;
        const walk = (value: unknown): void => {
          if (typeof value === 'string') expect(value).not.toContain('secret');
          else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
        };
        walk(out);
      }),
    );
  });
});
