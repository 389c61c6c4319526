import { describe, expect, it } from 'vitest';
import { DeadlinePassed, within } from './deadline.js';

describe('within', () => {
  it('gives what the work gives', async () => {
    await expect(within(1_000, Promise.resolve(7))).resolves.toBe(7);
    await expect(within(1_000, Promise.reject(new TypeError('no')))).rejects.toThrow(TypeError);
  });

  it('does not wait any longer, even where the time was up before', async () => {
    const never = new Promise<never>(() => {});
    await expect(within(5, never)).rejects.toThrow(DeadlinePassed);
    await expect(within(-100, never)).rejects.toThrow(DeadlinePassed);
  });
});
