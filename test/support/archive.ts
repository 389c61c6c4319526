import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { type Archived, Archivist, ARCHIVIST_ROLE } from '../../src/audit/archive/archivist.js';
import { type Keep, keepOf } from '../../src/audit/archive/retention.js';
import { Connection } from '../../src/audit/connection.js';
import { type Config, loadConfig, SystemClock } from '../../src/platform/index.js';
import { aRecord, copyDatabase, openTestLog, withClient } from './audit.js';
import { startTestDatabase } from './database.js';

/** Records in a partition of `OldLogs`. */
export const PARTITION = 512;
/** Of one record in each partition. */
export const SUBJECT = 'aa86d081884c7d659a2feaa0c55ad015';
/** Instant of all records but those of the log itself. */
export const OLD = new Date(Date.now() - 500 * 86_400_000).toISOString();

/** Makes an empty log grow in partitions of so few records, a whole number of tiles. */
async function partitionsOf(url: string, records: number): Promise<void> {
  await withClient(url, (superuser) =>
    superuser.query(
      `DO $$ DECLARE name regclass; BEGIN
         FOR name IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'audit.log'::regclass LOOP
           EXECUTE format('DROP TABLE %s', name);
         END LOOP;
         ALTER TABLE audit.head DISABLE TRIGGER ALL;
         UPDATE audit.head SET partition_size = ${records}, partitioned_to = 0;
         ALTER TABLE audit.head ENABLE TRIGGER ALL;
       END $$`,
    ),
  );
}

/** Nothing need stay, unless a spec says otherwise. */
export function keeping(retention: Partial<Config['audit']['retention']> = {}): Keep {
  const none = { calls: 0, access: 0, webhooks: 0, administration: 0, incidents: 0, log: 0 };
  return keepOf({ ...none, ...retention });
}

export const DEFAULT_RETENTION = loadConfig({}).audit.retention;

/** A connection such as the archivist's. */
function archivistConnection(url: string): Connection {
  return new Connection({
    url,
    role: ARCHIVIST_ROLE,
    applicationName: 'gatehouse-spec-archivist',
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 1_000,
  });
}

interface Archiving {
  keep?: Keep;
  onProgress?: (what: string, done: number, of: number) => void;
}

/** A log of two whole partitions and a part of the third, and a folder for their archives. */
export class OldLog {
  constructor(
    readonly url: string,
    public dir: string,
  ) {}

  /** As the superuser. */
  rows<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return withClient(this.url, async (client) => (await client.query<T>(sql, values)).rows);
  }

  /** Works as the archivist, whose session then ends. */
  async as<T>(
    work: (archivist: Archivist) => Promise<T>,
    { keep = keeping(), onProgress }: Archiving = {},
  ): Promise<T> {
    const connection = archivistConnection(this.url);
    try {
      return await work(new Archivist({ connection, dir: this.dir, keep, clock: new SystemClock(), onProgress }));
    } finally {
      await connection.close();
    }
  }

  /** As somebody who has the archivist's role and no good will. */
  async asRole(work: (query: (text: string, values?: unknown[]) => Promise<unknown>) => Promise<void>): Promise<void> {
    const connection = archivistConnection(this.url);
    await work((text, values = []) => connection.query({ text, values }));
    await connection.close();
  }

  run(): Promise<Archived[]> {
    return this.as((archivist) => archivist.run());
  }

  /** A run that ends the n-th time that it begins such a step, as if it were killed. */
  async stopAt(step: string, nth: number): Promise<void> {
    let begun = 0;
    const first = step === 'writing' ? PARTITION : 256;
    const onProgress = (what: string, done: number): void => {
      if (what === step && done === first && (begun += 1) === nth) throw new Error('killed');
    };
    await expect(this.as((archivist) => archivist.run(), { onProgress })).rejects.toThrow('killed');
  }

  /** First numbers of the partitions that the log has. */
  async attached(): Promise<number[]> {
    const found = await this.rows<{ first: string }>('SELECT first FROM audit.partition ORDER BY first');
    return found.map(({ first }) => Number(first));
  }

  /** What the records of a kind tell that have no number yet. */
  async told(kind: string): Promise<{ first: number; manifest: string }[]> {
    const found = await this.rows<{ detail: { first: number; manifest: string } }>(
      `SELECT convert_from(bytes, 'UTF8')::jsonb -> 'detail' AS detail FROM audit.intake WHERE kind = $1 ORDER BY n`,
      [kind],
    );
    return found.map(({ detail }) => detail);
  }
}

export interface OldLogs {
  /** Of the log of which all are copies. */
  url: string;
  /** A log of its own for a test. */
  another(): Promise<OldLog>;
  stop(): Promise<void>;
}

/** @param prepare what the original needs beside its records */
export async function startOldLogs(
  prepare: (url: string) => Promise<void> = () => Promise.resolve(),
): Promise<OldLogs> {
  const database = await startTestDatabase();
  const { superuserUrl: url } = database;
  await partitionsOf(url, PARTITION);
  await fill(url);
  await prepare(url);
  await database.database.close();
  const dirs: string[] = [];
  return {
    url,
    another: async () => {
      const name = `old_${dirs.length}_${process.pid}`;
      dirs.push(await mkdtemp(join(tmpdir(), 'gatehouse-archive-')));
      return new OldLog(await copyDatabase(url, new URL(url).pathname.slice(1), name), dirs.at(-1) ?? '');
    },
    stop: async () => {
      for (const dir of dirs) await rm(dir, { recursive: true, force: true });
      await database.stop();
    },
  };
}

/** Signed several times on the way. */
async function fill(url: string): Promise<void> {
  const log = await openTestLog(url, 'spec', true);
  log.start();
  for (let round = 1; round <= 3; round += 1) {
    const kind = round === 1 ? ('incident.act' as const) : ('admin.act' as const);
    const old = Array.from({ length: 400 }, (_, n) =>
      aRecord({ at: OLD, ...(n === 7 ? { kind, http: undefined, subject: SUBJECT } : {}) }),
    );
    await Promise.all(old.map((record) => log.auditLog.append(record)));
    await vi.waitFor(async () => expect(await signed(url)).toBeGreaterThanOrEqual(400 * round), { timeout: 10_000 });
  }
  await log.stop();
  // As the gateway's own round does: usage is counted before anything may leave.
  await withClient(url, async (client) => {
    for (let counted = true; counted;) {
      const { rows } = await client.query<{ rolled: string }>('SELECT rolled FROM audit.roll_usage()');
      counted = Number(rows[0]?.rolled ?? 0) > 0;
    }
  });
}

async function signed(url: string): Promise<number> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ size: string | null }>('SELECT max(size) AS size FROM audit.checkpoint'),
  );
  return Number(rows[0]?.size);
}
