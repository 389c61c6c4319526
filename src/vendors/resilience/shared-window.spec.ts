import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { Redis } from 'iovalkey';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FairBudget } from './fair-budget.js';
import { OWN_WORK, WEBHOOKS } from './fair-window.js';
import { SharedWindow } from './shared-window.js';

const SHARES = { limit: 100, windowMs: 60_000, reserve: 0.1, background: 0.1 };
const binary = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((dir) => [join(dir, 'valkey-server'), join(dir, 'redis-server')])
  .find((file) => existsSync(file));
const opened: Redis[] = [];
afterEach(() => opened.splice(0).forEach((valkey) => valkey.disconnect()));

function connect(port: number): Redis {
  const options = { enableOfflineQueue: true, maxRetriesPerRequest: 1, commandTimeout: 2_000 };
  const valkey = new Redis(`redis://127.0.0.1:${port}`, options);
  valkey.on('error', () => undefined);
  opened.push(valkey);
  return valkey;
}

function instance(port: number, name: string): FairBudget {
  const nowMs = (): number => performance.now();
  const source = new SharedWindow(connect(port), name, SHARES, nowMs);
  return new FairBudget({ source, nowMs, longestWait: 3_000, queue: 64, refused: () => undefined });
}

/** How many calls one after the other are granted before the first refusal. */
async function taken(budget: FairBudget, client: string): Promise<number> {
  for (let n = 0; ; n += 1) {
    try {
      await budget.take(client, 'interactive', 10_000);
    } catch {
      return n;
    }
  }
}

describe('a budget that instances share', () => {
  it('is an instance’s own while Valkey is away', async () => {
    const budget = instance(1, 'away');
    expect(await taken(budget, 'greedy')).toBe(80);
    expect(await taken(budget, OWN_WORK)).toBe(10);
  });
});

describe.skipIf(binary === undefined)('a budget in Valkey (needs valkey-server or redis-server)', () => {
  let server: ChildProcess;
  let port: number;
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-valkey-'));
  beforeAll(async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const address = probe.address();
    port = address !== null && typeof address === 'object' ? address.port : 0;
    probe.close();
    server = spawn(binary ?? '', ['--port', String(port), '--save', '', '--bind', '127.0.0.1', '--dir', dir]);
    const valkey = new Redis(`redis://127.0.0.1:${port}`, { maxRetriesPerRequest: null });
    valkey.on('error', () => undefined);
    await valkey.ping();
    valkey.disconnect();
  });
  afterAll(async () => {
    server.kill();
    await once(server, 'exit');
    rmSync(dir, { recursive: true, force: true });
  });

  it('is one for all instances, fair to clients wherever they ask', async () => {
    const [one, two] = [instance(port, 'all'), instance(port, 'all')];
    expect(await taken(one, 'greedy')).toBe(80);
    expect(await taken(two, 'greedy')).toBe(0);
    expect(await taken(two, 'newcomer')).toBe(10);
    expect(await taken(two, OWN_WORK)).toBe(10);
    expect(await taken(two, WEBHOOKS)).toBe(0);
  });

  it('grants no more than the limit when many instances and clients ask at once', async () => {
    const budgets = Array.from({ length: 3 }, () => instance(port, 'race'));
    const counts = await Promise.all(
      budgets.flatMap((budget) => ['a', 'b', 'c'].map((client) => taken(budget, client))),
    );
    const total = counts.reduce((sum, n) => sum + n, 0);
    expect(total).toBeLessThanOrEqual(90);
    expect(total).toBeGreaterThan(80);
    const of = (at: number): number => counts.filter((_, n) => n % 3 === at).reduce((sum, n) => sum + n, 0);
    for (const at of [0, 1, 2]) expect(of(at)).toBeGreaterThanOrEqual(20);
  });
});
