import { describe, expect, it } from 'vitest';
import { Lifecycle } from './lifecycle.js';

describe('Lifecycle', () => {
  it('is idle at once when nothing is under way', async () => {
    expect(await new Lifecycle().idle(0)).toBe(true);
  });

  it('waits for what is under way and says when the time was too short', async () => {
    const lifecycle = new Lifecycle();
    lifecycle.begin();
    expect(await lifecycle.idle(1)).toBe(false);
    const idle = lifecycle.idle(60_000);
    lifecycle.end();
    expect(await idle).toBe(true);
  });
});
