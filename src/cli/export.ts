import { createWriteStream, fstatSync, rmSync } from 'node:fs';
import { lstat, rename, rm } from 'node:fs/promises';
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
  const whole = await withDatabase((url) => {
    const text = Readable.from(exportUrl(url, format, selection, (progress) => teller.tell(progress)));
    return out === undefined ? toOutput(text) : toFile(text, out);
  });
  if (whole) teller.end();
}

function wrongOption(issue: { path: PropertyKey[]; message: string } | undefined): ConfigError {
  const name = String(issue?.path[0] ?? 'format').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new ConfigError(issue?.message ?? 'is not valid', `--${name}`);
}

/** Whoever reads may have seen enough: `gatehouse export … | head` is no failure. @returns whether all was taken */
async function toOutput(text: Readable): Promise<boolean> {
  try {
    // What Node makes of a standard output that is a file takes a part for the whole when the disk fills up.
    if (fstatSync(process.stdout.fd).isFile())
      await pipeline(text, createWriteStream('', { fd: process.stdout.fd, autoClose: false }));
    else await pipeline(text, process.stdout, { end: false });
    return true;
  } catch (error) {
    const { code, syscall } = error as { code?: string; syscall?: string };
    if (code === 'EPIPE') return false;
    if (syscall === 'write') throw new ConfigError(`cannot be written (${code})`, 'standard output');
    throw error;
  }
}

/** Ends an export in order, so that the file begun is taken away; a second signal ends the process as ever. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Under its name there is either nothing new or the whole export. @returns whether all was written */
async function toFile(text: Readable, file: string): Promise<boolean> {
  // The renaming would put a file in the place of a device, or of a link such as /dev/stdout.
  const there = await lstat(file).catch(() => undefined);
  if (there?.isFile() === false) throw new ConfigError('must be a plain file or none', '--out');
  const part = `${file}.part`;
  const interrupted = new AbortController();
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const end = (name: keyof typeof SIGNALS): void => {
    process.exitCode = SIGNALS[name];
    interrupted.abort();
    // Not when the pipeline has ended: that waits for a database which may not answer.
    rmSync(part, { force: true });
  };
  for (const name of names) process.once(name, end);
  try {
    await pipeline(text, createWriteStream(part, { mode: 0o600 }), { signal: interrupted.signal });
    await rename(part, file);
    return true;
  } catch (error) {
    await rm(part, { force: true });
    if (interrupted.signal.aborted) return false;
    const { code, syscall } = error as { code?: string; syscall?: string };
    if (syscall === 'open' || syscall === 'write' || syscall === 'rename')
      throw new ConfigError(`the file cannot be written (${code})`, '--out');
    throw error;
  } finally {
    for (const name of names) process.off(name, end);
  }
}
