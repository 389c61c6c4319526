import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startSystem, until } from '../support/system.js';

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('an orderly stop', () => {
  it('lets a call under way end, exits with 0 and leaves neither Postgres nor the sandbox behind', async () => {
    const system = await startSystem();
    const pidIn = (file: string): number => {
      return (JSON.parse(readFileSync(join(system.dataDir, file), 'utf8')) as { pid: number }).pid;
    };
    const others = [pidIn('postgres.json'), pidIn('sandbox.json')];
    expect(others.every(isRunning)).toBe(true);

    await system.token();
    await system.sandbox('faults', { body: { kind: 'slow', ms: 1_500, operations: ['session.create'] } });
    const call = system.v1('/v1/verifications', {
      body: { workflow: 'onboarding', subject: { reference: 'stopping', relationship: 'customer' } },
    });
    await until(async () => {
      const ledger = await system.sandbox<{ counts: Record<string, number> }>('ledger');
      return (ledger.body.counts['session.create'] ?? 0) > 0;
    });
    const exited = new Promise<number | null>((resolve) => system.child?.once('exit', resolve));
    system.child?.kill('SIGTERM');
    expect((await call).status).toBe(201);
    expect(await exited).toBe(0);
    await until(() => Promise.resolve(!others.some(isRunning)));
    await system.stop();
  });
});
