import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answered,
  killPostgresUnderLoad,
  killUnderLoad,
  lost,
  restart,
  startQuiet,
} from '../support/crash-load.js';
import { account, random, seedOf } from '../support/instances.js';
import type { System } from '../support/system.js';
import { verify } from '../support/verify.js';

describe('kill -9 under load', () => {
  const next = random(seedOf('crash'));
  const answered: Answered[] = [];
  let system: System;
  beforeAll(async () => {
    system = await startQuiet();
  });
  afterAll(() => system.stop());

  it('of the gateway: it starts again beside its sandbox', async () => {
    const { sandboxUrl } = system.credentials;
    answered.push(...(await killUnderLoad(system, 60, 'crash', next() * 200)));
    system = await restart(system);
    expect(system.credentials.sandboxUrl).toBe(sandboxUrl);
  });

  it.each(['postmaster', 'backend'] as const)('of a %s: the gateway goes on by itself', async (victim) => {
    const { pid } = system.credentials;
    answered.push(...(await killPostgresUnderLoad(system, victim, 40, victim, next() * 200)).answered);
    expect(system.child?.pid).toBe(pid);
    expect(system.child?.exitCode).toBeNull();
  });

  it('loses and doubles no answered call, and the log verifies', async () => {
    expect(await lost(system, answered)).toEqual([]);
    const records = answered.map(({ record }) => record);
    expect(await account(system.credentials.databaseUrl, records)).toMatchObject({ lost: [], doubled: [] });
    const verdict = verify(system.dataDir);
    expect(verdict).toMatchObject({ ok: true, exit: 0, firstBad: null });
    expect(verdict.size).toBeGreaterThan(answered.length);
  });
});
