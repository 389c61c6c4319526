import { describe, expect, it } from 'vitest';
import { ManualClock } from '../platform/index.js';
import { LookupCache } from './lookup-cache.js';

interface Row {
  n: number;
}

function setUp(limit = 3) {
  const clock = new ManualClock();
  const cache = new LookupCache<Row>(clock, { ttlMs: 1_000, limit, worthKeeping: (row) => row.n >= 0 });
  let asked = 0;
  const ask = (row: Row | null = { n: 1 }) => {
    return () => {
      asked += 1;
      return Promise.resolve(row ?? undefined);
    };
  };
  return { clock, cache, ask, asked: () => asked };
}

describe('the lookup cache', () => {
  it('asks once within the time to live and again after it', async () => {
    const { clock, cache, ask, asked } = setUp();
    await cache.get('a', ask());
    clock.advance(999);
    await cache.get('a', ask());
    expect(asked()).toBe(1);
    clock.advance(1);
    await cache.get('a', ask());
    expect(asked()).toBe(2);
  });

  it('gives a kept answer without a promise', async () => {
    const { cache, ask } = setUp();
    await cache.get('a', ask());
    expect(cache.get('a', ask())).toEqual({ n: 1 });
  });

  it('keeps neither what was not found nor what is not worth it', async () => {
    const { cache, ask, asked } = setUp();
    for (let i = 0; i < 2; i += 1) {
      await cache.get('a', ask(null));
      await cache.get('b', ask({ n: -1 }));
    }
    expect(asked()).toBe(4);
    expect(cache.size).toBe(0);
  });

  it('lets callers at once share one question', async () => {
    const { cache, ask, asked } = setUp();
    const answers = await Promise.all(Array.from({ length: 50 }, async () => cache.get('a', ask())));
    expect(asked()).toBe(1);
    expect(new Set(answers).size).toBe(1);
  });

  it('counts age from the question, so that a slow answer is not believed for longer', async () => {
    const { clock, cache, ask, asked } = setUp();
    let settle: (row: Row) => void = () => undefined;
    const slow = cache.get('a', () => new Promise((resolve) => (settle = resolve)));
    clock.advance(1_000);
    const fresh = cache.get('a', ask({ n: 2 }));
    expect(asked()).toBe(1);
    expect(await fresh).toEqual({ n: 2 });
    settle({ n: 1 });
    expect(await slow).toEqual({ n: 1 });
    expect(await cache.get('a', ask({ n: 3 }))).toEqual({ n: 3 });
  });

  it('believes no answer from the future when the clock is set back', async () => {
    const { clock, cache, ask, asked } = setUp();
    await cache.get('a', ask());
    clock.advance(-3_600_000);
    await cache.get('a', ask());
    expect(asked()).toBe(2);
  });

  it('makes room by dropping the oldest', async () => {
    const { cache, ask, asked } = setUp(3);
    for (const key of ['a', 'b', 'c', 'd']) await cache.get(key, ask());
    expect(cache.size).toBe(3);
    await cache.get('b', ask());
    expect(asked()).toBe(4);
    await cache.get('a', ask());
    expect(asked()).toBe(5);
  });

  it('passes a failure on to all who asked and asks again afterwards', async () => {
    const { cache, ask } = setUp();
    const fail = () => Promise.reject(new Error('away'));
    const both = await Promise.allSettled([cache.get('a', fail), cache.get('a', fail)]);
    expect(both.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected']);
    expect(await cache.get('a', ask())).toEqual({ n: 1 });
  });
});
