import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FairBudget } from './fair-budget.js';
import { FairWindow, OWN_WORK, WEBHOOKS } from './fair-window.js';

describe('a vendor’s budget', () => {
  let refused: number;
  beforeEach(() => {
    refused = 0;
    vi.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => void vi.useRealTimers());

  const budgetOf = (limit: number, windowMs: number, over: { longestWait?: number; queue?: number } = {}): FairBudget =>
    new FairBudget({
      source: new FairWindow({ limit, windowMs, reserve: 0.1, background: 0.1 }),
      nowMs: () => Date.now(),
      longestWait: 2_000,
      queue: 64,
      refused: () => (refused += 1),
      ...over,
    });

  /** What becomes of one call: `granted`, or the code that it is refused with. */
  async function ask(budget: FairBudget, client: string, leftMs = 10_000, signal?: AbortSignal): Promise<string> {
    try {
      await budget.take(client, client === WEBHOOKS ? 'critical' : 'interactive', leftMs, signal);
      return 'granted';
    } catch (error) {
      return (error as { code: string }).code;
    }
  }
  async function drain(budget: FairBudget, client: string): Promise<void> {
    while ((await ask(budget, client, 0)) === 'granted');
  }

  it('refuses at once what cannot come in time, with the time', async () => {
    const budget = budgetOf(20, 60_000);
    await drain(budget, 'greedy');
    expect(() => budget.take('greedy', 'interactive', 10_000)).toThrow(
      expect.objectContaining({ code: 'vendor-budget-exceeded', status: 429, headers: { 'retry-after': '62' } }),
    );
    expect(refused).toBe(2);
    expect(budget.used()).toBe(16);
  });

  it('makes the one over its share wait, and the other not', async () => {
    const budget = budgetOf(20, 1_000, { longestWait: 5_000 });
    await drain(budget, 'greedy');
    const waits = Array.from({ length: 10 }, () => ask(budget, 'greedy'));
    expect(budget.waiting).toBe(10);
    expect(await ask(budget, 'modest')).toBe('granted');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await Promise.all(waits)).toEqual(Array.from({ length: 10 }, () => 'granted'));
  });

  it('serves those who have the least first, and webhooks before all', async () => {
    const budget = budgetOf(10, 1_000, { longestWait: 10_000 });
    await drain(budget, 'greedy');
    await drain(budget, OWN_WORK);
    await drain(budget, 'other');
    const order: string[] = [];
    for (const client of ['greedy', 'greedy', 'modest', WEBHOOKS])
      void ask(budget, client).then((end) => order.push(`${client} ${end}`));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(order).toEqual(['* granted', 'modest granted', 'greedy granted', 'greedy granted']);
  });

  it('keeps nobody waiting beyond its wait, its deadline or its caller', async () => {
    const budget = budgetOf(20, 1_000, { longestWait: 3_500 });
    await drain(budget, 'greedy');
    await vi.advanceTimersByTimeAsync(500);
    const gone = new AbortController();
    const ends = Promise.all([ask(budget, 'greedy', 100), ask(budget, 'greedy', 10_000, gone.signal)]);
    gone.abort();
    await vi.advanceTimersByTimeAsync(100);
    expect(await ends).toEqual(['vendor-budget-exceeded', 'vendor-timeout']);
    expect(budget.waiting).toBe(0);
  });

  it('has a bounded line for each client', async () => {
    const budget = budgetOf(20, 1_000, { queue: 3, longestWait: 4_000 });
    await drain(budget, 'greedy');
    const waits = Array.from({ length: 3 }, () => ask(budget, 'greedy'));
    expect(await ask(budget, 'greedy')).toBe('vendor-budget-exceeded');
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await Promise.all(waits)).toEqual(['granted', 'granted', 'granted']);
  });

  it('serves one who waits with what another gives back', async () => {
    const budget = budgetOf(10, 3_000, { longestWait: 6_000 });
    await drain(budget, 'greedy');
    const wait = ask(budget, 'greedy');
    budget.refund('greedy');
    expect(await wait).toBe('granted');
  });
});
