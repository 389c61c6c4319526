import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VendorFailure, VendorRefusal } from '../failure.js';
import type { Answered, Operation, Wanted } from './passage.js';
import { isRepeatable, retry, RetryBudget } from './retry.js';
import { CREATE, failing, passageOf, READ, SETTINGS, unreachable } from './testing/parts.js';

const throttled = (seconds: number): VendorFailure =>
  failing('vendor-unavailable', { outcome: 'none', status: 429, retryAfterSeconds: seconds });

describe('repeats', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
  afterEach(() => void vi.useRealTimers());

  /** Runs one call whose attempts end as told. @returns what became of it, and when each attempt was made */
  async function run(
    operation: Operation,
    ends: (Error | 'ok')[],
    over: Partial<Wanted> = {},
    settings = SETTINGS.retries,
  ) {
    const at: number[] = [];
    const startedMs = Date.now();
    const stage = retry<Answered>({ settings, nowMs: () => Date.now(), retried: () => undefined });
    const call = stage(passageOf(operation, { deadlineMs: startedMs + 10_000, ...over }), async () => {
      at.push(Date.now() - startedMs);
      const end = ends[at.length - 1] ?? 'ok';
      if (end !== 'ok') throw end;
      return { status: 200 };
    }).then(
      () => 'ok' as const,
      (error: unknown) => error,
    );
    await vi.advanceTimersByTimeAsync(60_000);
    return { end: await call, at };
  }

  it.each([
    ['a read after a 500', READ, failing(), true],
    ['a read that was cut', READ, failing('vendor-invalid-answer', { status: 200 }), true],
    ['a create after a 500', CREATE, failing(), false],
    ['a create without an answer', CREATE, failing('vendor-timeout', { status: 0 }), false],
    ['a create that never left', CREATE, unreachable(), true],
    ['a create that was throttled', CREATE, throttled(1), true],
    ['a read with refused credentials', READ, failing('vendor-credentials', { outcome: 'none', status: 401 }), false],
    ['a read without credit', READ, failing('vendor-credit', { outcome: 'none', status: 402 }), false],
    ['a read that was not let out', READ, new VendorRefusal('overloaded', 'x'), false],
  ])('%s: %4$s', (_, operation, failure, repeats) => {
    expect(isRepeatable(operation, false, failure)).toBe(repeats);
    expect(isRepeatable(operation, true, failure)).toBe(false);
  });

  it('come after a wait that grows and is never twice the same', async () => {
    const first = await run(READ, [failing(), failing()]);
    expect(first.end).toBe('ok');
    expect(first.at).toHaveLength(3);
    const second = await run(READ, [failing(), failing()]);
    expect(second.at[1]).not.toBe(first.at[1]);
  });

  it('end with the last failure when they are used up', async () => {
    const last = failing('vendor-invalid-answer');
    expect(await run(READ, [failing(), failing(), last, 'ok'])).toMatchObject({ end: last, at: { length: 3 } });
  });

  it('tell why the attempt before failed, when a further one is not let out', async () => {
    const first = failing();
    expect((await run(READ, [first, new VendorRefusal('vendor-unavailable', 'breaker.open', 5)])).end).toBe(first);
  });

  it('wait at least as long as the vendor asks, and are not made when that is beyond the deadline', async () => {
    const { at } = await run(CREATE, [throttled(3)]);
    expect(at[1]).toBeGreaterThanOrEqual(3_000);
    expect((await run(CREATE, [throttled(30)])).at).toHaveLength(1);
    expect((await run(READ, [failing()], { deadlineMs: Date.now() + 50 })).at).toHaveLength(1);
  });

  it('end with their caller', async () => {
    expect((await run(READ, [failing()], { signal: AbortSignal.abort() })).at).toHaveLength(1);
  });

  it('are never more than their share of the calls and a burst, whatever fails', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(20),
        fc.array(fc.nat(3), { maxLength: 300 }),
        (share, burst, asks) => {
          const budget = new RetryBudget({ ...SETTINGS.retries, share, burst });
          let repeats = 0;
          for (const [at, wish] of asks.entries()) {
            budget.earn();
            for (let n = 0; n < wish; n += 1) repeats += budget.spend() ? 1 : 0;
            expect(repeats).toBeLessThanOrEqual(burst + share * (at + 1) + 1e-9);
          }
        },
      ),
    );
  });
});
