import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killUnderLoad, lost, restart } from '../support/crash-load.js';
import { startSystem, type System } from '../support/system.js';
import { verify } from '../support/verify.js';

describe('kill -9 of the gateway under load', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  it('loses no answered call, keeps the sandbox, and the log verifies after the restart', async () => {
    const { sandboxUrl } = system.credentials;
    const answered = await killUnderLoad(system, 60, 'crash');
    system = await restart(system);
    expect(system.credentials.sandboxUrl).toBe(sandboxUrl);
    expect(await lost(system, answered)).toEqual([]);
    const verdict = verify(system.dataDir);
    expect(verdict).toMatchObject({ ok: true, exit: 0, firstBad: null });
    expect(verdict.size).toBeGreaterThan(answered.length);
  });
});
