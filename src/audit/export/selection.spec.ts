import { expect, it } from 'vitest';
import { exportQuery } from './selection.js';

it.each(['9007199254740993', '-1', '1.5', 'x', '1e400'])('a number that is none, %s, is one mistake', (fromSeq) => {
  const { error } = exportQuery.safeParse({ format: 'jsonl', fromSeq });
  expect(error?.issues.map(({ path, message }) => [path, message])).toEqual([
    [['fromSeq'], 'must be the number of a record'],
  ]);
});
