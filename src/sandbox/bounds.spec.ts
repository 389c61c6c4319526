import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.js';
import { SessionStore } from './sessions/store.js';
import { Gate } from './webhooks/gate.js';

const times = { createdAt: 0, expiresAt: 0, lapsesAt: 0 };

describe('what the sandbox keeps', () => {
  it('is so many sessions, the oldest forgotten by every name it had', () => {
    const store = new SessionStore(3);
    const sessions = [1, 2, 3, 4].map((n) => store.add({ ...times, vendorData: `u${n}` }));
    expect(store.get(sessions[0]?.id ?? '')).toBeUndefined();
    expect(store.byToken(sessions[0]?.token ?? '')).toBeUndefined();
    expect([...store.newestFirst('u1')]).toEqual([]);
    expect([...store.newestFirst()].map(({ vendorData }) => vendorData)).toEqual(['u4', 'u3', 'u2']);
  });

  it('is so many calls', () => {
    const ledger = new Ledger(10);
    for (let n = 0; n < 100; n += 1) ledger.open({ operation: 'x', method: 'GET', path: '/' });
    const { items } = ledger.list({});
    expect(items).toHaveLength(10);
    expect(items.at(-1)?.n).toBe(100);
  });
});

describe('Gate', () => {
  it('lets so many through at a time, and refuses when too many wait', async () => {
    const gate = new Gate(2, 1);
    const release: (() => void)[] = [];
    let inside = 0;
    let most = 0;
    const task = async (): Promise<string> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise<void>((resolve) => release.push(resolve));
      inside -= 1;
      return 'done';
    };
    const results = [gate.through(task), gate.through(task), gate.through(task)];
    expect(await gate.through(task)).toBeNull();
    release[0]?.();
    expect(await results[0]).toBe('done');
    await new Promise((resolve) => setImmediate(resolve));
    expect(release).toHaveLength(3);
    for (const go of release) go();
    expect(await Promise.all(results)).toEqual(['done', 'done', 'done']);
    expect(most).toBe(2);
  });

  it('gives its place back after a failure', async () => {
    const gate = new Gate(1, 1);
    await expect(gate.through(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.through(() => Promise.resolve(1))).toBe(1);
  });
});
