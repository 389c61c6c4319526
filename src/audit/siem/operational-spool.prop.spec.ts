import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { ManualClock } from '../../platform/index.js';
import type { SpoolReader } from './operational-reader.js';
import { OperationalShipper } from './operational-shipper.js';
import { OperationalSpool } from './operational-spool.js';
import type { Shipment, Sink } from './sink.js';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Notes what it takes of two kinds: lines said, and counts of lines that are gone. */
class Taking implements Sink {
  readonly said: number[] = [];
  gone = 0;
  /** Shipments that it still takes before it refuses. */
  takes = 0;

  constructor(readonly name: string) {}

  async send({ lines }: Shipment): Promise<void> {
    if ((this.takes -= 1) < 0) throw new Error('refused');
    for (const { text } of lines) {
      const { n, count } = JSON.parse(text) as { n?: number; count?: number };
      if (n !== undefined) this.said.push(n);
      this.gone += count ?? 0;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('say'), many: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('ship'), many: fc.integer({ min: 0, max: 3 }), sink: fc.constantFrom(0, 1) }),
  fc.record({ kind: fc.constant('restart'), many: fc.constant(0) }),
);

describe('the spool, whatever happens to it', () => {
  test.prop(
    [fc.array(step, { maxLength: 30 }), fc.integer({ min: 40, max: 400 }), fc.integer({ min: 400, max: 1_500 })],
    {
      numRuns: 40,
    },
  )('gives each sink each line once and in order, or counts it', async (steps, segmentBytes, mostBytes) => {
    const dir = await mkdtemp(join(tmpdir(), 'gatehouse-spool-'));
    const sinks = [new Taking('one'), new Taking('two')];
    let spool: OperationalSpool;
    let readers: SpoolReader[];
    const open = async (): Promise<void> => {
      spool = await OperationalSpool.open({ dir, clock: new ManualClock(), log: quiet, segmentBytes, mostBytes });
      readers = await Promise.all(sinks.map(({ name }) => spool.reader(name)));
    };
    const ship = async (which: number, takes: number): Promise<void> => {
      const [sink, reader] = [sinks[which], readers[which]];
      if (sink === undefined || reader === undefined) throw new Error('no such sink');
      sink.takes = takes;
      await new OperationalShipper({ reader, sink, log: quiet, everyMs: 1 }).round();
    };
    let last = 0;
    await open();
    for (const one of steps) {
      if (one.kind === 'say') {
        for (let n = 0; n < one.many; n += 1) spool!.accept(`{"level":"info","n":${(last += 1)}}\n`);
        await spool!.flush();
      } else if (one.kind === 'ship' && 'sink' in one) {
        await ship(one.sink, one.many);
      } else if (one.kind === 'restart') {
        await spool!.close();
        await open();
      }
      expect(spool!.segments.bytes).toBeLessThanOrEqual(Math.max(mostBytes, segmentBytes) + 12 * 30);
    }
    for (const [which, sink] of sinks.entries()) {
      await ship(which, Number.POSITIVE_INFINITY);
      expect(sink.said).toEqual([...new Set(sink.said)].sort((a, b) => a - b));
      expect(sink.said.length + sink.gone).toBe(last);
    }
    await spool!.close();
    await rm(dir, { recursive: true, force: true });
  });
});
