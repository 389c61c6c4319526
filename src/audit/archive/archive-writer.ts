import { createHash, hash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ArchivedFile, MANIFEST, type Manifest } from './manifest.js';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/**
 * The files of an archive, in a folder of another name until all are on the disk: under its own name there is a whole archive or none.
 */
export class ArchiveWriter {
  readonly #files: ArchivedFile[] = [];
  readonly #folders = new Set<string>();

  private constructor(
    private readonly parent: string,
    private readonly target: string,
    private readonly temporary: string,
  ) {}

  /** @param target the archive's folder; what an attempt before left half is removed. */
  static async begin(target: string): Promise<ArchiveWriter> {
    const parent = dirname(target);
    const temporary = `${target}.half`;
    await mkdir(parent, { recursive: true, mode: FOLDER_MODE });
    await rm(temporary, { recursive: true, force: true });
    const writer = new ArchiveWriter(parent, target, temporary);
    await writer.folder(temporary);
    return writer;
  }

  async add(path: string, bytes: Buffer): Promise<void> {
    await this.grow(path, (write) => write(bytes));
  }

  /** A file of as many pieces as `fill` writes. */
  async grow<T>(path: string, fill: (write: (piece: Buffer) => Promise<void>) => Promise<T>): Promise<T> {
    const whole = join(this.temporary, path);
    await this.folder(dirname(whole));
    const file = await open(whole, 'wx', FILE_MODE);
    const sum = createHash('sha256');
    let length = 0;
    try {
      const filled = await fill(async (piece) => {
        await file.writeFile(piece);
        sum.update(piece);
        length += piece.length;
      });
      await file.sync();
      this.#files.push({ path, bytes: length, sha256: sum.digest('hex') });
      return filled;
    } finally {
      await file.close();
    }
  }

  /** All on the disk under its own name when it resolves. @returns SHA-256 of the manifest, hex */
  async finish(told: Omit<Manifest, 'files'>): Promise<string> {
    // In the order of their names: the same records give the same manifest, however they came to the disk.
    const files = this.#files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
    const bytes = Buffer.from(`${JSON.stringify({ ...told, files } satisfies Manifest, undefined, 1)}\n`);
    await this.add(MANIFEST, bytes);
    for (const folder of this.#folders) await syncFolder(folder);
    await rename(this.temporary, this.target);
    await syncFolder(this.parent);
    return hash('sha256', bytes, 'hex');
  }

  private async folder(path: string): Promise<void> {
    if (this.#folders.has(path)) return;
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
    for (let above = path; above.startsWith(this.temporary); above = dirname(above)) this.#folders.add(above);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Every file below a folder, by its path in it. */
export async function filesBelow(dir: string): Promise<string[]> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(dir, '/').length));
}
