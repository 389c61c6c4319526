import { expect, it } from 'vitest';
import { writeMeasured } from '../../../test/support/measured.js';
import { SystemClock } from '../../platform/index.js';
import type { Answered, Operation, Sending } from './passage.js';
import { Pipeline } from './pipeline.js';
import { CREATE, EARS, READ, SETTINGS, wanted } from './testing/parts.js';
import { VendorBudgets } from './vendor-budgets.js';

const CALLS = 100_000;
const ROUNDS = 5;
/** CPU microseconds that resilience may add to a call. */
const MOST_US = 15;

const huge = { limit: 9_999_999, windowMs: 60_000 };
const budgets = new VendorBudgets({
  vendor: 'spec',
  settings: { writes: huge, reads: huge, pdfs: huge, longestWait: 2_000, queue: 64, reserve: 0.1, background: 0.1 },
  redisUrl: undefined,
  nowMs: () => performance.now(),
  refused: () => undefined,
});

async function cpuUs(call: (n: number) => Promise<unknown>): Promise<number> {
  const from = process.cpuUsage();
  for (let n = 0; n < CALLS; n += 1) await call(n);
  const { user, system } = process.cpuUsage(from);
  return (user + system) / CALLS;
}

it('costs a call few CPU microseconds', async () => {
  const clock = new SystemClock();
  const pipeline = new Pipeline<Answered>({
    settings: SETTINGS,
    nowMs: () => clock.monotonicMs(),
    budgetsOf: budgets.of,
    ears: EARS,
  });
  const answer: Answered = { status: 200 };
  const send = ({ trip }: Sending): Promise<Answered> => {
    trip.sent += 1;
    return Promise.resolve(answer);
  };
  const { signal } = new AbortController();
  const through = (operation: Operation) => (n: number) => {
    const key = operation.changes ? undefined : JSON.stringify([operation.name, { sessionId: n }, undefined]);
    return pipeline.run(
      operation,
      wanted({ client: `client-${n % 20}`, signal, key, deadlineMs: clock.monotonicMs() + 9_000 }),
      send,
    );
  };
  const bare = (): Promise<Answered> =>
    send({ origin: '', timeoutMs: 0, signal, trip: { sent: 0, waitedForCallerMs: () => 0 } });
  const figures: Record<'read' | 'create' | 'bare', number[]> = { read: [], create: [], bare: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    figures.bare.push(await cpuUs(bare));
    figures.read.push(await cpuUs(through(READ)));
    figures.create.push(await cpuUs(through(CREATE)));
  }
  budgets.stop();
  const least = (all: number[]): number => Math.min(...all);
  const added = (all: number[]): number => Number((least(all) - least(figures.bare)).toFixed(2));
  const measured = { calls: CALLS, cpuUsRead: added(figures.read), cpuUsCreate: added(figures.create) };
  writeMeasured('resilience', measured);
  expect(measured.cpuUsRead).toBeLessThan(MOST_US);
  expect(measured.cpuUsCreate).toBeLessThan(MOST_US);
});
