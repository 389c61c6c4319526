import { join } from 'node:path';
import { ArchiveError, type Archivist, asArchivist } from '../audit/index.js';
import { type Config, ConfigError, loadConfig, SystemClock } from '../platform/index.js';
import { reach } from './verify.js';

interface ArchiveOptions {
  dir?: string;
}

/** `gatehouse archive`: one line for each partition that left, and one for the first that stays, with the reason. */
export async function archiveVerb(options: ArchiveOptions & { dryRun?: boolean }): Promise<void> {
  const dryRun = options.dryRun === true;
  for (const { first, past, because, dir } of await archiving(options, (archivist) => archivist.run({ dryRun }))) {
    const end = dryRun ? 'would go to' : 'were archived in';
    say(`records ${first} to ${past - 1} ${because === undefined ? `${end} ${dir}` : `stay: ${because}`}`);
  }
}

/** `gatehouse archive restore`: archived records can be read and searched again. */
export async function restoreVerb(options: ArchiveOptions & { first: string }): Promise<void> {
  const { manifest } = await archiving(options, (archivist) => archivist.restore(numberOf(options.first)));
  say(`records ${manifest.first} to ${manifest.past - 1} are restored`);
}

/** `gatehouse archive release`: restored records leave the database again. */
export async function releaseVerb(options: ArchiveOptions & { first: string }): Promise<void> {
  await archiving(options, (archivist) => archivist.release(numberOf(options.first)));
  say(`records from ${options.first} on are away again`);
}

async function archiving<T>({ dir }: ArchiveOptions, work: (archivist: Archivist) => Promise<T>): Promise<T> {
  const config = loadConfig(process.env, { together: false });
  const database = await reached(config);
  try {
    return await asArchivist(
      {
        config,
        clock: new SystemClock(),
        url: database.url,
        dir: dir ?? config.audit.archive.dir ?? join(config.dataDir, 'archive'),
        onProgress: tell,
      },
      work,
    );
  } catch (error) {
    throw error instanceof ArchiveError ? new ConfigError(error.message, 'archive') : error;
  } finally {
    await database.release();
  }
}

function reached({ database, dataDir }: Config): Promise<{ url: string; release(): Promise<void> }> {
  const url = database.archiveUrl ?? database.migrationUrl ?? database.url;
  return url === undefined ? reach(dataDir) : Promise.resolve({ url, release: () => Promise.resolve() });
}

/** For whoever watches; a script reads what is done. */
function tell(what: string, done: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${what} ${done} of ${of}${done === of ? '\n' : ''}`);
}

function numberOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new ConfigError('must be the number of a record', '--first');
  return Number(text);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
