import { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { RateStorage } from './rate-storage.js';

const quiet = { info: () => undefined, warn: () => undefined };

describe('RateStorage', () => {
  it('lets exactly the limit through in a window, also when calls come at once', async () => {
    const storage = new RateStorage(undefined, quiet);
    const hits = await Promise.all(
      Array.from({ length: 30 }, () => storage.increment('client-1', 60_000, 10, 0, 'client')),
    );
    expect(hits.filter((hit) => !hit.isBlocked)).toHaveLength(10);
    expect(hits.at(-1)?.timeToBlockExpire).toBeGreaterThan(50);
  });

  it('keeps callers and rules apart', async () => {
    const storage = new RateStorage(undefined, quiet);
    await storage.increment('a', 60_000, 1, 0, 'client');
    expect((await storage.increment('a', 60_000, 1, 0, 'client')).isBlocked).toBe(true);
    expect((await storage.increment('b', 60_000, 1, 0, 'client')).isBlocked).toBe(false);
    expect((await storage.increment('a', 60_000, 1, 0, 'key')).isBlocked).toBe(false);
  });

  it('goes on with local counters while Valkey is away, and says so once', async () => {
    const warn = vi.fn();
    const storage = new RateStorage('redis://:secret@127.0.0.1:1', { ...quiet, warn });
    const first = await storage.increment('a', 60_000, 1, 0, 'client');
    const second = await storage.increment('a', 60_000, 1, 0, 'client');
    expect([first.isBlocked, second.isBlocked]).toEqual([false, true]);
    const attempts = vi.spyOn(Socket.prototype, 'connect');
    await vi.waitFor(() => expect(attempts.mock.calls.length).toBeGreaterThan(2));
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^Valkey cannot be reached/)]]);
    await storage.close();
  });
});
