import { openCheckpoint, parseCheckpoint } from '../checkpoints/checkpoint.js';
import type { LogStore } from '../checkpoints/log-store.js';
import { noteVerifier } from '../checkpoints/note.js';
import { Frontier, HASH_BYTES, leafHash } from '../tree/merkle.js';
import { MissingTile, TILE_WIDTH, type TileKey, tileName, TileTree } from '../tree/tile-tree.js';
import type { ArchiveReader } from './archive-reader.js';
import { BadArchive } from './errors.js';
import { FILES, INSTANT_BYTES, tileOf } from './manifest.js';
import { Tally } from './tally.js';
import type { Progress } from './write-archive.js';

const TILES_AT_ONCE = 16;

/** What of the log an archive is held to. */
type KnownLog = Pick<LogStore, 'tiles' | 'keys'>;

/**
 * Reads the whole archive from the disk and recomputes every hash in it: files against the manifest, entries against tiles, tiles against
 * those of the database, which stay there, and the root under the checkpoint's signature by a key that the database knows.
 * @throws BadArchive at the first thing that is wrong
 */
export async function checkArchive(
  archive: ArchiveReader,
  known: KnownLog,
  onProgress: Progress = () => undefined,
): Promise<void> {
  const [strange] = await archive.strangers();
  if (strange !== undefined) throw new BadArchive(`${strange} is not in its manifest`);
  try {
    await checkTiles(archive, known);
    await checkEntries(archive, onProgress);
    await checkInstants(archive);
    await checkCheckpoints(archive, known);
  } catch (error) {
    throw error instanceof TypeError || error instanceof MissingTile ? new BadArchive(error.message) : error;
  }
}

async function checkTiles(archive: ArchiveReader, known: KnownLog): Promise<void> {
  const keys = archive.manifest.files.flatMap(({ path }): TileKey[] => {
    const tile = tileOf(path);
    return tile === undefined || tile.level === 'entries' ? [] : [{ level: tile.level, index: tile.index }];
  });
  for (let at = 0; at < keys.length; at += TILES_AT_ONCE) {
    const some = keys.slice(at, at + TILES_AT_ONCE);
    const [ours, theirs] = [await archive.tiles(some), await known.tiles(some)];
    for (const key of some) {
      const hashes = ours.get(tileName(key));
      if (hashes === undefined || theirs.get(tileName(key))?.subarray(0, hashes.length).equals(hashes) !== true)
        throw new BadArchive(`its tile ${tileName(key)} is not the one of the log`);
    }
  }
}

/** Leaves from the entries and nodes from the leaves: as far as they are whole in the archive, each must be in its tile. */
async function checkEntries(archive: ArchiveReader, onProgress: Progress): Promise<void> {
  const { first, past, earliest, latest, kinds } = archive.manifest;
  const tally = new Tally();
  let nodes: { level: number; index: number; hash: Buffer }[] = [];
  const frontier = new Frontier((level, index, hash) => {
    // Counted from the first record: the same node as in the log only where that begins one of this level.
    if (level % 8 === 0 && first % 2 ** level === 0)
      nodes.push({ level: level / 8, index: first / 2 ** level + index, hash });
  });
  for await (const { seq, bytes } of archive.entries()) {
    tally.add(bytes);
    frontier.add(leafHash(bytes));
    if ((seq + 1) % TILE_WIDTH !== 0) continue;
    await checkNodes(archive, nodes);
    nodes = [];
    onProgress(seq + 1 - first, past - first);
  }
  if (JSON.stringify(tally.result()) !== JSON.stringify({ earliest, latest, kinds }))
    throw new BadArchive('its manifest counts other records');
}

async function checkNodes(archive: ArchiveReader, nodes: { level: number; index: number; hash: Buffer }[]) {
  const tiles = new Map<string, Buffer | undefined>();
  for (const { level, index, hash } of nodes) {
    const key = { level, index: Math.floor(index / TILE_WIDTH) };
    const name = tileName(key);
    if (!tiles.has(name)) tiles.set(name, await archive.tile(key.level, key.index));
    const at = (index % TILE_WIDTH) * HASH_BYTES;
    if (
      tiles
        .get(name)
        ?.subarray(at, at + HASH_BYTES)
        .equals(hash) === true
    )
      continue;
    throw new BadArchive(level === 0 ? `record ${index} is not the one in the tree` : `its tile ${name} is wrong`);
  }
}

async function checkInstants(archive: ArchiveReader): Promise<void> {
  let bytes = 0;
  for await (const piece of archive.pieces(FILES.recordedAt)) bytes += piece.length;
  if (bytes !== (archive.manifest.past - archive.manifest.first) * INSTANT_BYTES)
    throw new BadArchive(`${FILES.recordedAt} is not of its records`);
}

async function checkCheckpoints(archive: ArchiveReader, known: KnownLog): Promise<void> {
  const { origin, first, past, root, checkpointSize } = archive.manifest;
  const tree = new TileTree(archive);
  const keys = (await known.keys()).map(noteVerifier).filter(({ name }) => name === origin);
  const covering = openCheckpoint(archive.checkpointNote, origin, keys);
  if (covering.size !== checkpointSize || covering.size < past)
    throw new BadArchive('its checkpoint is of another size');
  if (!(await tree.root(covering.size)).equals(covering.root))
    throw new BadArchive('its tiles do not give the root of its checkpoint');
  if ((await tree.root(past)).toString('hex') !== root) throw new BadArchive('its tiles do not give its root');
  let size = first;
  let last = '';
  for await (const note of archive.checkpoints()) {
    const next = parseCheckpoint(note).size;
    if (next <= size) throw new BadArchive('its checkpoints are not in order');
    [size, last] = [next, note];
  }
  if (last !== archive.checkpointNote) throw new BadArchive('its checkpoints do not end with the one that covers it');
}
