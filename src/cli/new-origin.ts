import { beginOrigin } from '../audit/index.js';
import { ConfigError, loadConfig, SystemClock } from '../platform/index.js';
import { reach } from './verify.js';

/** `gatehouse new-origin NAME`: after a restore to an earlier point, with every instance stopped. */
export async function newOriginVerb(name: string, options: { reason: string }): Promise<void> {
  if (!/^[a-z0-9][a-z0-9./-]{2,127}$/.test(name)) throw new ConfigError('must be a lower-case name', 'NAME');
  const { database, dataDir } = loadConfig(process.env, { together: false });
  const url = database.migrationUrl ?? database.url;
  const reached = url === undefined ? await reach(dataDir) : { url, release: () => Promise.resolve() };
  try {
    const { previous, first } = await beginOrigin(reached.url, name, options.reason, new SystemClock());
    process.stdout.write(
      `${previous} ends before record ${first}; from there on the log is ${name}: set audit.origin to it\n`,
    );
  } catch (error) {
    throw error instanceof TypeError ? new ConfigError(error.message, 'NAME') : error;
  } finally {
    await reached.release();
  }
}
