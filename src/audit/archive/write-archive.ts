import { isSigned, parseCheckpoint } from '../checkpoints/checkpoint.js';
import type { LogStore } from '../checkpoints/log-store.js';
import { noteVerifier } from '../checkpoints/note.js';
import { HASH_BYTES } from '../tree/merkle.js';
import { tilePath } from '../tree/tile-path.js';
import { MissingTile, TILE_WIDTH, type TileKey, tileName, TileTree } from '../tree/tile-tree.js';
import { tileWidth } from './archive-reader.js';
import type { ArchiveSource, SourceRecord, Span } from './archive-source.js';
import { ArchiveWriter } from './archive-writer.js';
import { BadArchive } from './errors.js';
import { FILES, INSTANT_BYTES } from './manifest.js';
import { Tally } from './tally.js';

export type Progress = (done: number, of: number) => void;

/** Four bundles a statement: a megabyte of usual records, 64 of the largest that there can be. */
const CHUNK = 4 * TILE_WIDTH;
const TILES_AT_ONCE = 16;
const MOST_LEVEL = 7;

/**
 * Writes the archive of a run of whole tiles that a checkpoint covers: a part of the log in the C2SP tlog-tiles layout, with every tile
 * that proves its records under that checkpoint.
 * @param target the archive's folder, which must not be there yet
 * @returns SHA-256 of its manifest, hex
 */
export async function writeArchive(
  { source, store }: { source: ArchiveSource; store: LogStore },
  { first, past }: Span,
  target: string,
  onProgress: Progress = () => undefined,
): Promise<string> {
  const covering = await coveringOf(store, past);
  const writer = await ArchiveWriter.begin(target);
  const told = await writeRecords(source, writer, { first, past }, onProgress);
  const { keys, root } = await tilesOf(store, { first, past }, covering.size);
  await writeTiles(store, writer, keys, covering.size);
  await writeCheckpoints(source, writer, first, covering.size);
  await writer.add(FILES.checkpoint, Buffer.from(covering.note));
  await writer.add(FILES.keys, Buffer.from((await store.keys()).map((key) => `${key}\n`).join('')));
  return writer.finish({
    version: 1,
    origin: parseCheckpoint(covering.note).origin,
    first,
    past,
    root: root.toString('hex'),
    checkpointSize: covering.size,
    ...told,
  });
}

/** The first checkpoint over the records that a key of the log has signed: a note that was refused covers nothing. */
async function coveringOf(store: LogStore, past: number): Promise<{ size: number; note: string }> {
  const keys = (await store.keys()).map(noteVerifier);
  for (let from = past; ;) {
    const covering = await store.checkpointFrom(from);
    if (covering === undefined) throw new BadArchive('no checkpoint covers its records');
    if (isSigned(covering.note, keys)) return covering;
    from = covering.size + 1;
  }
}

async function writeRecords(source: ArchiveSource, writer: ArchiveWriter, { first, past }: Span, progress: Progress) {
  const tally = new Tally();
  await writer.grow(FILES.recordedAt, async (write) => {
    for (let from = first; from < past; from += CHUNK) {
      const records = await source.records({ first: from, past: Math.min(from + CHUNK, past) });
      if (records.length !== Math.min(CHUNK, past - from)) throw new BadArchive('records are missing from the log');
      for (let at = 0; at < records.length; at += TILE_WIDTH) {
        const name = { level: 'entries' as const, index: (from + at) / TILE_WIDTH, width: TILE_WIDTH };
        await writer.add(`tile/${tilePath(name)}`, bundle(records.slice(at, at + TILE_WIDTH)));
      }
      for (const { bytes } of records) tally.add(bytes);
      await write(instants(records));
      progress(from + records.length - first, past - first);
    }
  });
  return tally.result();
}

function instants(records: readonly SourceRecord[]): Buffer {
  const bytes = Buffer.alloc(records.length * INSTANT_BYTES);
  records.forEach(({ recordedAt }, n) => bytes.writeBigInt64BE(recordedAt, n * INSTANT_BYTES));
  return bytes;
}

/** Each entry behind its length in two bytes (C2SP tlog-tiles, "Log entries"). */
export function bundle(records: readonly Pick<SourceRecord, 'bytes'>[]): Buffer {
  return Buffer.concat(
    records.flatMap(({ bytes }) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/**
 * The tiles over the records at every level, which hold the siblings to their left and the whole ones to their right, and those that the
 * roots at the end of the records and of the checkpoint are made of, which hold what is beyond.
 */
async function tilesOf(
  store: LogStore,
  { first, past }: Span,
  size: number,
): Promise<{ keys: TileKey[]; root: Buffer }> {
  const keys = new Map<string, TileKey>();
  const note = (key: TileKey): unknown => keys.set(tileName(key), key);
  for (let level = 0; level <= MOST_LEVEL; level += 1) {
    const span = TILE_WIDTH ** (level + 1);
    for (let index = Math.floor(first / span); index * span < past; index += 1)
      if (tileWidth({ level, index }, size) > 0) note({ level, index });
  }
  const noting = new TileTree({
    tiles: (asked) => {
      asked.forEach(note);
      return store.tiles(asked);
    },
  });
  await noting.root(size);
  return { root: await noting.root(past), keys: [...keys.values()] };
}

async function writeTiles(store: LogStore, writer: ArchiveWriter, keys: TileKey[], size: number): Promise<void> {
  for (let at = 0; at < keys.length; at += TILES_AT_ONCE) {
    const some = keys.slice(at, at + TILES_AT_ONCE);
    const tiles = await store.tiles(some);
    for (const key of some) {
      const width = tileWidth(key, size);
      const hashes = tiles.get(tileName(key))?.subarray(0, width * HASH_BYTES);
      if (hashes?.length !== width * HASH_BYTES) throw new MissingTile(key);
      await writer.add(`tile/${tilePath({ ...key, width })}`, hashes);
    }
  }
}

async function writeCheckpoints(source: ArchiveSource, writer: ArchiveWriter, after: number, to: number) {
  await writer.grow(FILES.checkpoints, async (write) => {
    for await (const page of source.checkpoints(after, to))
      await write(Buffer.from(page.map((note) => `${note}\n`).join('')));
  });
}
