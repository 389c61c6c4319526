import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesOf, readSiemLine } from './siem-lines.js';

const MEBIBYTE = 1024 * 1024;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gatehouse-lines-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function read(text: string): Promise<string[]> {
  const path = join(dir, 'export');
  await writeFile(path, text);
  const lines: string[] = [];
  for await (const line of linesOf(path)) lines.push(line);
  return lines;
}

describe('lines of a file', () => {
  it('end at a line feed and nowhere else, also across chunks and in the middle of a letter', async () => {
    const lines = ['a\u2028b\u0085c\rd', 'x'.repeat(MEBIBYTE - 12), '🦊'.repeat(50), ''];
    expect(await read(lines.join('\n'))).toEqual(lines);
  });

  it('that are longer than any of ours come empty, and the next one whole', async () => {
    expect(await read(`first\n${'x'.repeat(3 * MEBIBYTE)}\nlast`)).toEqual(['first', '', 'last']);
  });
});

describe('a line of others', () => {
  it.each([
    '{"class_uid":6003,"metadata":{"product":{"name":"Other"},"log_name":"l","sequence":1},"raw_data":"{}"}',
    '{"class_uid":6003,"metadata":{"product":{"name":"Gatehouse"},"log_name":"l"},"raw_data":"{}"}',
    '{"class_uid":6003,"metadata":{"product":{"name":"Gatehouse"},"log_name":"l","sequence":-1},"raw_data":"{}"}',
    '{"class_uid":6003}',
    '{"event":{"event":{"event":{"event":{"event":{"class_uid":6003}}}}}}',
    'CEF:0|Gatehouse|Gatehouse|1|call|x|2|cs2=l cn1=x rawEvent={}',
    'CEF:0|Gatehouse|Gatehouse|1|batch|x|2|cs2=l cs1={"first":1,"past":1}',
    '[1,2]',
    'null',
  ])('is passed over: %s', (line) => {
    expect(readSiemLine(line)).toBeUndefined();
  });
});
