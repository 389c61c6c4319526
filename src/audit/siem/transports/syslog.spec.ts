import { fc, test } from '@fast-check/vitest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../platform/index.js';
import {
  never,
  octetCountedFrames,
  shippedLine,
  shippedLines,
  type SpecCertificates,
  specCertificates,
  tlsFake,
  type TlsFake,
} from '../testing/receivers.js';
import { octetCounted, syslogHostname, syslogMessage } from './rfc5424.js';
import { syslog, type SyslogOptions } from './syslog.js';

const FORMAT = { hostname: 'gate-1', enterpriseNumber: 32473, bom: true, mostBytes: 65_536 };

describe('a message of RFC 5424', () => {
  it('names the facility log audit, the instant, the source, the record and UTF-8', () => {
    const line = shippedLine(7, { severity: 'medium' });
    expect(syslogMessage('records', line, FORMAT).toString()).toBe(
      `<108>1 2026-03-10T08:00:00.130Z gate-1 gatehouse - record [gatehouse@32473 seq="7" id="${line.id}"] \ufeff${line.text}`,
    );
  });

  it('marks statements and operational lines, and leaves the byte order mark out where told', () => {
    const { seq: _seq, ...statement } = shippedLine(1, { id: 'batch-1-9', severity: 'high', text: 'CEF:0' });
    const plain = { ...FORMAT, bom: false, enterpriseNumber: 1 };
    expect(syslogMessage('records', statement, plain).toString()).toMatch(
      /^<107>1 .* - statement \[gatehouse@1 id="batch-1-9"\] CEF:0$/,
    );
    expect(syslogMessage('operational', statement, plain).toString()).toContain(' - log [');
  });

  it('escapes what ends a parameter', () => {
    const line = shippedLine(1, { id: 'a"b\\c]d' });
    expect(syslogMessage('records', line, FORMAT).toString()).toContain(String.raw`id="a\"b\\c\]d"]`);
  });

  it('keeps to printable ASCII in the name of the host', () => {
    expect(syslogHostname('gäte way.example')).toBe('gteway.example');
    expect(syslogHostname('日本')).toBe('-');
  });

  test.prop([fc.string({ unit: 'grapheme', minLength: 200, maxLength: 400 }), fc.integer({ min: 200, max: 500 })])(
    'says so when it cuts, keeps to the limit and tears no character',
    (text, mostBytes) => {
      const message = syslogMessage('records', shippedLine(1, { text }), { ...FORMAT, mostBytes });
      const whole = syslogMessage('records', shippedLine(1, { text }), FORMAT);
      expect(message.length).toBeLessThanOrEqual(mostBytes);
      if (whole.length <= mostBytes) {
        expect(message).toEqual(whole);
        return;
      }
      const [head, cut] = message.toString().split('\ufeff', 2);
      expect(head).toContain(`cut="${Buffer.byteLength(text)}"`);
      expect(Buffer.from(message.toString())).toEqual(message);
      expect(text.split('\ufeff', 1)[0]?.startsWith(cut ?? '?')).toBe(true);
    },
  );

  it('is framed by its octets, not its characters', () => {
    expect(octetCounted(Buffer.from('é✓')).toString()).toBe('5 é✓');
  });
});

describe('syslog over TLS', () => {
  let files: SpecCertificates;
  let fake: TlsFake | undefined;
  beforeAll(async () => {
    files = await specCertificates();
  });
  afterAll(() => files.remove());
  afterEach(async () => {
    await fake?.stop();
    fake = undefined;
  });
  const sink = (over: Partial<SyslogOptions> = {}) =>
    syslog({ name: 'syslog', url: fake?.url ?? '', caFile: files.caFile, host: 'gate-1', ...over });
  const records = { kind: 'records', lines: shippedLines(300) } as const;

  it('has every line with the receiver when it resolves, octets counted', async () => {
    fake = await tlsFake(files);
    await sink().send(records, never);
    const frames = octetCountedFrames(fake.received(1));
    expect(frames.map((frame) => frame.split('\ufeff')[1])).toEqual(records.lines.map(({ text }) => text));
  });

  it('waits for a receiver that reads slowly', async () => {
    let readAll = false;
    fake = await tlsFake(files, (socket) => {
      socket.pause();
      setTimeout(() => socket.resume(), 150);
      socket.on('end', () => (readAll = true));
    });
    const lines = shippedLines(40).map((line) => ({ ...line, text: `{"x":"${'é'.repeat(20_000)}"}` }));
    await sink().send({ kind: 'records', lines }, never);
    expect(readAll).toBe(true);
    expect(octetCountedFrames(fake.received(1))).toHaveLength(40);
  });

  it('rejects when the connection is cut in mid batch, and sends everything again', async () => {
    fake = await tlsFake(files, (socket, n) => {
      if (n === 1) socket.once('data', () => socket.destroy());
    });
    const lines = shippedLines(200).map((line) => ({ ...line, text: `{"x":"${'y'.repeat(20_000)}"}` }));
    const one = sink();
    await expect(one.send({ kind: 'records', lines }, never)).rejects.toMatchObject({ name: 'ReceiverFailure' });
    await one.send({ kind: 'records', lines }, never);
    expect(octetCountedFrames(fake.received(2))).toHaveLength(200);
  });

  it('does not believe a receiver that closes first', async () => {
    fake = await tlsFake(files, (socket) => socket.end());
    await expect(sink().send({ kind: 'records', lines: shippedLines(1) }, never)).rejects.toMatchObject({
      code: expect.stringMatching(/closed-early|ECONNRESET|EPIPE/) as string,
    });
  });

  it('rejects when the receiver never comes to the end', async () => {
    fake = await tlsFake(files, (socket) => {
      socket.allowHalfOpen = true;
    });
    await expect(sink({ timeoutMs: 200 }).send(records, never)).rejects.toMatchObject({ code: 'timeout' });
  });

  it('is not troubled by a receiver that talks', async () => {
    fake = await tlsFake(files, (socket) => socket.write('x'.repeat(200_000)));
    await sink().send(records, never);
    expect(octetCountedFrames(fake.received(1))).toHaveLength(300);
  });

  it('trusts the authority it was given and no other, and sends nothing before', async () => {
    fake = await tlsFake(files);
    await expect(sink({ caFile: files.otherCaFile }).send(records, never)).rejects.toMatchObject({
      code: expect.stringMatching(/SIGNATURE|CERT/) as string,
    });
    expect(fake.received(1)).toHaveLength(0);
  });

  it('proves itself by its certificate, and sees it when it is not taken', async () => {
    fake = await tlsFake(files, undefined, files.clientCertFile);
    await sink({ certFile: files.clientCertFile, keyFile: files.clientKeyFile }).send(records, never);
    expect(fake.connections).toBe(1);
    await expect(sink().send(records, never)).rejects.toMatchObject({ name: 'ReceiverFailure' });
  });

  it('ends when it is told to, and when it is closed', async () => {
    fake = await tlsFake(files, (socket) => {
      socket.allowHalfOpen = true;
    });
    const stop = new AbortController();
    const told = sink().send(records, stop.signal);
    while (fake.connections === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await expect(told).rejects.toMatchObject({ code: 'aborted' });
    const one = sink();
    const sent = one.send(records, never);
    while (fake.connections === 1) await new Promise((resolve) => setImmediate(resolve));
    await one.close();
    await expect(sent).rejects.toMatchObject({ name: 'ReceiverFailure' });
  });

  it.each(['tcp://siem.example:514', 'https://siem.example', 'siem.example:6514', 'tls://'])('refuses %s', (url) => {
    expect(() => syslog({ name: 'syslog', url })).toThrow(ConfigError);
  });
});
