import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { exportQuery, exportUrl, type Progress } from '../audit/index.js';
import { ConfigError } from '../platform/index.js';
import { withDatabase } from './with-database.js';

const TELL_EVERY_MS = 1_000;

/** Tells on the standard error output how far it is, once a second and at the end. */
class Teller {
  readonly #startedAt = performance.now();
  #told = this.#startedAt;
  #last: Progress = { records: 0, done: 0, all: 0 };

  tell(progress: Progress): void {
    this.#last = progress;
    if (performance.now() - this.#told < TELL_EVERY_MS) return;
    this.#told = performance.now();
    const { records, done, all } = progress;
    process.stderr.write(`exported ${records} records, ${this.rate()} a second, ${Math.floor((done / all) * 100)} %\n`);
  }

  end(): void {
    process.stderr.write(`exported ${this.#last.records} records in ${this.seconds().toFixed(1)} s, 100 %\n`);
  }

  private seconds(): number {
    return (performance.now() - this.#startedAt) / 1_000;
  }

  private rate(): number {
    return Math.round(this.#last.records / this.seconds());
  }
}

/** `gatehouse export`: the log as JSON Lines or CSV; beside a running gateway or alone. */
export async function exportVerb({ out, ...options }: Record<string, string>): Promise<void> {
  const { data, error } = exportQuery.safeParse(options);
  if (data === undefined) throw wrongOption(error.issues[0]);
  const { format, ...selection } = data;
  const teller = new Teller();
  await withDatabase(async (url) => {
    const text = Readable.from(exportUrl(url, format, selection, (progress) => teller.tell(progress)));
    await (out === undefined ? toOutput(text) : toFile(text, out));
  });
  teller.end();
}

function wrongOption(issue: { path: PropertyKey[]; message: string } | undefined): ConfigError {
  const name = String(issue?.path[0] ?? 'format').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new ConfigError(issue?.message ?? 'is not valid', `--${name}`);
}

/** Whoever reads may have seen enough: `gatehouse export … | head` is no failure. */
async function toOutput(text: Readable): Promise<void> {
  await pipeline(text, process.stdout, { end: false }).catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'EPIPE') throw error;
  });
}

/** Under its name there is either nothing new or the whole export. */
async function toFile(text: Readable, file: string): Promise<void> {
  const part = `${file}.part`;
  try {
    await pipeline(text, createWriteStream(part, { mode: 0o600 }));
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    const { code, syscall } = error as { code?: string; syscall?: string };
    if (syscall === 'open' || syscall === 'write' || syscall === 'rename')
      throw new ConfigError(`the file cannot be written (${code})`, '--out');
    throw error;
  }
}
