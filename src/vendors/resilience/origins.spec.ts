import { describe, expect, it } from 'vitest';
import { Origins } from './origins.js';

const URLS = ['https://a.test', 'https://b.test', 'https://c.test'];

describe('the origins of a vendor', () => {
  it('take turns, and the least busy one comes first', () => {
    const origins = new Origins(URLS);
    const held = [origins.pick(0), origins.pick(0), origins.pick(0)];
    expect(held.map(({ url }) => url).sort()).toEqual(URLS);
    origins.leave(held[1]!, 'success', 0);
    expect(origins.pick(0)).toBe(held[1]);
  });

  it('leave out one that fails, for longer each time, and take it back when it answers', () => {
    const origins = new Origins(URLS);
    const fail = (nowMs: number): void => {
      for (let n = 0; n < 30; n += 1) {
        const one = origins.pick(nowMs);
        origins.leave(one, one.url === URLS[0] ? 'failure' : 'success', nowMs);
      }
    };
    fail(0);
    expect(origins.view(0).map(({ out }) => out)).toEqual([true, false, false]);
    expect(origins.view(1_000)[0]?.out).toBe(false);
    fail(1_000);
    expect(origins.view(2_999)[0]?.out).toBe(true);
    expect(origins.view(3_000)[0]?.out).toBe(false);
    for (let n = 0; n < 3; n += 1) origins.leave(origins.pick(3_000), 'success', 3_000);
    for (let n = 0; n < 2; n += 1) fail(3_000);
    expect(origins.view(3_999)[0]?.out).toBe(true);
    expect(origins.view(4_000)[0]?.out).toBe(false);
  });

  it('never leave out the last one', () => {
    const origins = new Origins(URLS);
    for (let n = 0; n < 50; n += 1) origins.leave(origins.pick(0), 'failure', 0);
    expect(origins.view(0).filter(({ out }) => !out)).toHaveLength(1);
    const single = new Origins(['https://a.test', 'https://a.test']);
    for (let n = 0; n < 50; n += 1) single.leave(single.pick(0), 'failure', 0);
    expect(single.view(0)).toEqual([{ url: 'https://a.test', underWay: 0, out: false }]);
  });
});
