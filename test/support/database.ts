import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { EntitySchema, MixedList } from 'typeorm';
import { inject } from 'vitest';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { APP_ROLE, Database, migrate } from '../../src/platform/index.js';

export interface TestDatabase {
  /** As the application role. */
  database: Database;
  superuserUrl: string;
  /** One more pool on the same database, as another instance would have. */
  another(): Promise<Database>;
  stop(): Promise<void>;
}

export interface TestCluster extends TestDatabase {
  /** Of the postmaster at work. */
  pid(): number;
}

type Entities = MixedList<(new () => object) | EntitySchema>;

/** A cluster of its own with every migration applied. */
export async function startTestCluster(entities: Entities = [], { durable = false } = {}): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-spec-'));
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), durable, stopWithParent: true });
  const { superuserUrl } = postgres;
  const stop = async (): Promise<void> => {
    await postgres.stop({ remove: true });
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await migrate(superuserUrl, superuserUrl);
    return { ...(await opened(superuserUrl, entities, stop)), pid: () => postgres.pid };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A fresh database with every migration applied, for the specs of one file: in the cluster of the whole run where there is one. */
export async function startTestDatabase(entities: Entities = []): Promise<TestDatabase> {
  const cluster = inject('cluster');
  if (cluster === undefined) return startTestCluster(entities);
  const name = `spec_${randomUUID().replaceAll('-', '')}`;
  await ask(cluster.superuserUrl, `CREATE DATABASE ${name} TEMPLATE ${cluster.template} STRATEGY FILE_COPY`);
  const url = new URL(cluster.superuserUrl);
  url.pathname = name;
  return opened(url.href, entities, () => ask(cluster.superuserUrl, `DROP DATABASE ${name} WITH (FORCE)`));
}

async function opened(superuserUrl: string, entities: Entities, end: () => Promise<void>): Promise<TestDatabase> {
  const pools: Database[] = [];
  const another = async (): Promise<Database> => {
    const database = await Database.open({
      url: superuserUrl,
      role: APP_ROLE,
      entities,
      poolSize: 8,
      statementTimeoutMs: 10_000,
      applicationName: 'gatehouse-spec',
    });
    pools.push(database);
    return database;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(pools.map((pool) => pool.close()));
    await end();
  };
  return { database: await another(), superuserUrl, another, stop };
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
