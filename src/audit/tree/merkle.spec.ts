import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT, Frontier, leafHash, nodeHash, rootOf } from './merkle.js';
import { consistencyRanges, inclusionRanges, type Range, verifyConsistency, verifyInclusion } from './proofs.js';

/** The leaves and roots that the implementations of RFC 6962 share (Certificate Transparency's reference tests, transparency-dev/merkle). */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (hex) => Buffer.from(hex, 'hex'),
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
];
const hashes = LEAVES.map(leafHash);

const over = ({ from, to }: Range): Buffer => rootOf(hashes.slice(from, to));

describe('the tree', () => {
  it('is empty without leaves', () => {
    expect(EMPTY_ROOT.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(rootOf([])).toEqual(EMPTY_ROOT);
  });

  it('has the published roots at every size', () => {
    const frontier = new Frontier();
    for (const [at, leaf] of hashes.entries()) {
      frontier.add(leaf);
      expect(frontier.root().toString('hex')).toBe(ROOTS[at]);
      expect(frontier.size).toBe(at + 1);
    }
  });

  it('tells leaves from nodes', () => {
    const [a = EMPTY_ROOT, b = EMPTY_ROOT] = hashes;
    expect(nodeHash(a, b)).not.toEqual(leafHash(Buffer.concat([a, b])));
  });

  it('names every whole subtree once, where it stands', () => {
    const seen: string[] = [];
    const frontier = new Frontier((level, index) => seen.push(`${level}/${index}`));
    for (const leaf of hashes.slice(0, 4)) frontier.add(leaf);
    expect(seen).toEqual(['0/0', '0/1', '1/0', '0/2', '0/3', '1/1', '2/0']);
  });
});

describe('proofs', () => {
  it('have the published inclusion paths', () => {
    // Index and size of the reference tests, with the hashes of the path.
    expect(inclusionRanges(0, 1)).toEqual([]);
    expect(inclusionRanges(0, 8).map((range) => over(range).toString('hex'))).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
    expect(inclusionRanges(5, 8).map((range) => over(range).toString('hex'))).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  it('have the published consistency paths', () => {
    expect(consistencyRanges(1, 1)).toEqual([]);
    expect(consistencyRanges(1, 8).map((range) => over(range).toString('hex'))).toEqual([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
    expect(consistencyRanges(6, 8).map((range) => over(range).toString('hex'))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  it('refuse what is out of range', () => {
    const root = rootOf(hashes);
    const [leaf = EMPTY_ROOT] = hashes;
    expect(verifyInclusion(0, 0, leaf, [], EMPTY_ROOT)).toBe(false);
    expect(verifyInclusion(8, 8, leaf, [], root)).toBe(false);
    expect(verifyInclusion(-1, 8, leaf, [], root)).toBe(false);
    expect(verifyInclusion(0, 1, leaf, [leaf], leaf)).toBe(false);
    expect(verifyConsistency(9, 8, [], root, root)).toBe(false);
    expect(verifyConsistency(3, 8, [], rootOf(hashes.slice(0, 3)), root)).toBe(false);
    expect(verifyConsistency(0, 8, [], EMPTY_ROOT, root)).toBe(true);
    expect(verifyConsistency(0, 8, [root], EMPTY_ROOT, root)).toBe(false);
    expect(verifyConsistency(8, 8, [], root, root)).toBe(true);
    expect(verifyConsistency(8, 8, [], root, leaf)).toBe(false);
  });
});
