import { describe, expect, it } from 'vitest';
import { RateStorage } from './rate-storage.js';

describe('RateStorage', () => {
  it('lets exactly the limit through in a window, also when calls come at once', async () => {
    const storage = new RateStorage(undefined);
    const hits = await Promise.all(
      Array.from({ length: 30 }, () => storage.increment('client-1', 60_000, 10, 0, 'client')),
    );
    expect(hits.filter((hit) => !hit.isBlocked)).toHaveLength(10);
    expect(hits.at(-1)?.timeToBlockExpire).toBeGreaterThan(50);
  });

  it('keeps callers and rules apart', async () => {
    const storage = new RateStorage(undefined);
    await storage.increment('a', 60_000, 1, 0, 'client');
    expect((await storage.increment('a', 60_000, 1, 0, 'client')).isBlocked).toBe(true);
    expect((await storage.increment('b', 60_000, 1, 0, 'client')).isBlocked).toBe(false);
    expect((await storage.increment('a', 60_000, 1, 0, 'key')).isBlocked).toBe(false);
  });

  it('goes on with local counters while Valkey is away', async () => {
    const storage = new RateStorage('redis://127.0.0.1:1');
    const first = await storage.increment('a', 60_000, 1, 0, 'client');
    const second = await storage.increment('a', 60_000, 1, 0, 'client');
    expect([first.isBlocked, second.isBlocked]).toEqual([false, true]);
    await storage.close();
  });
});
