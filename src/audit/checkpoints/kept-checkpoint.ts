import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, openCheckpoint } from './checkpoint.js';
import type { NoteVerifier } from './note.js';

function pathOf(dir: string, origin: string): string {
  return join(dir, `${hash('sha256', origin, 'hex').slice(0, 16)}.checkpoint`);
}

/** The note that an instance of this machine has kept, unchecked; undefined where it has none. */
export function keptCheckpoint(dir: string, origin: string): string | undefined {
  const path = pathOf(dir, origin);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/**
 * The last checkpoint that this instance has seen, in a file beside the database: who rolls the database back, or rewrites it, cannot
 * roll this back with it. One file a name of the log.
 */
export class KeptCheckpoint {
  readonly path: string;
  #last: Checkpoint | undefined;

  constructor(
    private readonly dir: string,
    private readonly origin: string,
  ) {
    this.path = pathOf(dir, origin);
  }

  get last(): Checkpoint | undefined {
    return this.#last;
  }

  /** @throws TypeError when the file holds something else than a checkpoint that one of the keys has signed. */
  async read(keys: readonly NoteVerifier[]): Promise<Checkpoint | undefined> {
    const note = await readFile(this.path, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    this.#last = note === undefined ? undefined : openCheckpoint(note, this.origin, keys);
    return this.#last;
  }

  /** On the disk when it resolves: a new file under the old name, so that a crash leaves one or the other. */
  async write(checkpoint: Checkpoint): Promise<void> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const fresh = `${this.path}.new`;
    const handle = await open(fresh, 'w', 0o600);
    await handle.writeFile(checkpoint.note);
    await handle.datasync();
    await handle.close();
    await rename(fresh, this.path);
    const folder = await open(this.dir, 'r');
    await folder.sync();
    await folder.close();
    this.#last = checkpoint;
  }
}
