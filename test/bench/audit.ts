import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAudit, verifyLog } from '../../src/audit/index.js';
import { loadConfig, Log, SystemClock, uuidv7 } from '../../src/platform/index.js';

const SECONDS = 3;
const AT_ONCE = 512;

/** Records made durable a second through the log's own batcher, by callers that wait for each. */
export async function measureAppends(url: string): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-journal-'));
  const clock = new SystemClock();
  const log = new Log('error');
  const audit = await openAudit({
    config: loadConfig({}),
    clock,
    log,
    url,
    instance: 'bench',
    dir,
    signing: { dir, keys: [generateKeyPairSync('ed25519').privateKey] },
  });
  audit.start();
  const end = performance.now() + SECONDS * 1_000;
  let appended = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (performance.now() < end) {
        await audit.auditLog.append({
          id: uuidv7(clock.epochMs()),
          at: clock.now().toISOString(),
          kind: 'call',
          decision: { id: uuidv7(clock.epochMs()), outcome: 'allow', rule: 'corridor', reason: 'every check passed' },
          detail: { filler: 'x'.repeat(400) },
        });
        appended += 1;
      }
    }),
  );
  await audit.stop();
  rmSync(dir, { recursive: true, force: true });
  return Math.round(appended / SECONDS);
}

/** Records of the whole log recomputed a second. @throws when the log does not verify: then no figure is worth anything. */
export async function measureVerify(url: string): Promise<number> {
  const verdict = await verifyLog(url);
  if (!verdict.ok) throw new Error('the log of the bench does not verify');
  return Math.round(verdict.size / verdict.seconds);
}
