import { setTimeout as pause } from 'node:timers/promises';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, uuidv7 } from '../../platform/index.js';
import { LogStore } from '../checkpoints/log-store.js';
import { type Connection, sqlState } from '../connection.js';
import { byteaArray } from '../pg-array.js';
import { recordBytes, type RecordInput } from '../record.js';
import { type ArchiveReader, readArchive } from './archive-reader.js';
import { ArchiveSource, type Span } from './archive-source.js';
import { ArchiveError, BadArchive } from './errors.js';
import { checkArchive } from './check-archive.js';
import type { Keep } from './retention.js';
import { type Progress, writeArchive } from './write-archive.js';

/** Role that alone takes partitions off the log and brings them back. */
export const ARCHIVIST_ROLE = 'gatehouse_archivist';

export interface ArchivistParts {
  /** As the archivist. */
  connection: Connection;
  /** Folder of the archives, one a partition. */
  dir: string;
  keep: Keep;
  clock: Clock;
  onProgress?: ((what: string, done: number, of: number) => void) | undefined;
}

/** What became of a partition. */
export type Archived = Span &
  ({ dir: string; manifestSha256: string; because?: never } | { because: string; dir?: never });

/** Arbitrary but fixed: one archivist at a time, for as long as its session lasts. */
const LOCK = 4_711_202_615;
/** SQLSTATEs of a lock that did not come in time, and of a deadlock. */
const TRY_AGAIN = new Set(['55P03', '40P01']);
/** SQLSTATE with which the functions of the database say why not. */
const REFUSED = '55000';
const ATTEMPTS = 30;
const PAUSE_MS = 500;
const RESTORE_CHUNK = 1_024;

/**
 * Takes the oldest records from the database to the disk and, for reading, back. Every step can be repeated: a run that was killed
 * anywhere is taken up by the next one where it was left.
 */
export class Archivist {
  readonly #store: LogStore;
  readonly #source: ArchiveSource;

  constructor(private readonly parts: ArchivistParts) {
    this.#store = new LogStore(parts.connection);
    this.#source = new ArchiveSource(parts.connection);
  }

  /** Archives what may leave, the oldest first, up to the first that may not. @throws ArchiveError */
  async run({ dryRun = false } = {}): Promise<Archived[]> {
    await this.alone();
    const done: Archived[] = [];
    if (!dryRun) await this.dropLeft();
    for (const span of (await this.#source.partitions()).filter(({ archived }) => !archived)) {
      const because = await this.keptBecause(span.first);
      const dir = this.dirOf(span.first);
      if (because !== undefined) return [...done, { ...span, because }];
      done.push({ ...span, dir, manifestSha256: dryRun ? '' : await this.archive(span, dir) });
    }
    return done;
  }

  /** Brings archived records back into the log, to be read and searched. @throws ArchiveError */
  async restore(first: number): Promise<ArchiveReader> {
    await this.alone();
    const archive = await this.checked(first);
    const manifest = Buffer.from(archive.manifestSha256, 'hex');
    await this.call('SELECT audit.begin_restore($1, $2)', [first, manifest]);
    const { past } = archive.manifest;
    let chunk: Buffer[] = [];
    for await (const { seq, bytes } of archive.entries()) {
      chunk.push(bytes);
      if (chunk.length < RESTORE_CHUNK && seq + 1 < past) continue;
      const from = seq + 1 - chunk.length;
      const instants = (await archive.recordedAt(from, seq + 1)).map(instantOf);
      await this.call('SELECT audit.restore($1, $2, $3::bytea[], $4::timestamptz[])', [
        first,
        from,
        byteaArray(chunk),
        instants,
      ]);
      chunk = [];
      this.progress('restoring')(seq + 1 - first, past - first);
    }
    const record = await this.record('log.restored', archive);
    await this.patiently('SELECT audit.end_restore($1, $2, $3, $4)', [first, manifest, ...record]);
    return archive;
  }

  /** Lets restored records go again. @throws ArchiveError */
  async release(first: number): Promise<void> {
    await this.alone();
    const archive = await this.checked(first);
    await this.detach(archive);
    await this.drop(await this.checked(first));
  }

  private async archive(span: Span, dir: string): Promise<string> {
    if (!(await exists(dir)))
      await writeArchive({ source: this.#source, store: this.#store }, span, dir, this.progress('writing'));
    const archive = await readArchive(dir);
    await this.check(archive, span.first);
    if (archive.manifest.past !== span.past) throw new BadArchive('it holds other records');
    await this.detach(archive);
    await this.drop(await this.checked(span.first));
    return archive.manifestSha256;
  }

  /** What a run before detached and did not come to drop. */
  private async dropLeft(): Promise<void> {
    for (const { first, undropped } of await this.#source.away())
      if (undropped) await this.drop(await this.checked(first));
  }

  /** The archive from the disk, wholly read once more, and the one that the database knows. */
  private async checked(first: number): Promise<ArchiveReader> {
    const known = await this.#source.archived(first);
    if (known === undefined) throw new BadArchive(`the database knows of none from record ${first} on`);
    const archive = await readArchive(this.dirOf(first));
    if (archive.manifestSha256 !== known) throw new BadArchive('its manifest is not the one that was recorded');
    await this.check(archive, first);
    return archive;
  }

  private async check(archive: ArchiveReader, first: number): Promise<void> {
    if (archive.manifest.first !== first) throw new BadArchive('it holds other records');
    await checkArchive(archive, this.#store, this.progress('verifying'));
  }

  private async detach(archive: ArchiveReader): Promise<void> {
    const manifest = Buffer.from(archive.manifestSha256, 'hex');
    const keep = JSON.stringify(this.parts.keep);
    const record = await this.record('log.archived', archive);
    const values = [archive.manifest.first, manifest, keep, ...record];
    await this.patiently('SELECT audit.detach($1, $2, $3, $4, $5)', values);
  }

  private async drop({ manifest: { first }, manifestSha256 }: ArchiveReader): Promise<void> {
    await this.patiently('SELECT audit.drop_detached($1, $2)', [first, Buffer.from(manifestSha256, 'hex')]);
  }

  private async keptBecause(first: number): Promise<string | undefined> {
    const [row] = await this.parts.connection.rows<{ because: string | null }>({
      text: 'SELECT audit.kept_because($1, $2) AS because',
      values: [first, JSON.stringify(this.parts.keep)],
    });
    return row?.because ?? undefined;
  }

  /** Id and bytes of the record of what is done with an archive. */
  private async record(kind: RecordInput['kind'], archive: ArchiveReader): Promise<[id: string, bytes: Buffer]> {
    const origin = (await this.#store.tip())?.origin ?? archive.manifest.origin;
    const { first, past, root } = archive.manifest;
    const at = this.parts.clock.now();
    const id = uuidv7(at.getTime());
    const detail = { first, past, root, manifest: archive.manifestSha256 };
    return [id, recordBytes({ id, at: at.toISOString(), kind, detail }, { origin, instance: 'archivist' })];
  }

  /** @throws ArchiveError with the reason of the database when it refuses */
  private async call(text: string, values: unknown[]): Promise<void> {
    await this.parts.connection.query({ text, values }).catch((error: unknown) => {
      throw sqlState(error) === REFUSED ? new ArchiveError((error as Error).message, { cause: error }) : error;
    });
  }

  /** Gives a lock up at once and asks again later: whoever waits for one on the log keeps all behind it waiting. */
  private async patiently(text: string, values: unknown[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.call(text, values);
        return;
      } catch (error) {
        if (attempt === ATTEMPTS || !TRY_AGAIN.has(sqlState(error) ?? '')) throw error;
        await pause(PAUSE_MS);
      }
    }
  }

  private async alone(): Promise<void> {
    const [row] = await this.parts.connection.rows<{ mine: boolean }>({
      text: 'SELECT pg_try_advisory_lock($1) AS mine',
      values: [LOCK],
    });
    if (row?.mine !== true) throw new ArchiveError('another archiving is under way');
  }

  private dirOf(first: number): string {
    return join(this.parts.dir, `log-${String(first).padStart(12, '0')}`);
  }

  private progress(what: string): Progress {
    return (done, of) => this.parts.onProgress?.(what, done, of);
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** ISO 8601 with the microseconds that a JavaScript instant has not. */
function instantOf(microseconds: bigint): string {
  const whole = new Date(Number(microseconds / 1_000_000n) * 1_000).toISOString().slice(0, 19);
  return `${whole}.${String(microseconds % 1_000_000n).padStart(6, '0')}Z`;
}
