import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EntitySchema, MixedList } from 'typeorm';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { APP_ROLE, Database, migrate } from '../../src/platform/index.js';

export interface TestDatabase {
  /** As the application role. */
  database: Database;
  superuserUrl: string;
  /** Of the postmaster at work. */
  pid(): number;
  /** One more pool on the same database, as another instance would have. */
  another(): Promise<Database>;
  stop(): Promise<void>;
}

/** A fresh cluster with every migration applied, for the specs of one file. */
export async function startTestDatabase(
  entities: MixedList<(new () => object) | EntitySchema> = [],
  { durable = false } = {},
): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-spec-'));
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), durable, stopWithParent: true });
  const pools: Database[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(pools.map((pool) => pool.close()));
    await postgres.stop({ remove: true });
    await rm(folder, { recursive: true, force: true });
  };
  await migrate(postgres.superuserUrl, postgres.superuserUrl).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const another = async (): Promise<Database> => {
    const database = await Database.open({
      url: postgres.superuserUrl,
      role: APP_ROLE,
      entities,
      poolSize: 8,
      statementTimeoutMs: 10_000,
      applicationName: 'gatehouse-spec',
    });
    pools.push(database);
    return database;
  };
  return {
    database: await another(),
    superuserUrl: postgres.superuserUrl,
    pid: () => postgres.pid,
    another,
    stop,
  };
}
