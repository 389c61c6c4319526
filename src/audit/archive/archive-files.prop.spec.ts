import { fc, it } from '@fast-check/vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect } from 'vitest';
import { type ArchiveReader, readArchive } from './archive-reader.js';
import { ArchiveWriter } from './archive-writer.js';
import { FILES } from './manifest.js';
import { bundle } from './write-archive.js';

const dir = mkdtempSync(join(tmpdir(), 'gatehouse-archive-files-'));
let made = 0;
afterAll(() => rmSync(dir, { recursive: true }));

/** The files of an archive, whatever the hashes in it. */
async function archiveOf(records: readonly Buffer[], notes: readonly string[]): Promise<ArchiveReader> {
  const target = join(dir, String((made += 1)));
  const writer = await ArchiveWriter.begin(target);
  await writer.add('tile/entries/000', bundle(records.map((bytes) => ({ bytes }))));
  await writer.grow(FILES.checkpoints, async (write) => {
    for (const note of notes) await write(Buffer.from(`${note}\n`));
  });
  await writer.add(FILES.checkpoint, Buffer.from(notes.at(-1) ?? ''));
  await writer.add(FILES.keys, Buffer.from(''));
  const at = '2026-03-10T08:00:00.000Z';
  const told = { root: '00'.repeat(32), checkpointSize: 256, earliest: at, latest: at, kinds: {} };
  await writer.finish({ version: 1, origin: 'gatehouse.local/log', first: 0, past: 256, ...told });
  return readArchive(target);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const notes = fc.array(
  fc.tuple(fc.nat(), fc.base64String({ minLength: 4, maxLength: 400 })).map(
    // Longer than what is read at once, taken together, and not of one byte a character.
    ([size, signature]) => `gatehouse.local/log\n${size}\nAAAA\n\n— gatehouse.local/log ${signature}\n`,
  ),
  { minLength: 1, maxLength: 800, size: 'max' },
);
const records = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(0, 1, 255, 256, 65_535))
  .map(([bytes, length]) =>
    Array.from({ length: 256 }, (_, n) => (n === 7 ? Buffer.alloc(length, n) : Buffer.from(bytes))),
  );

describe('the files of an archive', () => {
  it.prop([records, notes], { numRuns: 15 })('are read as they were written', async (given, signed) => {
    const archive = await archiveOf(given, signed);
    const entries = await all(archive.entries());
    expect(entries.map(({ seq }) => seq)).toEqual(given.map((_, n) => n));
    expect(Buffer.concat(entries.map(({ bytes }) => bytes)).equals(Buffer.concat(given))).toBe(true);
    expect((await all(archive.entries(7, 8)))[0]?.bytes).toEqual(given[7]);
    expect(await all(archive.checkpoints())).toEqual(signed);
    expect(archive.checkpointNote).toBe(signed.at(-1));
  });
});
