import { expect, it } from 'vitest';
import { AttemptBook } from './attempts.js';

const CREATE = { method: 'POST', path: '/v3/session/' };
const LIST = { method: 'GET', path: '/v3/sessions/?page=2' };

it('a book of attempts tells which left since, and which of them a fault met', () => {
  let nowMs = 0;
  const book = new AttemptBook(() => nowMs);
  book.told({ id: 'before', leftMs: 1_000, ...CREATE });
  // The proxy may tell of one before the gateway does.
  book.struck('throttled', { kind: 'rate-limited', retryAfterSeconds: 2 });
  book.told({ id: 'throttled', leftMs: 2_000, ...LIST });
  book.told({ id: 'throttled', answeredMs: 2_010 });
  book.told({ id: 'well', leftMs: 2_100, ...CREATE });
  book.told({ id: 'well', answeredMs: 2_120 });
  nowMs = 3_000;
  book.network(true);
  book.told({ id: 'lost', leftMs: 3_500, ...CREATE });
  nowMs = 4_000;
  book.network(false);
  book.told({ id: 'late', leftMs: 2_999, ...CREATE });
  book.told({ id: 'after', leftMs: 4_000, ...CREATE });
  const known = (operation: string, leftMs: number, struck: boolean, away?: object) => ({
    operation,
    leftMs,
    struck,
    away,
  });
  expect(book.since(new Date(2_000))).toEqual([
    known('session.list', 2_000, true, { fromMs: 2_010, toMs: 4_010 }),
    known('session.create', 2_100, false),
    known('session.create', 3_500, true),
    known('session.create', 2_999, false),
    known('session.create', 4_000, false),
  ]);
});
