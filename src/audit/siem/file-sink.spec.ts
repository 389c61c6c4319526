import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSink } from './file-sink.js';
import type { Shipment } from './sink.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gatehouse-sink-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const shipment = (...texts: string[]): Shipment => ({
  kind: 'records',
  lines: texts.map((text, n) => ({ id: `${n}`, atMs: 0, severity: 'info', text, seq: n })),
});
const { signal } = new AbortController();
const sinkTo = (path: string, rotateAt = 1_000_000, keep?: number): FileSink =>
  new FileSink({ name: 'file', path, rotateAt, keep });

describe('a file', () => {
  it('takes lines in order, for its owner alone', async () => {
    const path = join(dir, 'deep', 'siem.jsonl');
    const sink = sinkTo(path);
    await sink.send(shipment('{"a":1}', '{"a":2}'), signal);
    await sink.send(shipment('{"a":3}'), signal);
    expect(await readFile(path, 'utf8')).toBe('{"a":1}\n{"a":2}\n{"a":3}\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await sink.close();
  });

  it('is not gone on with in the middle of a line that a crash left', async () => {
    const path = join(dir, 'siem.jsonl');
    await writeFile(path, 'whole\nhal');
    await sinkTo(path).send(shipment('next'), signal);
    expect(await readFile(path, 'utf8')).toBe('whole\nhal\nnext\n');
  });

  it('is set aside under the next number when it is full, and nothing is deleted', async () => {
    const path = join(dir, 'siem.jsonl');
    const sink = sinkTo(path, 10);
    await writeFile(`${path}.000041`, '');
    await writeFile(`${path}.tmp`, '');
    for (const text of ['1234567890', 'abcdefghij', 'short']) await sink.send(shipment(text), signal);
    expect((await readdir(dir)).sort()).toEqual([
      'siem.jsonl',
      'siem.jsonl.000041',
      'siem.jsonl.000042',
      'siem.jsonl.000043',
      'siem.jsonl.tmp',
    ]);
    expect(await readFile(`${path}.000043`, 'utf8')).toBe('abcdefghij\n');
    expect(await readFile(path, 'utf8')).toBe('short\n');
  });

  it('keeps as many files as it is told to', async () => {
    const path = join(dir, 'siem.jsonl');
    const sink = sinkTo(path, 1, 2);
    for (const text of ['1', '2', '3', '4']) await sink.send(shipment(text), signal);
    expect((await readdir(dir)).sort()).toEqual(['siem.jsonl.000003', 'siem.jsonl.000004']);
  });

  it('does not acknowledge what it could not write', async () => {
    const path = join(dir, 'siem.jsonl');
    await appendFile(join(dir, 'file'), '');
    await expect(sinkTo(join(dir, 'file', 'x')).send(shipment('1'), signal)).rejects.toThrow();
    await expect(sinkTo(path).send(shipment('1'), AbortSignal.abort())).rejects.toThrow();
    expect(await readdir(dir)).toEqual(['file']);
  });
});
