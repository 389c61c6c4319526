import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account, random, seedOf } from '../support/instances.js';
import {
  type Answered,
  killPostgresUnderLoad,
  killUnderLoad,
  lost,
  restart,
  startQuiet,
  type Victim,
} from '../support/crash-load.js';
import { writeMeasured } from '../support/measured.js';
import type { System } from '../support/system.js';
import { verify } from '../support/verify.js';

const KILLS = 50;
const ANSWERED_BEFORE_A_KILL = 30;
/** The instant of a kill lies anywhere in here after that, milliseconds. */
const WITHIN_MS = 400;
const VICTIMS: readonly Victim[] = ['gateway', 'postmaster', 'gateway', 'backend'];

describe('kill -9, again and again', () => {
  let system: System;
  beforeAll(async () => {
    system = await startQuiet();
  });
  afterAll(() => system.stop());

  it('loses and doubles nothing that was answered, whether the gateway or its Postgres is killed', async () => {
    const next = random(seedOf('chaos'));
    const answered: Answered[] = [];
    const restarts: number[] = [];
    const away: number[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const victim = VICTIMS[kill % VICTIMS.length] ?? 'gateway';
      const [name, afterMs] = [`chaos-${kill}`, Math.floor(next() * WITHIN_MS)];
      if (victim === 'gateway') {
        answered.push(...(await killUnderLoad(system, ANSWERED_BEFORE_A_KILL, name, afterMs)));
        const from = performance.now();
        system = await restart(system);
        restarts.push(Math.round(performance.now() - from));
      } else {
        const under = await killPostgresUnderLoad(system, victim, ANSWERED_BEFORE_A_KILL, name, afterMs);
        answered.push(...under.answered);
        away.push(under.awayMs);
      }
      if (kill % 5 === 4) expect(verify(system.dataDir)).toMatchObject({ ok: true });
    }
    const missing = await lost(system, answered);
    const records = await account(
      system.credentials.databaseUrl,
      answered.map(({ record }) => record),
    );
    const verdict = verify(system.dataDir);
    writeMeasured('chaos', {
      kills: KILLS,
      answered: answered.length,
      lost: missing.length + records.lost.length,
      doubled: records.doubled.length,
      restartMs: restarts,
      postgresAwayMs: away,
      records: verdict.size,
      verified: verdict.ok,
    });
    expect({ missing, lost: records.lost, doubled: records.doubled }).toEqual({ missing: [], lost: [], doubled: [] });
    expect(verdict.ok).toBe(true);
  });
});
