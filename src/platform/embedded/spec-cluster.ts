import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type SpecChild, startSpecChild } from '../development/spec-child.js';
import { findPostmaster, stopPostmaster } from './postmaster.js';

/** A folder that PostgreSQL's user may enter too. */
export async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-pg-'));
  await chmod(folder, 0o755);
  return folder;
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  // The end of a session also comes as an event; its error is the query's.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Another process that starts the cluster and prints its address as JSON; `afterwards` is what it does after. */
export function startInChild(
  dataDir: string,
  options: {
    user?: { uid: number; gid: number };
    stopWithParent?: boolean;
    durable?: boolean;
    afterwards?: string;
  } = {},
): SpecChild {
  const { user, afterwards = 'setInterval(() => {}, 1000);', ...rest } = options;
  const code = `
    const { startEmbeddedPostgres } = await import(source('embedded/postgres.ts'));
    const postgres = await startEmbeddedPostgres(${JSON.stringify({ dataDir, durable: false, ...rest })});
    console.log(JSON.stringify(postgres));
    ${afterwards}`;
  return startSpecChild(code, user);
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** Ends what a spec that failed in the middle has left in the data folder, and waits for what is ending by itself. */
export async function killLeft(dataDir: string): Promise<void> {
  const cluster = join(dataDir, 'postgres');
  const postmaster = await findPostmaster(cluster);
  if (postmaster) await stopPostmaster(postmaster.process, cluster);
}
