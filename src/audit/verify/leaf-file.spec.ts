import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leafHash } from '../tree/merkle.js';
import { LeafFile } from './leaf-file.js';
import { Spool } from './spool.js';

const leafOf = (n: number): Buffer => leafHash(Buffer.from(String(n)));
/** Far more pages than are held in memory. */
const STEP = 5_000;
const COUNT = 200;

describe('leaves in a file', () => {
  let file: LeafFile;
  beforeEach(() => {
    file = new LeafFile();
  });
  afterEach(() => file.close());

  it('are there in whatever order they came', () => {
    const numbers = Array.from({ length: COUNT }, (_, n) => ((n * 77) % COUNT) * STEP);
    for (const n of numbers) expect(file.set(n, leafOf(n))).toBe('new');
    for (const n of numbers) {
      expect(file.get(n)).toEqual(leafOf(n));
      expect(file.get(n + 1)).toBeUndefined();
      expect(file.set(n, leafOf(n))).toBe('same');
      expect(file.set(n, leafOf(n + 1))).toBe('other');
      expect(file.get(n)).toEqual(leafOf(n));
    }
    expect(file.next(1, COUNT * STEP)).toBe(STEP);
    expect(file.next((COUNT - 1) * STEP + 1, Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('values set aside', () => {
  it('come back in order, whatever letters they hold', () => {
    const spool = new Spool();
    const values = Array.from({ length: 3_000 }, (_, n) => ({ n, text: '— é 🦊'.repeat(n % 7) }));
    for (const value of values) spool.add(value);
    expect([...spool.values()]).toEqual(values);
    spool.close();
  });
});
