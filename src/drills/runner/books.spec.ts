import { expect, it } from 'vitest';
import { recordsSince } from './books.js';
import type { Caller } from './caller.js';

it('the books are read page by page, without what was written before under a clock that was moved ahead', async () => {
  const since = new Date('2026-03-10T08:00:00.000Z');
  const item = (at: string, recordedAt: string) => ({ recordedAt, record: { at, kind: 'vendor.call' } });
  const pages = [
    { items: [item('2026-03-10T08:06:00.000Z', '2026-03-10T07:59:00.000Z')], nextCursor: 'second' },
    { items: [item('2026-03-10T08:00:01.000Z', '2026-03-10T08:00:01.002Z')], nextCursor: null },
  ];
  const asked: string[] = [];
  const admin = (path: string) => {
    asked.push(path);
    return Promise.resolve({ status: 200, body: pages[asked.length - 1] });
  };
  const found = await recordsSince({ admin } as unknown as Caller, since, { kind: 'vendor.call' });
  expect(found.map(({ record }) => record.at)).toEqual(['2026-03-10T08:00:01.000Z']);
  expect(asked.map((path) => new URLSearchParams(path.split('?')[1]).get('cursor'))).toEqual([null, 'second']);
});
