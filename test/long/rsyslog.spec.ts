import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ShippedLine, Sink } from '../../src/audit/siem/sink.js';
import {
  never,
  shippedLine,
  shippedLines,
  type SpecCertificates,
  specCertificates,
} from '../../src/audit/siem/testing/receivers.js';
import { syslog, type SyslogOptions } from '../../src/audit/siem/transports/syslog.js';
import { writeMeasured } from '../support/measured.js';
import { type Parsed, type Rsyslog, type RsyslogFiles, startRsyslog } from '../support/rsyslog.js';
import { until as untilWithin } from '../support/system.js';

const BOM = '\ufeff';
/** Restarts take their time on a busy machine. */
const until = (ask: () => Promise<boolean>): Promise<boolean> => untilWithin(ask, 60_000);

describe('a real rsyslogd', () => {
  let dir: string;
  let certificates: SpecCertificates;
  let files: RsyslogFiles;
  let rsyslog: Rsyslog;
  let sink: Sink;
  beforeAll(async () => {
    certificates = await specCertificates();
  });
  afterAll(() => certificates.remove());
  afterEach(async () => {
    await sink?.close();
    await rsyslog?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function open(over: Partial<SyslogOptions> = {}): Promise<void> {
    dir = mkdtempSync(join(tmpdir(), 'gatehouse-rsyslog-'));
    const caFile = join(dir, 'senders.pem');
    writeFileSync(
      caFile,
      readFileSync(certificates.caFile, 'utf8') + readFileSync(certificates.clientCertFile, 'utf8'),
    );
    files = { caFile, certFile: certificates.certFile, keyFile: certificates.keyFile };
    rsyslog = await startRsyslog(dir, files);
    sink = syslog({
      name: 'rsyslog',
      url: rsyslog.url,
      caFile: certificates.caFile,
      certFile: certificates.clientCertFile,
      keyFile: certificates.clientKeyFile,
      host: 'gate-1.bank.example',
      ...over,
    });
  }
  const arrived = async (count: number): Promise<Parsed[]> => {
    await until(async () => rsyslog.parsed().length >= count);
    return rsyslog.parsed();
  };
  const idOf = ({ sd }: Parsed): string => / id="([^"]+)"/.exec(sd)?.[1] ?? '';

  it('parses every line, OCSF and CEF, and has each once', async () => {
    await open();
    const lines: ShippedLine[] = Array.from({ length: 600 }, (_, n) =>
      shippedLine(n + 1, {
        severity: (['info', 'low', 'medium', 'high'] as const)[n % 4] ?? 'info',
        text:
          n % 2 === 0
            ? JSON.stringify({
                class_uid: 6003,
                message: `line ${n}\nof two — Zoë ✓ 日本 😀`,
                unmapped: { n, quote: '"' },
              })
            : String.raw`CEF:0|Gatehouse|gateway|1|call|Call \| denied|3|cn1=${n} msg=a\=b\nc — Zoë ✓`,
      }),
    );
    const large = shippedLine(601, { text: JSON.stringify({ class_uid: 6003, message: 'é'.repeat(25_000) }) });
    const { seq: _seq, ...statement } = shippedLine(602, { id: 'batch-1-602' });
    for (let from = 0; from < lines.length; from += 150)
      await sink.send({ kind: 'records', lines: lines.slice(from, from + 150) }, never);
    await sink.send({ kind: 'records', lines: [large, statement] }, never);
    await sink.send({ kind: 'operational', lines: [{ ...statement, id: 'log-1', text: '{"level":"warn"}' }] }, never);

    const parsed = await arrived(603);
    expect(parsed).toHaveLength(603);
    const records = [...lines, large];
    expect(parsed.slice(0, 601)).toEqual(
      records.map((line) => ({
        pri: String(13 * 8 + { info: 6, low: 5, medium: 4, high: 3 }[line.severity]),
        timestamp: new Date(line.atMs).toISOString(),
        hostname: 'gate-1.bank.example',
        app: 'gatehouse',
        msgid: 'record',
        sd: `[gatehouse@32473 seq="${line.seq}" id="${line.id}"]`,
        msg: BOM + line.text,
      })),
    );
    expect(parsed.slice(601).map(({ msgid, sd }) => [msgid, sd])).toEqual([
      ['statement', '[gatehouse@32473 id="batch-1-602"]'],
      ['log', '[gatehouse@32473 id="log-1"]'],
    ]);
  });

  it('misses nothing while it is restarted again and again: a shipment that was not taken is sent again', async () => {
    await open({ timeoutMs: 5_000 });
    const shipments = Array.from({ length: 120 }, (_, n) => shippedLines(25, n * 25 + 1));
    let sent = 0;
    let refused = 0;
    const shipping = (async () => {
      for (const lines of shipments) {
        await until(async () => {
          try {
            await sink.send({ kind: 'records', lines }, never);
            return true;
          } catch {
            refused += 1;
            return false;
          }
        });
        sent += 1;
      }
    })();
    for (let restart = 1; restart <= 3; restart += 1) {
      await until(async () => sent >= restart * 25);
      await rsyslog.stop();
      rsyslog = await startRsyslog(dir, files, Number(new URL(rsyslog.url).port));
    }
    await shipping;
    const wanted = shipments.flat().map(({ id }) => id);
    await until(async () => new Set(rsyslog.parsed().map(idOf)).size >= wanted.length);
    const got = rsyslog.parsed().map(idOf);
    expect([...new Set(got)].sort()).toEqual(wanted);
    expect(refused).toBeGreaterThan(0);
    writeMeasured('syslog', { lines: wanted.length, restarts: 3, refused, doubles: got.length - wanted.length });
  });

  it('is not spoken to when another authority has signed its certificate', async () => {
    await open({ caFile: certificates.otherCaFile });
    await expect(sink.send({ kind: 'records', lines: shippedLines(3) }, never)).rejects.toMatchObject({
      name: 'ReceiverFailure',
    });
    expect(rsyslog.parsed()).toEqual([]);
  });

  it('takes nothing from a sender without a certificate, and the sender sees it', async () => {
    await open({ certFile: undefined, keyFile: undefined });
    await expect(sink.send({ kind: 'records', lines: shippedLines(3) }, never)).rejects.toMatchObject({
      name: 'ReceiverFailure',
    });
    expect(rsyslog.parsed()).toEqual([]);
  });
});
