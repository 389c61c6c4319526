import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bulkhead, type Entrant } from './bulkhead.js';
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
  let others = 0;
  /** Somebody else each time, unless it is said who. */
  async function enter(of: LaneName, priority: Priority = 'interactive', more: Partial<Entrant> = {}) {
    let end: string;
    try {
      await bulkhead.enter(of, { who: `other ${(others += 1)}`, priority, leftMs: 10_000, ...more });
      end = 'in';
    } catch (error) {
      end = (error as { code: string }).code;
    }
    ends.push(`${priority} ${end}`);
    return end;
  }
  const fill = async (of: LaneName, n: number): Promise<void> => {
    for (let at = 0; at < n; at += 1) expect(await enter(of, 'interactive', { who: `holder ${at}` })).toBe('in');
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
    void enter('write', 'background', { who: 'a' });
    void enter('write', 'interactive', { who: 'b' });
    void enter('write', 'critical', { who: 'c' });
    for (const who of ['holder 0', 'c', 'b']) {
      bulkhead.leave('write', who);
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
      enter('write', 'interactive', { leftMs: 500 }),
      enter('write', 'interactive', { signal: gone.signal }),
    ];
    gone.abort();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await Promise.all(waits)).toEqual(['overloaded', 'vendor-timeout', 'vendor-timeout']);
    bulkhead.leave('write', 'holder 0');
    expect(await enter('write')).toBe('in');
  });

  it('leaves places to others, however long one client’s calls take', async () => {
    const wide = new Bulkhead({ read: 1, write: 1, check: 16, queue: 128, longestWait: 2_000 }, () => {});
    const check = (who: string) => wide.enter('check', { who, priority: 'interactive', leftMs: 60_000 });
    const turns = Array.from({ length: 40 }, () => check('flood'));
    const waiting = turns.filter((turn) => turn !== undefined);
    for (const turn of waiting) turn.catch(() => undefined);
    expect(turns.length - waiting.length).toBe(12);
    for (const who of ['one', 'two', 'three']) expect(check(who)).toBeUndefined();
    // What comes free goes to who has less, though the flood has waited for longer.
    const four = check('four');
    expect(four).toBeUndefined();
    const again = check('one');
    wide.leave('check', 'flood');
    await again;
    expect(wide.view().at(-1)).toMatchObject({ underWay: 16, waiting: 28 });
  });

  it('gives all places to many, and a full queue to those who have less in it', async () => {
    for (const who of ['a', 'b']) expect(await enter('read', 'interactive', { who })).toBe('in');
    for (let n = 0; n < 3; n += 1) void enter('read', 'interactive', { who: 'flood' });
    void enter('read', 'interactive', { who: 'other' });
    await vi.advanceTimersByTimeAsync(0);
    expect(ends.slice(-1)).toEqual(['interactive overloaded']);
    expect(await enter('read', 'interactive', { who: 'flood' })).toBe('overloaded');
    bulkhead.leave('read', 'a');
    bulkhead.leave('read', 'b');
    await vi.advanceTimersByTimeAsync(0);
    expect(bulkhead.view()[0]).toEqual({ class: 'read', limit: 2, underWay: 2, waiting: 1 });
  });
});
