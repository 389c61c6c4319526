import { ConfigError, loadConfig } from '../platform/index.js';
import { reach } from './verify.js';

/**
 * Runs `work` on the database of the settings: that of `DATABASE_URL`, or the embedded one of the data folder.
 * @throws ConfigError that names the setting when the database cannot be read
 */
export async function withDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const { database, dataDir } = loadConfig(process.env, { together: false });
  if (database.url !== undefined) return told(work(database.url), 'DATABASE_URL');
  const reached = await reach(dataDir);
  try {
    return await told(work(reached.url), 'GATEHOUSE_DATA_DIR');
  } finally {
    await reached.release();
  }
}

/** What the server or the way to it says, and nothing else, is the database's. */
function told<T>(work: Promise<T>, setting: string): Promise<T> {
  return work.catch((error: unknown) => {
    const { code, syscall } = error as { code?: string; syscall?: string };
    if (code === undefined || (syscall !== undefined && syscall !== 'connect')) throw error;
    throw new ConfigError(`the log cannot be read (${code})`, setting);
  });
}
