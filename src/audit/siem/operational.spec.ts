import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Log, SystemClock } from '../../platform/index.js';
import { shipOperationalLog } from './operational.js';
import type { Sink } from './sink.js';
import {
  httpFake,
  type HttpFake,
  octetCountedFrames,
  type SpecCertificates,
  specCertificates,
  tlsFake,
  type TlsFake,
} from './testing/receivers.js';
import { httpsCollector } from './transports/https-collector.js';
import { syslog } from './transports/syslog.js';

describe('the operational log at two receivers, of which one is away for a time', () => {
  let dir: string;
  let files: SpecCertificates;
  let collector: HttpFake;
  let receiver: TlsFake;
  let sinks: Sink[];
  let away = true;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gatehouse-operational-'));
    files = await specCertificates();
    collector = await httpFake(files, () => ({ status: away ? 503 : 200 }));
    receiver = await tlsFake(files);
    sinks = [
      httpsCollector({ name: 'collector', url: collector.url, caFile: files.caFile }),
      syslog({ name: 'syslog', url: receiver.url, caFile: files.caFile, bom: false }),
    ];
  });
  afterAll(async () => {
    for (const sink of sinks) await sink.close();
    await collector.stop();
    await receiver.stop();
    files.remove();
    await rm(dir, { recursive: true, force: true });
  });

  const messages = (lines: readonly string[]): string[] =>
    lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  const atSyslog = (): string[] => {
    const frames = Array.from({ length: receiver.connections }, (_, n) => octetCountedFrames(receiver.received(n + 1)));
    return messages(frames.flat().map((frame) => frame.slice(frame.indexOf('] {') + 2)));
  };
  const atCollector = (): string[] => messages(collector.arrived.at(-1)?.body.trimEnd().split('\n') ?? []);
  const come = async (there: () => boolean): Promise<void> => {
    while (!there()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('reaches the one at once, and the other after a restart, in order', async () => {
    const log = new Log('info', { write: () => true });
    const parts = { log, clock: new SystemClock(), dir: join(dir, 'operational'), sinks, everyMs: 5 };
    const first = await shipOperationalLog(parts);
    log.info('one');
    log.info('two');
    await come(() => receiver.connections > 0 && atSyslog().includes('two') && collector.arrived.length > 1);
    await first.stop();
    log.info('unheard');
    away = false;
    const second = await shipOperationalLog(parts);
    log.info('three');
    await come(() => atSyslog().includes('three') && collector.arrived.some(({ body }) => body.includes('three')));
    await second.stop();
    const wanted = ['one', 'two', 'lines of the operational log cannot be shipped', 'three'];
    // At least once: a stop in the instant of a shipment has it sent again.
    expect([...new Set(atSyslog())].filter((message) => wanted.includes(message))).toEqual(wanted);
    expect(atSyslog()).not.toContain('unheard');
    const last = atCollector();
    expect(last.at(-1)).toBe('three');
    expect(collector.arrived.at(-1)?.headers['gatehouse-kind']).toBe('operational');
  });
});
