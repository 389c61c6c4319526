import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, killUnderLoad, lost, restart } from '../support/crash-load.js';
import { writeMeasured } from '../support/measured.js';
import { startSystem, type System } from '../support/system.js';
import { verify } from '../support/verify.js';

const KILLS = 8;
const CREATES_A_KILL = 150;

describe('kill -9, again and again', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  it('loses nothing that was answered over many kills', async () => {
    const answered: Answered[] = [];
    const restarts: number[] = [];
    for (let kill = 1; kill <= KILLS; kill += 1) {
      answered.push(...(await killUnderLoad(system, CREATES_A_KILL, `chaos-${kill}`)));
      const from = performance.now();
      system = await restart(system);
      restarts.push(Math.round(performance.now() - from));
      expect(verify(system.dataDir).ok).toBe(true);
    }
    const missing = await lost(system, answered);
    const verdict = verify(system.dataDir);
    writeMeasured('chaos', {
      kills: KILLS,
      answered: answered.length,
      lost: missing.length,
      restartMs: restarts,
      records: verdict.size,
      verified: verdict.ok,
    });
    expect(missing).toEqual([]);
    expect(verdict.ok).toBe(true);
  });
});
