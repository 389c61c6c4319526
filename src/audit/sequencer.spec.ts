import { afterEach, describe, expect, it, vi } from 'vitest';
import { Log } from '../platform/index.js';
import type { Connection } from './connection.js';
import { Sequencer } from './sequencer.js';

const silent = new Log('silent');
let sequencer: Sequencer | undefined;

type Answer = () => { moved: number; size: string }[];

/** A database in which so many records wait. */
function start(answers: Answer[], everyMs = 20, log: Pick<Log, 'info' | 'warn'> = silent) {
  const query = vi.fn((_query: { values: number[] }) => {
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return Promise.resolve().then(() => ({ rows: answer?.() ?? [] }));
  });
  const close = vi.fn(() => Promise.resolve());
  sequencer = new Sequencer({ query, close } as unknown as Connection, everyMs, log);
  return { sequencer, query, close };
}

const moved =
  (count: number): Answer =>
  () => [{ moved: count, size: '1' }];
const busy: Answer = () => [];
const fails: Answer = () => {
  throw new Error('away');
};

afterEach(() => sequencer?.stop());

describe('the sequencer', () => {
  it('looks for work when it starts, and goes on at once while batches are full', async () => {
    const { sequencer, query } = start([moved(4_096), moved(4_096), moved(3), moved(0)], 10_000);
    sequencer.start();
    await vi.waitFor(() => expect(query).toHaveBeenCalledTimes(3));
  });

  it('comes within an interval when it is nudged, once for many nudges', async () => {
    const { sequencer, query } = start([moved(0)], 50);
    sequencer.start();
    await vi.waitFor(() => expect(query).toHaveBeenCalledTimes(1));
    const nudgedAt = performance.now();
    for (let n = 0; n < 100; n += 1) sequencer.nudge();
    await vi.waitFor(() => expect(query).toHaveBeenCalledTimes(2), { interval: 5 });
    expect(performance.now() - nudgedAt).toBeLessThan(400);
  });

  it('finds what others left, without a nudge', async () => {
    const { sequencer, query } = start([moved(0)], 20);
    sequencer.start();
    await vi.waitFor(() => expect(query.mock.calls.length).toBeGreaterThanOrEqual(3), { timeout: 3_000 });
  });

  it('leaves the work to another instance that is at it', async () => {
    const { sequencer, query } = start([busy], 20);
    expect(await sequencer.drain()).toBe(0);
    expect(query).toHaveBeenCalledTimes(1);
  });

  it('tells once that it cannot, backs off, and resumes by itself', async () => {
    const log = { warn: vi.fn(), info: vi.fn() };
    const { sequencer } = start([fails, fails, moved(1), moved(0)], 20, log);
    sequencer.start();
    await vi.waitFor(() => expect(log.info).toHaveBeenCalledTimes(1), { timeout: 3_000 });
    expect(log.warn).toHaveBeenCalledTimes(1);
  });

  it('takes fewer at a time when so many are too much for the time that it may hold the head, and more again when they are not', async () => {
    const tooLong: Answer = () => {
      throw Object.assign(new Error('terminating'), { code: '25P04', severity: 'FATAL' });
    };
    const { sequencer, query } = start([tooLong, tooLong, moved(256), moved(512), moved(3), moved(0)]);
    sequencer.start();
    const asked = () => query.mock.calls.map(([{ values }]) => values[0]);
    await vi.waitFor(() => expect(asked().slice(0, 5)).toEqual([4_096, 1_024, 256, 512, 1_024]), { timeout: 3_000 });
  });

  it('numbers what is left when it stops, and nothing after', async () => {
    const { sequencer, query, close } = start([moved(5), moved(0)], 10_000);
    await sequencer.stop();
    expect(query).toHaveBeenCalledTimes(1);
    expect(close).toHaveBeenCalledTimes(1);
    sequencer.nudge();
    sequencer.start();
    await sequencer.stop();
  });

  it('stops also when the database is away', async () => {
    const { sequencer, close } = start([fails]);
    await sequencer.stop();
    expect(close).toHaveBeenCalledTimes(1);
  });
});
