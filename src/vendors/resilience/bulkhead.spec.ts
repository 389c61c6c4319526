import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bulkhead } from './bulkhead.js';
import type { LaneName, Priority } from './passage.js';

describe('the bulkhead', () => {
  let shed: Priority[];
  let bulkhead: Bulkhead;
  beforeEach(() => {
    vi.useFakeTimers();
    shed = [];
    const settings = { read: 2, write: 1, check: 1, queue: 3, longestWait: 2_000 };
    bulkhead = new Bulkhead(settings, (priority) => shed.push(priority));
  });
  afterEach(() => void vi.useRealTimers());

  const ends: string[] = [];
  async function enter(of: LaneName, priority: Priority = 'interactive', leftMs = 10_000, signal?: AbortSignal) {
    let end: string;
    try {
      await bulkhead.enter(of, priority, leftMs, signal);
      end = 'in';
    } catch (error) {
      end = (error as { code: string }).code;
    }
    ends.push(`${priority} ${end}`);
    return end;
  }
  const fill = async (of: LaneName, n: number): Promise<void> => {
    for (let at = 0; at < n; at += 1) expect(await enter(of)).toBe('in');
    ends.length = 0;
  };

  it('keeps reads going while pictures wait', async () => {
    await fill('check', 1);
    void enter('check');
    expect(await enter('read')).toBe('in');
    expect(bulkhead.view()).toEqual([
      { class: 'read', limit: 2, underWay: 1, waiting: 0 },
      { class: 'write', limit: 1, underWay: 0, waiting: 0 },
      { class: 'check', limit: 1, underWay: 1, waiting: 1 },
    ]);
  });

  it('lets in the most important first', async () => {
    await fill('write', 1);
    for (const priority of ['background', 'interactive', 'critical'] as const) void enter('write', priority);
    for (let n = 0; n < 3; n += 1) {
      bulkhead.leave('write');
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(ends).toEqual(['critical in', 'interactive in', 'background in']);
  });

  it('sheds the least important when its queue is full, and otherwise who comes', async () => {
    await fill('write', 1);
    for (const priority of ['background', 'interactive', 'interactive'] as const) void enter('write', priority);
    void enter('write', 'critical');
    await vi.advanceTimersByTimeAsync(0);
    expect(ends).toEqual(['background overloaded']);
    expect(await enter('write', 'background')).toBe('overloaded');
    expect(await enter('write', 'interactive')).toBe('overloaded');
    expect(shed).toEqual(['background', 'background', 'interactive']);
  });

  it('keeps nobody waiting beyond its wait, its deadline or its caller, and loses no place by it', async () => {
    await fill('write', 1);
    const gone = new AbortController();
    const waits = [
      enter('write'),
      enter('write', 'interactive', 500),
      enter('write', 'interactive', 10_000, gone.signal),
    ];
    gone.abort();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await Promise.all(waits)).toEqual(['overloaded', 'vendor-timeout', 'vendor-timeout']);
    bulkhead.leave('write');
    expect(await enter('write')).toBe('in');
  });
});
