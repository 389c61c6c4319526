import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findImpreciseNumbers } from './numbers.js';

/** A document in which every number is known beforehand to be precise or not, written with blanks as a person might. */
interface Node {
  readonly text: string;
  readonly imprecise: readonly string[];
}

const precise = fc
  .integer({ min: -999_999_999, max: 999_999_999 })
  .map((value) => ({ text: String(value), imprecise: [] }));
const imprecise = fc
  .tuple(fc.bigInt({ min: 10n ** 15n, max: 10n ** 20n }), fc.constantFrom('1', '3', '7'))
  .map(([value, last]) => ({ text: `${String(value)}${last}`, imprecise: [''] }));
const text = fc.string().map((value) => ({ text: JSON.stringify(value), imprecise: [] }));
const literal = fc.constantFrom('true', 'false', 'null').map((value) => ({ text: value, imprecise: [] }));

const document = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    precise,
    imprecise,
    text,
    literal,
    fc.array(tie('node'), { maxLength: 4 }).map(arrayOf),
    fc.uniqueArray(fc.tuple(fc.string(), tie('node')), { maxLength: 4, selector: ([key]) => key }).map(objectOf),
  ),
})).node;

function arrayOf(items: readonly Node[]): Node {
  return {
    text: `[ ${items.map((item) => item.text).join(' ,\n')} ]`,
    imprecise: items.flatMap((item, index) => item.imprecise.map((rest) => `/${String(index)}${rest}`)),
  };
}

function objectOf(members: readonly (readonly [string, Node])[]): Node {
  const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1');
  return {
    text: `{ ${members.map(([key, node]) => `${JSON.stringify(key)} : ${node.text}`).join(' ,\t')} }`,
    imprecise: members.flatMap(([key, node]) => node.imprecise.map((rest) => `/${escaped(key)}${rest}`)),
  };
}

describe('findImpreciseNumbers', () => {
  it('finds each imprecise number at its pointer and no other', () => {
    fc.assert(
      fc.property(document, (node) => {
        expect(() => JSON.parse(node.text)).not.toThrow();
        expect(findImpreciseNumbers(node.text)).toEqual(node.imprecise.slice(0, 32));
      }),
    );
  });
});
