import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aRecord, openTestLog, type TestLog } from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { loadConfig, Log, SystemClock } from '../../platform/index.js';
import { verifySiem } from '../verify/verify-siem.js';
import { openSiem, type Siem } from './siem.js';

let database: TestDatabase;
let log: TestLog;
let dir: string;
beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl, 'spec', true);
  log.start();
  dir = await mkdtemp(join(tmpdir(), 'gatehouse-siem-'));
});
afterAll(async () => {
  await log.stop();
  await database.stop();
  await rm(dir, { recursive: true, force: true });
});

async function open(instance: string, sinks: object[]): Promise<Siem> {
  const path = join(dir, 'gatehouse.yaml');
  await writeFile(path, JSON.stringify({ siem: { sinks } }));
  const config = loadConfig({ GATEHOUSE_CONFIG: path });
  return openSiem({ config, clock: new SystemClock(), log: new Log('silent'), url: database.superuserUrl, instance });
}

const append = (records: number): Promise<void[]> =>
  Promise.all(Array.from({ length: records }, () => log.auditLog.append(aRecord())));
const has = (siem: Siem, past: number): Promise<void> =>
  vi.waitFor(
    async () => {
      expect(await siem.views()).toEqual(
        (await siem.views()).map((view) => ({ ...view, nextSeq: past, state: 'idle', lag: 0 })),
      );
    },
    { timeout: 10_000, interval: 100 },
  );
const keys = () => log.signing?.signers.map(({ verifier }) => verifier) ?? [];

describe('several instances with the same receivers', () => {
  it('ship everything once while none of them fails, and go on when one ends', async () => {
    const paths = { ocsf: join(dir, 'soc.jsonl'), cef: join(dir, 'soc.cef') };
    const sinks = [
      { name: 'soc', kind: 'file', path: paths.ocsf, batch: { records: 7 } },
      { name: 'cef', kind: 'file', format: 'cef', path: paths.cef },
    ];
    await append(50);
    const [one, two] = [await open('one', sinks), await open('two', sinks)];
    one.start();
    two.start();
    await append(50);
    await has(two, 100 + 1);
    await append(20);
    await one.stop();
    await append(20);
    await has(two, 140 + 1);
    await two.stop();
    for (const path of Object.values(paths)) {
      const verdict = await verifySiem([path], keys());
      expect(verdict).toMatchObject({ ok: true, first: 0, past: 141, records: 141, doubles: 0, ignored: 0 });
    }
    expect((await readFile(paths.ocsf, 'utf8')).split('\n').length).toBeGreaterThan(141);
  });
});
