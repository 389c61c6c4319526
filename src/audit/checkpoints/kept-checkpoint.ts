import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Checkpoint, openCheckpoint } from './checkpoint.js';
import type { NoteVerifier } from './note.js';

const link = z.strictObject({ n: z.int().min(1), size: z.int().min(1), chain: z.string().regex(/^[0-9a-f]{64}$/) });

/** A published checkpoint in the chain of all: its number, its size, and the hash over the notes up to it, hex. */
export type ChainLink = z.output<typeof link>;

function pathOf(dir: string, origin: string, kind: 'checkpoint' | 'chain'): string {
  return join(dir, `${hash('sha256', origin, 'hex').slice(0, 16)}.${kind}`);
}

/** @throws TypeError on a text that is no link */
function parseLink(text: string): ChainLink {
  try {
    return link.parse(JSON.parse(text));
  } catch (error) {
    throw new TypeError('no link of the chain of checkpoints', { cause: error });
  }
}

/** The note that an instance of this machine has kept, unchecked; undefined where it has none. */
export function keptCheckpoint(dir: string, origin: string): string | undefined {
  const path = pathOf(dir, origin, 'checkpoint');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** The last published checkpoint that an instance of this machine has seen; undefined where it has seen none. @throws TypeError */
export function keptLink(dir: string, origin: string): ChainLink | undefined {
  const path = pathOf(dir, origin, 'chain');
  return existsSync(path) ? parseLink(readFileSync(path, 'utf8')) : undefined;
}

/**
 * The last checkpoint that this instance has seen, in a file beside the database: who rolls the database back, or rewrites it, cannot
 * roll this back with it. One file a name of the log. A second one holds the place in the chain of the last one that was published: who takes
 * published ones out of the database, be it the newest, cannot take them out of there.
 */
export class KeptCheckpoint {
  readonly path: string;
  readonly chainPath: string;
  #last: Checkpoint | undefined;
  #link: ChainLink | undefined;

  constructor(
    private readonly dir: string,
    private readonly origin: string,
  ) {
    this.path = pathOf(dir, origin, 'checkpoint');
    this.chainPath = pathOf(dir, origin, 'chain');
  }

  get last(): Checkpoint | undefined {
    return this.#last;
  }

  /** The last one that was seen in the database. */
  get link(): ChainLink | undefined {
    return this.#link;
  }

  /** @throws TypeError when a file holds something else than a checkpoint that one of the keys has signed, or its place in the chain. */
  async read(keys: readonly NoteVerifier[]): Promise<Checkpoint | undefined> {
    const [note, place] = [await textOf(this.path), await textOf(this.chainPath)];
    this.#last = note === undefined ? undefined : openCheckpoint(note, this.origin, keys);
    this.#link = place === undefined ? undefined : parseLink(place);
    return this.#last;
  }

  /** On the disk when it resolves. */
  async write(checkpoint: Checkpoint): Promise<void> {
    await this.put(this.path, checkpoint.note);
    this.#last = checkpoint;
  }

  /** On the disk when it resolves. */
  async writeLink(published: ChainLink): Promise<void> {
    await this.put(this.chainPath, `${JSON.stringify(published)}\n`);
    this.#link = published;
  }

  /** A new file under the old name, so that a crash leaves one or the other. */
  private async put(path: string, text: string): Promise<void> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const fresh = `${path}.new`;
    const handle = await open(fresh, 'w', 0o600);
    await handle.writeFile(text);
    await handle.datasync();
    await handle.close();
    await rename(fresh, path);
    const folder = await open(this.dir, 'r');
    await folder.sync();
    await folder.close();
  }
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
}
