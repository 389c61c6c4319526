import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, lost, restart, startQuiet } from '../support/crash-load.js';
import { account } from '../support/instances.js';
import { withClient } from '../support/audit.js';
import { writeMeasured } from '../support/measured.js';
import { SmallDisk } from '../../src/cli/drill/small-disk.js';
import { type System, until } from '../support/system.js';
import { verify } from '../support/verify.js';

const MEGABYTES = 300;
/** Whatever happens to the disk, a caller has an answer by then. */
const ANSWER_MS = 10_000;

describe('a full disk under Postgres', () => {
  let system: System;
  let disk: SmallDisk;
  const answered: Answered[] = [];
  const statuses: Record<string, number> = {};
  const back: number[] = [];
  let slowestMs = 0;

  beforeAll(async () => {
    system = await startQuiet();
    await system.stop(false);
    disk = SmallDisk.under(join(system.dataDir, 'postgres'), MEGABYTES);
    system = await restart(system);
  });

  afterAll(async () => {
    await disk.free();
    await system.stop(false);
    disk.remove();
    rmSync(system.dataDir, { recursive: true, force: true });
  });

  /** One create; what was answered 201 must last. */
  async function create(n: number): Promise<number> {
    const from = performance.now();
    const { status, body, headers } = await system.v1<{ id: string; code?: string }>('/v1/verifications', {
      body: { workflow: 'onboarding', subject: { reference: `disk-${n}`, relationship: 'customer' } },
    });
    slowestMs = Math.max(slowestMs, performance.now() - from);
    const what = status === 201 ? '201' : `${status} ${body.code}`;
    statuses[what] = (statuses[what] ?? 0) + 1;
    if (status === 201) answered.push({ verification: body.id, record: String(headers['gatehouse-record']) });
    return status;
  }

  const journals = (): number =>
    readdirSync(join(system.dataDir, 'journal')).filter((name) => name.endsWith('.jsonl')).length;

  it.each([
    ['a record', false],
    ['a file of the write-ahead log', true],
  ])(
    'refuses with 503 when there is no room for %s, and goes on by itself when there is again',
    async (_what, panics) => {
      for (let n = 0; n < 50; n += 1) expect(await create(n)).toBe(201);
      await disk.fill();
      // Forces a new file of the write-ahead log, for which there is no room: Postgres ends in a panic.
      if (panics)
        await withClient(system.credentials.databaseUrl, (client) => client.query('SELECT pg_switch_wal()')).catch(
          () => undefined,
        );
      let refused = 0;
      for (let n = 0; refused < 200; n += 1) {
        const burst = await Promise.all(Array.from({ length: 20 }, (_, at) => create(1_000 + n * 20 + at)));
        for (const status of burst) expect([201, 503]).toContain(status);
        refused += burst.filter((status) => status === 503).length;
      }
      // Before that some refusals still find a page with room for their record.
      if (panics) await until(() => Promise.resolve(journals() > 0));
      await disk.free();
      const from = performance.now();
      await until(async () => (await create(9_999)) === 201, 30_000);
      const backMs = Math.round(performance.now() - from);
      // The next record that can be written brings them in.
      await until(async () => (await create(9_999)) === 201 && journals() === 0);
      expect(slowestMs).toBeLessThan(ANSWER_MS);
      expect(verify(system.dataDir)).toMatchObject({ ok: true });
      back.push(backMs);
    },
  );

  it('loses and doubles nothing that was answered', async () => {
    const missing = await lost(system, answered);
    const records = await account(
      system.credentials.databaseUrl,
      answered.map(({ record }) => record),
    );
    const verdict = verify(system.dataDir);
    writeMeasured('full-disk', {
      statuses,
      backAfterMs: back,
      slowestAnswerMs: Math.round(slowestMs),
      lost: missing.length + records.lost.length,
      doubled: records.doubled.length,
      verified: verdict.ok,
    });
    expect({ missing, lost: records.lost, doubled: records.doubled }).toEqual({ missing: [], lost: [], doubled: [] });
    expect(verdict.ok).toBe(true);
  });
});
