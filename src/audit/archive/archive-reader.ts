import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HASH_BYTES } from '../tree/merkle.js';
import { tilePath } from '../tree/tile-path.js';
import { TILE_WIDTH, type TileKey, tileName, type TileSource } from '../tree/tile-tree.js';
import { filesBelow } from './archive-writer.js';
import { BadArchive } from './errors.js';
import { type ArchivedFile, FILES, INSTANT_BYTES, MANIFEST, type Manifest, parseManifest } from './manifest.js';

export interface ArchivedRecord {
  seq: number;
  bytes: Buffer;
}

/** Hashes in a tile of the tree of `size` leaves; 0 or less where it has none. */
export function tileWidth({ level, index }: TileKey, size: number): number {
  return Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH);
}

/**
 * An archive on the disk, without a database. Nothing is given that is not the file of the manifest; whether the manifest itself is good
 * its tiles and the checkpoint's signature tell.
 */
export class ArchiveReader implements TileSource {
  readonly #files: ReadonlyMap<string, ArchivedFile>;

  constructor(
    readonly dir: string,
    readonly manifest: Manifest,
    /** Hex. */
    readonly manifestSha256: string,
    readonly checkpointNote: string,
    /** C2SP vkeys that the archive says have signed the log. */
    readonly keys: readonly string[],
  ) {
    this.#files = new Map(manifest.files.map((file) => [file.path, file]));
  }

  /** A whole file. @throws BadArchive when it is not the one of the manifest */
  async file(path: string): Promise<Buffer> {
    return readKnown(this.dir, this.known(path));
  }

  /** A file a piece at a time. @throws BadArchive at its end when it is not the one of the manifest */
  async *pieces(path: string): AsyncGenerator<Buffer> {
    const known = this.known(path);
    const sum = createHash('sha256');
    try {
      for await (const piece of createReadStream(join(this.dir, path)) as AsyncIterable<Buffer>) {
        sum.update(piece);
        yield piece;
      }
    } catch (error) {
      throw absent(error, path);
    }
    if (sum.digest('hex') !== known.sha256) throw new BadArchive(`${path} is not the file of the manifest`);
  }

  /** Files that stand in the folder and not in the manifest. */
  async strangers(): Promise<string[]> {
    return (await filesBelow(this.dir)).filter((path) => path !== MANIFEST && !this.#files.has(path));
  }

  /** Signed notes of sizes within the records, the smallest first and the covering one last. @throws BadArchive as `pieces` */
  async *checkpoints(): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const piece of this.pieces(FILES.checkpoints)) {
      // A text, its signatures, and an empty line behind each.
      const parts = `${rest}${decoder.decode(piece, { stream: true })}`.split('\n\n');
      for (; parts.length > 2; parts.splice(0, 2)) yield `${parts[0]}\n\n${parts[1]}\n`;
      rest = parts.join('\n\n');
    }
    if (rest !== '') throw new BadArchive('its checkpoints end half-way');
  }

  /** Records of the archive, in order. @throws BadArchive, RangeError */
  async *entries(first = this.manifest.first, past = this.manifest.past): AsyncGenerator<ArchivedRecord> {
    if (first < this.manifest.first || past > this.manifest.past) throw new RangeError('not records of this archive');
    for (let index = Math.floor(first / TILE_WIDTH); index * TILE_WIDTH < past; index += 1) {
      const bundle = await this.file(`tile/${tilePath({ level: 'entries', index, width: TILE_WIDTH })}`);
      let seq = index * TILE_WIDTH;
      for (const bytes of unbundled(bundle)) {
        if (seq >= first && seq < past) yield { seq, bytes };
        seq += 1;
      }
      if (seq !== (index + 1) * TILE_WIDTH) throw new BadArchive('a bundle of entries is not whole');
    }
  }

  /** When these records became durable: microseconds since 1970. */
  async recordedAt(first: number, past: number): Promise<bigint[]> {
    const bytes = Buffer.alloc((past - first) * INSTANT_BYTES);
    const file = await open(join(this.dir, FILES.recordedAt), 'r');
    try {
      const { bytesRead } = await file.read(bytes, 0, bytes.length, (first - this.manifest.first) * INSTANT_BYTES);
      if (bytesRead < bytes.length) throw new BadArchive(`${FILES.recordedAt} is too short`);
    } finally {
      await file.close();
    }
    return Array.from({ length: past - first }, (_, at) => bytes.readBigInt64BE(at * INSTANT_BYTES));
  }

  /** As it was in the tree of the checkpoint; undefined when the archive has no such tile. @throws BadArchive */
  async tile(level: number, index: number): Promise<Buffer | undefined> {
    const width = tileWidth({ level, index }, this.manifest.checkpointSize);
    const path = `tile/${tilePath({ level, index, width })}`;
    if (width <= 0 || !this.#files.has(path)) return undefined;
    const hashes = await this.file(path);
    if (hashes.length !== width * HASH_BYTES) throw new BadArchive(`${path} has another width`);
    return hashes;
  }

  async tiles(keys: readonly TileKey[]): Promise<ReadonlyMap<string, Buffer>> {
    const found = new Map<string, Buffer>();
    for (const key of keys) {
      const hashes = await this.tile(key.level, key.index);
      if (hashes !== undefined) found.set(tileName(key), hashes);
    }
    return found;
  }

  private known(path: string): ArchivedFile {
    const known = this.#files.get(path);
    if (known === undefined) throw new BadArchive(`${path} is missing`);
    return known;
  }
}

/** @param dir the archive's own folder. @throws BadArchive on what is none */
export async function readArchive(dir: string): Promise<ArchiveReader> {
  const bytes = await readFile(join(dir, MANIFEST)).catch((error: unknown) => {
    throw absent(error, MANIFEST);
  });
  const manifest = parseManifest(bytes);
  const read = async (path: string): Promise<string> => {
    const known = manifest.files.find((file) => file.path === path);
    if (known === undefined) throw new BadArchive(`${path} is missing`);
    return (await readKnown(dir, known)).toString('utf8');
  };
  const keys = (await read(FILES.keys)).split('\n').filter((line) => line !== '');
  return new ArchiveReader(dir, manifest, hash('sha256', bytes, 'hex'), await read(FILES.checkpoint), keys);
}

async function readKnown(dir: string, { path, bytes, sha256 }: ArchivedFile): Promise<Buffer> {
  const content = await readFile(join(dir, path)).catch((error: unknown) => {
    throw absent(error, path);
  });
  if (content.length !== bytes || hash('sha256', content, 'hex') !== sha256)
    throw new BadArchive(`${path} is not the file of the manifest`);
  return content;
}

function absent(error: unknown, path: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new BadArchive(`${path} is missing`);
  return syscall === undefined ? error : new BadArchive(`${path} cannot be read (${code ?? syscall})`);
}

/** Each entry behind its length in two bytes (C2SP tlog-tiles, "Log entries"). */
function* unbundled(bundle: Buffer): Generator<Buffer> {
  for (let at = 0; at < bundle.length;) {
    const past = at + 2 + (at + 2 <= bundle.length ? bundle.readUInt16BE(at) : Number.POSITIVE_INFINITY);
    if (past > bundle.length) throw new BadArchive('a bundle of entries ends half-way');
    yield bundle.subarray(at + 2, past);
    at = past;
  }
}
