import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BreakerChange } from './breakers.js';
import { FairBudget } from './fair-budget.js';
import { FairWindow } from './fair-window.js';
import type { Answered, Operation, Send, Sending, Wanted } from './passage.js';
import { Pipeline, type PipelineSettings } from './pipeline.js';
import { CHECK, CREATE, EARS, failing, LIST, READ, SETTINGS, unreachable, wanted } from './testing/parts.js';

const WIDE = { read: 200, write: 200, check: 200, queue: 500, longestWait: 2_000 };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A vendor that hangs until its caller gives up. */
const hang = ({ timeoutMs, signal, trip }: Sending): Promise<Answered> =>
  new Promise((_, reject) => {
    trip.sent += 1;
    const end = (): void => reject(failing('vendor-timeout', { status: 0, reason: 'no answer in time' }));
    setTimeout(end, timeoutMs);
    signal?.addEventListener('abort', end, { once: true });
  });

interface Ended {
  operation: string;
  client: string;
  startedMs: number;
  endedMs: number;
  code: string;
}

describe('the pipeline, second by second', () => {
  let pipeline: Pipeline<Answered>;
  let changes: BreakerChange[];
  let sent: { operation: string; atMs: number; origin: string }[];
  let ended: Ended[];
  let behave: (operation: Operation, sending: Sending) => Promise<Answered>;
  const well = async ({ trip }: Sending, ms = 20): Promise<Answered> => {
    trip.sent += 1;
    await pause(ms);
    return { status: 200 };
  };
  const fails = async ({ trip }: Sending, error: () => Error = failing): Promise<never> => {
    trip.sent += 1;
    await pause(5);
    throw error();
  };

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
    changes = [];
    sent = [];
    ended = [];
    behave = (_, sending) => well(sending);
    open();
  });
  afterEach(() => void vi.useRealTimers());

  function open(over: Partial<PipelineSettings> = {}, budgets: readonly FairBudget[] = []): void {
    pipeline = new Pipeline({
      settings: { ...SETTINGS, bulkhead: WIDE, ...over },
      nowMs: () => Date.now(),
      budgetsOf: () => budgets,
      ears: { ...EARS, breaker: (change) => changes.push(change) },
    });
  }

  async function call(operation: Operation, over: Partial<Wanted> = {}): Promise<string> {
    const startedMs = Date.now();
    const send: Send<Answered> = (sending) => {
      sent.push({ operation: operation.name, atMs: Date.now(), origin: sending.origin });
      return behave(operation, sending);
    };
    const code = await pipeline.run(operation, wanted(over), send).then(
      ({ answer }) => String(answer.status),
      (error: unknown) => String((error as { code?: string }).code ?? error),
    );
    const { client } = wanted(over);
    ended.push({ operation: operation.name, client, startedMs, endedMs: Date.now(), code });
    return code;
  }

  /** Calls at a steady pace, whatever becomes of them. @returns when the last of them has been made */
  async function load(
    seconds: number,
    operations: readonly Operation[] = [READ, LIST, CREATE],
    gapMs = 50,
  ): Promise<void> {
    for (let n = 0; n < (seconds * 1_000) / gapMs; n += 1) {
      void call(operations[n % operations.length] ?? READ);
      await vi.advanceTimersByTimeAsync(gapMs);
    }
  }
  const share = (code: string, of: Ended[]): number => of.filter((one) => one.code === code).length / of.length;
  const since = (ms: number): Ended[] => ended.filter(({ startedMs }) => startedMs >= ms);

  it('opens on reads that hang, though each ends with the time of the last who shares it', async () => {
    behave = (_, sending) => hang(sending);
    for (let n = 0; n < 10; n += 1) void call(READ, { key: `session ${n}`, deadlineMs: Date.now() + 9_000 });
    await vi.advanceTimersByTimeAsync(9_000);
    expect(changes).toContainEqual({ operation: READ.name, state: 'open' });
  });

  it('sends a hanging vendor no more probes for callers who leave before it could have answered', async () => {
    behave = (_, sending) => hang(sending);
    for (let n = 0; n < 10; n += 1) void call(CREATE);
    await vi.advanceTimersByTimeAsync(SETTINGS.timeouts.write);
    expect(changes).toEqual([{ operation: CREATE.name, state: 'open' }]);
    sent.length = 0;
    for (let n = 0; n < 600; n += 1) {
      void call(CREATE, { deadlineMs: Date.now() + 1_000 });
      await vi.advanceTimersByTimeAsync(100);
    }
    const { probes, probeEvery } = SETTINGS.breaker;
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.length).toBeLessThanOrEqual((probes * 60_000) / probeEvery);
  });

  it('learns nothing from reads whose callers go away or have no time, shared or not', async () => {
    behave = (_, sending) => hang(sending);
    const gone = new AbortController();
    for (let n = 0; n < 10; n += 1) {
      void call(READ, { key: `session ${n}`, signal: gone.signal });
      void call(READ, { key: `other ${n}`, deadlineMs: Date.now() + 1_000 });
    }
    await vi.advanceTimersByTimeAsync(9_000);
    gone.abort();
    await vi.advanceTimersByTimeAsync(9_000);
    expect(changes).toEqual([]);
  });

  it.each([
    ['refuses connections', (_: Operation, sending: Sending) => fails(sending, unreachable)],
    ['answers 500', (_: Operation, sending: Sending) => fails(sending)],
    [
      'cuts its answers',
      (_: Operation, sending: Sending) => fails(sending, () => failing('vendor-invalid-answer', { status: 200 })),
    ],
    ['hangs', (_: Operation, sending: Sending) => hang(sending)],
  ])('a vendor that %s gets its probes and no more, and is back within ten seconds', async (_, trouble) => {
    await load(20);
    behave = trouble;
    await load(30);
    const downMs = Date.now();
    sent.length = 0;
    await load(60);
    // Every opening lets two probes an operation through, at most every five seconds once it has failed for a while.
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.length).toBeLessThanOrEqual((2 * 3 * 60_000) / SETTINGS.breaker.probeEvery);
    expect(share('vendor-unavailable', since(downMs))).toBeGreaterThan(0.9);
    behave = (__, sending) => well(sending);
    const backMs = Date.now();
    await load(10);
    await load(10);
    await vi.advanceTimersByTimeAsync(70_000);
    expect(share('200', since(backMs + 10_000))).toBe(1);
    for (const { operation, startedMs, endedMs } of ended) {
      const timeout = operation === CREATE.name ? SETTINGS.timeouts.write : SETTINGS.timeouts.read;
      expect(endedMs - startedMs).toBeLessThanOrEqual(timeout + 250);
    }
    expect(changes.filter(({ state }) => state === 'open').length).toBe(
      changes.filter(({ state }) => state === 'closed').length,
    );
  });

  it('meets an operation of which every third call fails, and leaves the others alone', async () => {
    await load(10);
    let n = 0;
    behave = (operation, sending) =>
      operation.name === READ.name && (n += 1) % 10 < 3 ? fails(sending) : well(sending);
    const fromMs = Date.now();
    await load(120);
    await vi.advanceTimersByTimeAsync(20_000);
    const all = since(fromMs);
    expect(
      share(
        '200',
        all.filter(({ operation }) => operation !== READ.name),
      ),
    ).toBe(1);
    expect(
      share(
        '200',
        all.filter(({ operation }) => operation === READ.name),
      ),
    ).toBeGreaterThan(0.9);
    expect(changes).toEqual([]);
    const repeats = sent.length - ended.length;
    expect(repeats).toBeLessThanOrEqual(10 + 0.2 * ended.length);
  });

  it('shuts an operation of which most fails, and no other', async () => {
    behave = (operation, sending) => (operation.name === CREATE.name ? fails(sending) : well(sending));
    await load(60);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(
      share(
        '200',
        ended.filter(({ operation }) => operation !== CREATE.name),
      ),
    ).toBe(1);
    expect(
      share(
        'vendor-unavailable',
        ended.filter(({ operation }) => operation === CREATE.name),
      ),
    ).toBeGreaterThan(0.7);
    expect(new Set(changes.map(({ operation }) => operation))).toEqual(new Set([CREATE.name]));
  });

  it('shuts an operation that is but slow, and takes it back when it is quick again', async () => {
    behave = (operation, sending) => well(sending, operation.name === READ.name ? 4_000 : 20);
    await load(40);
    expect(changes[0]).toEqual({ operation: READ.name, state: 'open' });
    const slowMs = Date.now();
    await load(20);
    expect(
      share(
        'vendor-unavailable',
        since(slowMs).filter(({ operation }) => operation === READ.name),
      ),
    ).toBeGreaterThan(0.8);
    expect(
      share(
        '200',
        since(slowMs).filter(({ operation }) => operation === LIST.name),
      ),
    ).toBe(1);
    behave = (_, sending) => well(sending);
    await load(10);
    const backMs = Date.now();
    await load(5);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(share('200', since(backMs))).toBe(1);
  });

  it('opens for no client’s bad requests, haste or slow uploads', async () => {
    behave = async (_, sending) => {
      if (sending.timeoutMs < 1_000) return hang(sending);
      await well(sending);
      return { status: 422 };
    };
    for (let n = 0; n < 300; n += 1) {
      void call(CREATE, { client: 'clumsy' });
      void call(READ, { client: 'hasty', deadlineMs: Date.now() + 100 });
      const gone = new AbortController();
      void call(LIST, { client: 'leaving', signal: gone.signal });
      gone.abort();
      await vi.advanceTimersByTimeAsync(50);
    }
    behave = (_, sending) => {
      const startedMs = Date.now();
      sending.trip.waitedForCallerMs = () => Date.now() - startedMs;
      return hang(sending);
    };
    for (let n = 0; n < 30; n += 1) void call(CHECK, { client: 'slow', spent: true });
    await vi.advanceTimersByTimeAsync(70_000);
    expect(ended.filter(({ client }) => client === 'slow')).toHaveLength(30);
    expect(changes).toEqual([]);
  });

  it('sends to the other origin when one is gone, and opens nothing', async () => {
    const origins = ['https://one.vendor.test', 'https://two.vendor.test'];
    open({ origins });
    await load(5);
    expect(new Set(sent.map(({ origin }) => origin)).size).toBe(2);
    behave = (_, sending) => (sending.origin === origins[0] ? fails(sending, unreachable) : well(sending));
    const fromMs = Date.now();
    await load(60);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(share('200', since(fromMs))).toBeGreaterThan(0.99);
    expect(changes).toEqual([]);
  });

  it('holds an operation that is throttled for as long as the vendor asks, and gives back what was not sent', async () => {
    const source = new FairWindow({ limit: 1_000, windowMs: 60_000, reserve: 0.1, background: 0.1 });
    const budget = new FairBudget({
      source,
      nowMs: () => Date.now(),
      longestWait: 2_000,
      queue: 10,
      refused: () => undefined,
    });
    open({ retries: { ...SETTINGS.retries, most: 0 } }, [budget]);
    const throttled = (): Error =>
      failing('vendor-unavailable', { outcome: 'none', status: 429, retryAfterSeconds: 3 });
    behave = (_, sending) => fails(sending, throttled);
    await load(3, [READ]);
    expect(share('vendor-unavailable', ended)).toBe(1);
    expect(sent.length).toBeLessThan(5);
    expect(budget.used()).toBe(sent.length);
    behave = (_, sending) => well(sending);
    await load(3, [READ]);
    expect(share('200', since(Date.now() - 2_000))).toBe(1);
    expect(changes).toEqual([]);
  });
});
