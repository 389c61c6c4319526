import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT, HASH_BYTES, leafHash, nodeHash, rootOf } from './merkle.js';
import { consistencyRanges, inclusionRanges, type Range, verifyConsistency, verifyInclusion } from './proofs.js';

/**
 * The vectors that the implementations of RFC 6962 are held to: hashes, trees, proofs, and ways in which each proof must not hold. They are
 * those of Certificate Transparency's own tests, today kept in github.com/transparency-dev/merkle (proof/verify_test.go,
 * rfc6962/rfc6962_test.go).
 */
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  hex,
);
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
].map(hex);
const SOME = hex('abacaba000000000000000000000000000000000000000000060061e00123456');

/** Index from 0, size, path. */
const INCLUSION: [index: number, size: number, proof: string[]][] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

const CONSISTENCY: [first: number, second: number, proof: string[]][] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
  [
    6,
    7,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
];

const root = (size: number): Buffer => ROOTS[size - 1] ?? EMPTY_ROOT;
const leaf = (index: number): Buffer => leafHash(LEAVES[index] ?? Buffer.alloc(0));
const over = ({ from, to }: Range): string => rootOf(LEAVES.slice(from, to).map(leafHash)).toString('hex');
const flipped = (proof: readonly Buffer[], at: number, bit: number): Buffer[] =>
  proof.map((hash, n) => (n === at ? Buffer.from(hash).fill((hash[0] ?? 0) ^ bit, 0, 1) : hash));
const garbage = Buffer.alloc(0);

describe('hashes', () => {
  it.each([
    ['of nothing', EMPTY_ROOT, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['of an empty leaf', leafHash(garbage), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    ['of a leaf', leafHash(Buffer.from('L123456')), '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56'],
    [
      'of a node',
      nodeHash(Buffer.from('N123'), Buffer.from('N456')),
      'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
    ],
  ])('%s', (_what, hash, published) => {
    expect(hash.toString('hex')).toBe(published);
  });

  it('tell a node from a leaf of the same bytes, and left from right', () => {
    const [one, other] = [leafHash(Buffer.from('Hello')), leafHash(Buffer.from('World'))];
    expect(one).not.toEqual(other);
    expect(nodeHash(one, other)).not.toEqual(leafHash(Buffer.concat([one, other])));
    expect(nodeHash(one, other)).not.toEqual(nodeHash(other, one));
  });
});

describe.each(INCLUSION)('the path of leaf %i in a tree of %i', (index, size, published) => {
  const proof = published.map(hex);

  it('is the published one, and holds', () => {
    expect(inclusionRanges(index, size).map(over)).toEqual(published);
    expect(verifyInclusion(index, size, leaf(index), proof, root(size))).toBe(true);
  });

  it.each<[string, number, number, Buffer, Buffer[], Buffer]>([
    ['the leaf before', index - 1, size, leaf(index), proof, root(size)],
    ['the leaf after', index + 1, size, leaf(index), proof, root(size)],
    ['a leaf two away', index ^ 2, size, leaf(index), proof, root(size)],
    ['a tree twice as large', index, size * 2, leaf(index), proof, root(size)],
    ['a tree half as large', index, Math.floor(size / 2), leaf(index), proof, root(size)],
    ['a wrong leaf', index, size, Buffer.from('WrongLeaf'), proof, root(size)],
    ['the root of nothing', index, size, leaf(index), proof, EMPTY_ROOT],
    ['another root', index, size, leaf(index), proof, SOME],
    ['garbage behind', index, size, leaf(index), [...proof, garbage], root(size)],
    ['the root behind', index, size, leaf(index), [...proof, root(size)], root(size)],
    ['garbage before', index, size, leaf(index), [garbage, ...proof], root(size)],
    ['the root before', index, size, leaf(index), [root(size), ...proof], root(size)],
    ...proof.map((_, at): [string, number, number, Buffer, Buffer[], Buffer] => [
      `a bit of hash ${at} changed`,
      index,
      size,
      leaf(index),
      flipped(proof, at, 8),
      root(size),
    ]),
    ...(proof.length > 0
      ? [
          ['a hash taken out', index, size, leaf(index), proof.slice(0, -1), root(size)] as [
            string,
            number,
            number,
            Buffer,
            Buffer[],
            Buffer,
          ],
          ['a hash put in', index, size, leaf(index), [...proof.slice(0, 1), SOME, ...proof.slice(1)], root(size)] as [
            string,
            number,
            number,
            Buffer,
            Buffer[],
            Buffer,
          ],
        ]
      : []),
  ])('does not hold for %s', (_what, at, of, hash, path, whole) => {
    expect(verifyInclusion(at, of, hash, path, whole)).toBe(false);
  });
});

describe('an empty path', () => {
  it.each([
    [0, 0],
    [0, 1],
    [1, 0],
    [2, 1],
  ])('proves no leaf %i in a tree of %i that it is not', (index, size) => {
    expect(verifyInclusion(index, size, SOME, [], garbage)).toBe(false);
    expect(verifyInclusion(index, size, garbage, [], EMPTY_ROOT)).toBe(false);
    expect(verifyInclusion(index, size, SOME, [], EMPTY_ROOT)).toBe(false);
  });

  it('proves the one leaf of a tree, by a hash of the right length', () => {
    const hash = leafHash(Buffer.from('data'));
    expect(verifyInclusion(0, 1, hash, [], hash)).toBe(true);
    expect(verifyInclusion(0, 1, garbage, [], hash)).toBe(false);
    expect(verifyInclusion(0, 1, hash, [], garbage)).toBe(false);
    expect(verifyInclusion(0, 1, garbage, [], garbage)).toBe(false);
  });
});

it('no hash of another length stands for two', () => {
  const [one, other] = [leaf(0), leaf(1)];
  expect(verifyInclusion(1, 2, garbage, [Buffer.concat([one, other])], root(2))).toBe(false);
  expect(one).toHaveLength(HASH_BYTES);
});

describe.each(CONSISTENCY)('the proof from %i to %i', (first, second, published) => {
  const proof = published.map(hex);
  const [one, two] = [root(first), root(second)];

  it('is the published one, and holds', () => {
    expect(consistencyRanges(first, second).map(over)).toEqual(published);
    expect(verifyConsistency(first, second, proof, one, two)).toBe(true);
  });

  const wrong: [string, number, number, Buffer[], Buffer, Buffer][] = [
    ['a smaller first tree', first - 1, second, proof, one, two],
    ['a larger first tree', first + 1, second, proof, one, two],
    ['a first tree two away', first ^ 2, second, proof, one, two],
    ['a second tree twice as large', first, second * 2, proof, one, two],
    ['a second tree half as large', first, Math.floor(second / 2), proof, one, two],
    ['a wrong first root', first, second, proof, Buffer.from('WrongRoot'), two],
    ['a wrong second root', first, second, proof, one, Buffer.from('WrongRoot')],
    ['the roots swapped', first, second, proof, two, one],
    ['no hashes', first, second, [], one, two],
    ['garbage behind', first, second, [...proof, garbage], one, two],
    ['the first root behind', first, second, [...proof, one], one, two],
    ['the second root behind', first, second, [...proof, two], one, two],
    ['garbage before', first, second, [garbage, ...proof], one, two],
    ['the first root before', first, second, [one, ...proof], one, two],
    ['the second root before', first, second, [two, ...proof], one, two],
    ['the first hash twice', first, second, [...proof.slice(0, 1), ...proof], one, two],
    ['the last hash missing', first, second, proof.slice(0, -1), one, two],
    ...proof.map((_, at): [string, number, number, Buffer[], Buffer, Buffer] => [
      `a bit of hash ${at} changed`,
      first,
      second,
      flipped(proof, at, 16),
      one,
      two,
    ]),
  ];
  // As the reference has it: a proof without hashes has nothing to be spoilt.
  it.each(proof.length === 0 ? [] : wrong)('does not hold for %s', (_what, from, to, path, before, after) => {
    expect(verifyConsistency(from, to, path, before, after)).toBe(false);
  });
});

describe('consistency without hashes', () => {
  const [one, two] = [leaf(1), leaf(2)];

  it.each<[number, number, Buffer, Buffer, Buffer[], boolean]>([
    [0, 0, one, two, [], false],
    [1, 1, one, two, [], false],
    [0, 0, EMPTY_ROOT, EMPTY_ROOT, [], true],
    [0, 1, EMPTY_ROOT, two, [], true],
    [1, 1, two, two, [], true],
    [1, 0, one, two, [], false],
    [2, 1, one, two, [], false],
    [1, 2, one, two, [], false],
    [0, 0, EMPTY_ROOT, two, [], false],
    [1, 1, EMPTY_ROOT, two, [], false],
    [0, 0, EMPTY_ROOT, EMPTY_ROOT, [EMPTY_ROOT], false],
    [0, 1, EMPTY_ROOT, EMPTY_ROOT, [EMPTY_ROOT], false],
    [1, 1, EMPTY_ROOT, EMPTY_ROOT, [EMPTY_ROOT], false],
  ])('from %i to %i (%#)', (first, second, before, after, proof, holds) => {
    expect(verifyConsistency(first, second, proof, before, after)).toBe(holds);
  });
});
