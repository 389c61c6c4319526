import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/platform/embedded/postgres.js';
import { migrate } from '../../src/platform/index.js';
import { type DevCredentials, startSystem } from './system.js';

declare module 'vitest' {
  interface ProvidedContext {
    shared: { dataDir: string; credentials: DevCredentials };
    /** A cluster for the databases of specs, and the one in it that they are copies of. */
    cluster: { superuserUrl: string; template: string };
  }
}

const TEMPLATE = 'migrated';

/** Builds once and starts the one system that most end-to-end suites share, and the one cluster that most specs have their database in. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const built = spawnSync(process.execPath, [join(import.meta.dirname, '..', '..', 'scripts', 'build.mjs')], {
    stdio: 'inherit',
  });
  if (built.status !== 0) throw new Error('the build failed');
  const system = await startSystem();
  project.provide('shared', { dataDir: system.dataDir, credentials: system.credentials });
  const cluster = await startCluster();
  project.provide('cluster', { superuserUrl: cluster.superuserUrl, template: TEMPLATE });
  return async () => {
    await cluster.stop();
    await system.stop();
  };
}

async function startCluster(): Promise<{ superuserUrl: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-specs-'));
  await chmod(folder, 0o755);
  const dataDir = join(folder, 'data');
  const postgres = await startEmbeddedPostgres({ dataDir, durable: false, stopWithParent: true });
  const { superuserUrl } = postgres;
  const client = new Client(superuserUrl);
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await client.end();
  const template = new URL(superuserUrl);
  template.pathname = TEMPLATE;
  await migrate(template.href, template.href);
  return {
    superuserUrl,
    stop: async () => {
      await postgres.stop({ remove: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
