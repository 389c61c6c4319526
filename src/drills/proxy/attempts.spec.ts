import { expect, it } from 'vitest';
import { AttemptBook } from './attempts.js';

it('a book of attempts tells which were made since, and which of them a fault met', () => {
  let nowMs = 1_000;
  const book = new AttemptBook(() => nowMs);
  book.arrived({ operation: 'session.create', fault: undefined });
  nowMs = 2_000;
  book.arrived({ operation: 'session.list', fault: { kind: 'rate-limited', retryAfterSeconds: 2 } });
  book.networkIsFaulty = true;
  book.arrived({ operation: 'session.create', fault: undefined });
  book.lost();
  expect(book.since(new Date(2_000))).toEqual([
    { atMs: 2_000, operation: 'session.list', struck: true, waitMs: 2_000 },
    { atMs: 2_000, operation: 'session.create', struck: true, waitMs: undefined },
    { atMs: 2_000, struck: true },
  ]);
});
