import { Client } from 'pg';
import { HOST, type Running } from './postmaster.js';

/** Where to reach a cluster that runs. */
export interface PostgresAddress {
  readonly superuserUrl: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
}

/** Fit to be taken over as it is: ours, of the same version, and as durable as asked for. */
export async function isFit(
  running: Running,
  password: string,
  cluster: string,
  durable: boolean,
  version: string,
): Promise<boolean> {
  const answer = await ask(running, password, cluster);
  const [major, minor] = version.split('.');
  return answer !== undefined && answer.fsync === durable && answer.version === `${major}.${minor}`;
}

interface ServerFacts {
  readonly version: string;
  readonly fsync: boolean;
}

/** Logs in; undefined when that fails, or when another cluster answers on this port. */
export async function ask(running: Running, password: string, cluster: string): Promise<ServerFacts | undefined> {
  const client = new Client({
    connectionString: addressOf(running, password).superuserUrl,
    // Whatever PGSSLMODE says: this server has no TLS, and is on the loopback interface only.
    ssl: false,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ folder: string; version: string; fsync: string }>(
      `select current_setting('data_directory') as folder, current_setting('server_version') as version, current_setting('fsync') as fsync`,
    );
    const [row] = rows;
    if (row?.folder !== cluster) return undefined;
    return { version: row.version.split(' ')[0] ?? '', fsync: row.fsync === 'on' };
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

export function addressOf(running: Running, password: string): PostgresAddress {
  const { port } = running;
  return {
    superuserUrl: `postgresql://postgres:${password}@${HOST}:${port}/postgres`,
    host: HOST,
    port,
    pid: running.process.pid,
  };
}
