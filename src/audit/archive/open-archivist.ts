import { type Clock, type Config, ConfigError } from '../../platform/index.js';
import { Connection, sqlState } from '../connection.js';
import { Archivist, ARCHIVIST_ROLE, type ArchivistParts } from './archivist.js';
import { keepOf } from './retention.js';

export interface ArchivistOptions extends Pick<ArchivistParts, 'dir' | 'onProgress'> {
  config: Pick<Config, 'audit'>;
  clock: Clock;
  /** Postgres; the connection takes on the archivist's role. */
  url: string;
}

const STATEMENT_TIMEOUT_MS = 60_000;
const LOCK_TIMEOUT_MS = 1_000;
const MAY_NOT = new Set(['42501', '22023']);

/** Works as the archivist, on a connection of its own. @throws ConfigError when the login may not take on the role */
export async function asArchivist<T>(
  { config, url, ...parts }: ArchivistOptions,
  work: (archivist: Archivist) => Promise<T>,
): Promise<T> {
  const connection = new Connection({
    url,
    role: ARCHIVIST_ROLE,
    applicationName: 'gatehouse-archivist',
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: LOCK_TIMEOUT_MS,
  });
  try {
    await connection.query({ text: 'SELECT 1' }).catch((error: unknown) => {
      if (!MAY_NOT.has(sqlState(error) ?? '')) throw error;
      throw new ConfigError(`its login must be a member of ${ARCHIVIST_ROLE}`, 'DATABASE_ARCHIVE_URL');
    });
    return await work(new Archivist({ ...parts, connection, keep: keepOf(config.audit.retention) }));
  } finally {
    await connection.close();
  }
}
