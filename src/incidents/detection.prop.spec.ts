import { test } from '@fast-check/vitest';
import fc from 'fast-check';
import { expect } from 'vitest';
import { suspectWindows } from './detection.js';

const seconds = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 60 });

test.prop([seconds])('finds a window exactly where five failures lie within a minute', (failures) => {
  const windows = suspectWindows(failures.map((second) => new Date(second * 1_000)));
  const expected = [...new Set(failures)]
    .map((to) => ({ from: to - 59, to, failed: failures.filter((second) => second > to - 60 && second <= to).length }))
    .filter(({ failed }) => failed >= 5)
    .sort((one, other) => other.to - one.to);
  expect(windows).toEqual(expected);
});
