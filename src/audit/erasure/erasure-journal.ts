import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { equalInConstantTime, isUuid, type Keyring } from '../../platform/index.js';
import { canonical } from '../canonical.js';

export const GROUNDS = ['request', 'retention-over', 'court-order'] as const;

/** That somebody was erased, without a word of who it was. */
export interface JournaledErasure {
  /** Id of the erasure. */
  erasure: string;
  client: string;
  /** Pseudonym. */
  subject: string;
  ground: (typeof GROUNDS)[number];
  /** Id of the record that tells it. */
  record: string;
  /** ISO 8601 UTC. */
  at: string;
}

const uuid = z.string().refine(isUuid);

const journaledErasure = z.object({
  erasure: uuid,
  client: uuid,
  subject: z.string().min(1).max(256),
  ground: z.enum(GROUNDS),
  record: uuid,
  at: z.iso.datetime(),
});

/**
 * Erasures in a file beside the database: a backup from before one would bring the person back, and cannot bring back that nobody was
 * erased. One line of canonical JSON each, flushed to the disk before `add` resolves. Each line is signed with a key derived from the
 * master key, since whoever can add a line could otherwise have anybody erased.
 */
export class ErasureJournal {
  readonly #known = new Set<string>();
  /** One write at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    readonly path: string,
    private readonly keyring: Keyring,
  ) {}

  /** Those of the file, once each, in its order; and the number of lines that no holder of the master key has written. */
  async read(): Promise<{ erasures: JournaledErasure[]; strange: number }> {
    const text = await readFile(this.path, 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    });
    // What stands after the last line end was never whole on the disk, and its erasure never committed.
    const lines = text.split('\n').slice(0, -1).filter(Boolean);
    const erasures = new Map<string, JournaledErasure>();
    let strange = 0;
    for (const line of lines) {
      const entry = this.parse(line);
      if (entry === undefined) strange += 1;
      else erasures.set(entry.erasure, entry);
    }
    for (const id of erasures.keys()) this.#known.add(id);
    return { erasures: [...erasures.values()], strange };
  }

  /** Those that are not in it yet; on the disk when it resolves. */
  async add(erasures: readonly JournaledErasure[]): Promise<void> {
    const adding = this.#last.then(() => this.write(erasures.filter(({ erasure }) => !this.#known.has(erasure))));
    this.#last = adding.catch(() => undefined);
    await adding;
  }

  private async write(erasures: readonly JournaledErasure[]): Promise<void> {
    if (erasures.length === 0) return;
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
    const file = await open(this.path, 'a', 0o600);
    try {
      // A line end first: what a crash left half-written must not swallow this.
      await file.appendFile(`\n${erasures.map((entry) => this.line(entry)).join('\n')}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    // The name is durable only once the folder is (fsync(2)).
    const folder = await open(dirname(this.path), 'r');
    await folder.sync();
    await folder.close();
    for (const { erasure } of erasures) this.#known.add(erasure);
  }

  private line(entry: JournaledErasure): string {
    return canonical({ ...entry, mac: this.mac(entry) });
  }

  private mac({ erasure, client, subject, ground, record, at }: JournaledErasure): string {
    return this.keyring.pseudonym('erasure-journal', erasure, client, subject, ground, record, at);
  }

  private parse(line: string): JournaledErasure | undefined {
    try {
      const { mac, ...rest } = JSON.parse(line) as { mac?: unknown };
      const entry = journaledErasure.parse(rest);
      const right = Buffer.from(this.mac(entry));
      return typeof mac === 'string' && equalInConstantTime(Buffer.from(mac), right) ? entry : undefined;
    } catch {
      return undefined;
    }
  }
}
