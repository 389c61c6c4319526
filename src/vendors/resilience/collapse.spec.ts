import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collapse, TIME_IS_OVER } from './collapse.js';
import type { Answered, Next, Operation, Passage, Stage, Wanted } from './passage.js';
import { CREATE, failing, passageOf, READ } from './testing/parts.js';

describe('equal reads', () => {
  let sent: Passage<Answered>[];
  let ends: { resolve: (answer: Answered) => void; reject: (error: Error) => void }[];
  let stage: Stage<Answered>;
  const next: Next<Answered> = (passage) => {
    sent.push(passage);
    passage.attempts = 1;
    return new Promise((resolve, reject) => ends.push({ resolve, reject }));
  };
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
    sent = [];
    ends = [];
    stage = collapse({ nowMs: () => Date.now(), longestMs: () => 10_000, collapsed: () => undefined });
  });
  afterEach(() => void vi.useRealTimers());

  function ask(over: Partial<Wanted> = {}, operation: Operation = READ) {
    const passage = passageOf<Answered>(operation, { key: 'one', ...over });
    const end = stage(passage, next).then(
      ({ status }) => status,
      (error: unknown) => (error as { problem: string }).problem,
    );
    return { passage, end };
  }

  it('share one call and its answer', async () => {
    const asks = [ask(), ask({ client: 'other' }), ask({ key: 'two' })];
    expect(sent).toHaveLength(2);
    for (const { resolve } of ends) resolve({ status: 200 });
    expect(await Promise.all(asks.map(({ end }) => end))).toEqual([200, 200, 200]);
    expect(asks.map(({ passage }) => [passage.collapsed, passage.attempts])).toEqual([
      [false, 1],
      [true, 0],
      [false, 1],
    ]);
  });

  it('share a failure as well', async () => {
    const asks = [ask(), ask()];
    ends[0]?.reject(failing());
    expect(await Promise.all(asks.map(({ end }) => end))).toEqual(['vendor-error', 'vendor-error']);
  });

  it('end one by one, and the call with the last of them', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const asks = [ask({ signal: first.signal }), ask({ signal: second.signal })];
    first.abort();
    expect(await asks[0]?.end).toBe('vendor-timeout');
    expect(sent[0]?.wanted.signal?.aborted).toBe(false);
    second.abort();
    expect(await asks[1]?.end).toBe('vendor-timeout');
    expect(sent[0]?.wanted.signal?.aborted).toBe(true);
    expect(sent[0]?.wanted.signal?.reason).not.toBe(TIME_IS_OVER);
  });

  it('end with the time of the last of them, and the call is told that it was the time', async () => {
    const gone = new AbortController();
    const asks = [ask({ signal: gone.signal }), ask({ deadlineMs: Date.now() + 9_000 })];
    gone.abort();
    await vi.advanceTimersByTimeAsync(9_000);
    expect(await asks[1]?.end).toBe('vendor-timeout');
    expect(sent[0]?.wanted.signal?.reason).toBe(TIME_IS_OVER);
  });

  it('keep each its own deadline', async () => {
    const hasty = ask({ deadlineMs: Date.now() + 200 });
    const patient = ask({ deadlineMs: Date.now() + 8_000 });
    await vi.advanceTimersByTimeAsync(200);
    expect(await hasty.end).toBe('vendor-timeout');
    ends[0]?.resolve({ status: 200 });
    expect(await patient.end).toBe(200);
  });

  it('join no call that is old, that was given up, or that began before a change was answered', async () => {
    ask();
    await vi.advanceTimersByTimeAsync(500);
    const gone = new AbortController();
    const left = ask({ signal: gone.signal });
    expect(sent).toHaveLength(2);
    gone.abort();
    await left.end;
    ask();
    expect(sent).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(10);
    const change = ask({ key: undefined }, CREATE);
    ends[3]?.resolve({ status: 201 });
    await change.end;
    ask();
    expect(sent).toHaveLength(5);
  });

  it('are asked anew for a webhook, which knows something newer', () => {
    ask();
    ask({ priority: 'critical' });
    expect(sent).toHaveLength(2);
  });
});
