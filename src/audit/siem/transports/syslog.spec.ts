import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../platform/index.js';
import {
  never,
  octetCountedFrames,
  shippedLines,
  type SpecCertificates,
  specCertificates,
  tlsFake,
  type TlsFake,
  UNNAMED_HOST,
} from '../testing/receivers.js';
import { syslog, type SyslogOptions } from './syslog.js';

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

  it('speaks to no host that the certificate does not name', async () => {
    fake = await tlsFake(files, undefined, { host: UNNAMED_HOST });
    await expect(sink().send(records, never)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    expect(fake.received(1)).toHaveLength(0);
  });

  it('speaks TLS 1.2 and nothing older', async () => {
    fake = await tlsFake(files, undefined, { maxVersion: 'TLSv1.2' });
    await sink().send(records, never);
    await fake.stop();
    fake = await tlsFake(files, undefined, { maxVersion: 'TLSv1.1' });
    await expect(sink().send(records, never)).rejects.toMatchObject({
      code: expect.stringMatching(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/) as string,
    });
  });

  it('proves itself by its certificate, and sees it when it is not taken', async () => {
    fake = await tlsFake(files, undefined, { clientCa: files.clientCertFile });
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
