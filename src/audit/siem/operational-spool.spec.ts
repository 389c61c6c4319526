import { appendFile, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Log, ManualClock } from '../../platform/index.js';
import type { SpoolReader } from './operational-reader.js';
import { OperationalShipper } from './operational-shipper.js';
import { OperationalSpool, type SpoolParts } from './operational-spool.js';
import type { ShippedLine, Shipment, Sink } from './sink.js';

const AT = '2026-03-10T08:00:00.000Z';
const line = (n: number, level = 'info'): string => `{"level":"${level}","time":"${AT}","n":${n},"msg":"Zoë ${n}"}\n`;

/** A receiver that takes what it is told to take. */
class SpecSink implements Sink {
  readonly name = 'spec';
  readonly taken: ShippedLine[] = [];
  tries = 0;
  refuses = false;
  onSend: () => void = () => undefined;

  async send({ kind, lines }: Shipment): Promise<void> {
    expect(kind).toBe('operational');
    this.tries += 1;
    this.onSend();
    if (this.refuses) throw new Error('refused');
    this.taken.push(...lines);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  get numbers(): unknown[] {
    return this.taken.map(({ text }) => (JSON.parse(text) as { n?: number }).n);
  }

  get counts(): number[] {
    return this.taken.flatMap(({ text }) => (JSON.parse(text) as { count?: number }).count ?? []);
  }
}

describe('the spool of the operational log', () => {
  const clock = new ManualClock(AT);
  let dir: string;
  let spool: OperationalSpool;
  let said: string[];
  const log = {
    info: (message: string) => void said.push(message),
    warn: (message: string) => void said.push(message),
    error: (message: string) => void said.push(message),
  };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gatehouse-spool-'));
    said = [];
    await open();
  });
  afterEach(async () => {
    await spool.close();
    await rm(dir, { recursive: true, force: true });
  });

  async function open(over: Partial<SpoolParts> = {}): Promise<void> {
    spool = await OperationalSpool.open({ dir: join(dir, 'operational'), clock, log, ...over });
  }
  async function reopen(over: Partial<SpoolParts> = {}): Promise<void> {
    await spool.close();
    await open(over);
  }
  async function say(from: number, to: number): Promise<void> {
    for (let n = from; n <= to; n += 1) {
      spool.accept(line(n));
      await spool.flush();
    }
  }
  const shipper = (reader: SpoolReader, sink: Sink): OperationalShipper =>
    new OperationalShipper({ reader, sink, log, everyMs: 5 });
  async function ship(name = 'spec', sink = new SpecSink()): Promise<SpecSink> {
    await shipper(await spool.reader(name), sink).round();
    return sink;
  }
  const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);

  it('ships each line once, in order, with its id, instant and severity', async () => {
    for (let n = 1; n <= 1_200; n += 1) spool.accept(line(n, n === 2 ? 'warn' : n === 3 ? 'error' : 'info'));
    await spool.flush();
    const sink = await ship();
    expect(sink.numbers).toEqual(range(1, 1_200));
    expect(sink.tries).toBe(3);
    expect(sink.taken.slice(0, 3).map(({ severity }) => severity)).toEqual(['info', 'medium', 'high']);
    expect(sink.taken[0]).toEqual({
      id: `log-${spool.id}-1`,
      atMs: Date.parse(AT),
      severity: 'info',
      text: `{"uid":"log-${spool.id}-1",${line(1).trimEnd().slice(1)}`,
    });
    expect(new Set(sink.taken.map(({ id }) => id)).size).toBe(1_200);
    expect((await ship()).taken).toEqual([]);
  });

  it('ships the same lines again until they are taken, and goes on there after a restart', async () => {
    const sink = new SpecSink();
    await say(1, 2);
    await ship('spec', sink);
    await say(3, 4);
    sink.refuses = true;
    await ship('spec', sink);
    await reopen();
    await say(5, 5);
    sink.refuses = false;
    await ship('spec', sink);
    expect(sink.numbers).toEqual([1, 2, 3, 4, 5]);
    expect(sink.taken.map(({ id }) => id)).toEqual(range(1, 5).map((n) => `log-${spool.id}-${n}`));
  });

  it('keeps each sink its own place, and drops files only when all have them behind', async () => {
    await reopen({ segmentBytes: 150 });
    const slow = await spool.reader('slow');
    await say(1, 20);
    expect((await ship('quick')).numbers).toEqual(range(1, 20));
    expect(spool.segments.all[0]?.first).toBe(1);
    const sink = new SpecSink();
    await shipper(slow, sink).round();
    expect(sink.numbers).toEqual(range(1, 20));
    expect(spool.segments.all).toHaveLength(1);
    expect((await readdir(join(dir, 'operational'))).filter((name) => name.endsWith('.jsonl'))).toHaveLength(1);
  });

  it('drops the oldest when it is full and ships one line that counts them, for each sink as many as it missed', async () => {
    await reopen({ segmentBytes: 150, mostBytes: 600 });
    const behind = await spool.reader('behind');
    const ahead = await spool.reader('ahead');
    await say(1, 6);
    await shipper(ahead, new SpecSink()).round();
    await say(7, 40);
    expect(spool.segments.bytes).toBeLessThanOrEqual(600 + 150);
    expect(said).toContain('the oldest lines kept for the SIEM were dropped: their spool is full');
    for (const [reader, from] of [
      [behind, 1],
      [ahead, 7],
    ] as const) {
      const sink = new SpecSink();
      await shipper(reader, sink).round();
      const kept = sink.numbers.slice(1);
      expect(sink.counts).toEqual([40 - kept.length - from + 1]);
      expect(kept).toEqual(range(41 - kept.length, 40));
      expect(sink.taken[0]).toMatchObject({
        id: `log-${spool.id}-${from}-${41 - kept.length}`,
        severity: 'medium',
        text: expect.stringContaining('were lost') as string,
      });
    }
  });

  it('does not count as lost what a new sink never had to get', async () => {
    await reopen({ segmentBytes: 150, mostBytes: 600 });
    await say(1, 40);
    const sink = await ship('new');
    expect(sink.counts).toEqual([]);
    expect(sink.numbers.at(-1)).toBe(40);
  });

  it('leaves out half a line that a crash left', async () => {
    await say(1, 2);
    const [segment] = spool.segments.all;
    await spool.close();
    await appendFile(segment?.path ?? '', '{"level":"inf');
    await open();
    await say(3, 3);
    expect((await ship()).numbers).toEqual([1, 2, 3]);
  });

  it('gives no number twice when the disk lost lines that a receiver has', async () => {
    await say(1, 3);
    const sink = await ship();
    const [segment] = spool.segments.all;
    await spool.close();
    await rm(segment?.path ?? '');
    await open();
    await say(4, 4);
    await ship('spec', sink);
    expect(sink.taken.map(({ id }) => id)).toEqual(range(1, 4).map((n) => `log-${spool.id}-${n}`));
  });

  it('throws into nobody while the disk fails; keeps a bounded part, counts the rest, and says so once', async () => {
    await reopen({ segmentBytes: 1, mostWaitingBytes: 300 });
    await say(1, 1);
    const reader = await spool.reader('spec');
    await rename(join(dir, 'operational'), join(dir, 'away'));
    await say(2, 30);
    expect(said.filter((message) => message.includes('cannot be kept'))).toHaveLength(1);
    await rename(join(dir, 'away'), join(dir, 'operational'));
    await spool.flush();
    const sink = new SpecSink();
    await shipper(reader, sink).round();
    const numbers = sink.numbers.filter((n) => n !== undefined);
    expect(numbers).toEqual(range(1, numbers.length));
    expect(sink.counts).toEqual([30 - numbers.length]);
  });

  it('counts a line that is far too long', async () => {
    spool.accept(`{"msg":"${'x'.repeat(70_000)}"}\n`);
    await say(1, 1);
    const sink = await ship();
    expect(sink.counts).toEqual([1]);
    expect(sink.numbers).toContain(1);
  });

  it('goes on by itself in rounds, tells an outage once and its end, and stops in the middle of one', async () => {
    const heard = new Log('info', { write: () => true });
    const leave = heard.tee((text) => spool.accept(text));
    const sink = new SpecSink();
    sink.refuses = true;
    const one = new OperationalShipper({ reader: await spool.reader('spec'), sink, log: heard, everyMs: 1 });
    heard.error('the first', { count: 1 });
    const tried = new Promise<void>((resolve) => (sink.onSend = () => sink.tries === 3 && resolve()));
    one.start();
    await tried;
    const again = new Promise<void>((resolve) => (sink.onSend = () => sink.taken.length >= 2 && resolve()));
    sink.refuses = false;
    await again;
    await one.stop();
    leave();
    const messages = sink.taken.map(({ text }) => (JSON.parse(text) as { msg: string }).msg);
    expect(messages.slice(0, 3)).toEqual([
      'the first',
      'lines of the operational log cannot be shipped',
      'lines of the operational log are shipped again',
    ]);
  });

  it('is readable by the instance alone', async () => {
    await say(1, 1);
    await ship();
    for (const name of await readdir(join(dir, 'operational')))
      expect(((await stat(join(dir, 'operational', name))).mode & 0o777).toString(8)).toBe('600');
  });
});
