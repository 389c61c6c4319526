import { ConfigError, loadConfig, migrate } from '../platform/index.js';

export async function migrateVerb(): Promise<void> {
  const { database } = loadConfig(process.env);
  if (database.url === undefined)
    throw new ConfigError('must be given: the embedded database migrates itself at its start', 'DATABASE_URL');
  const applied = await migrate(database.migrationUrl ?? database.url, database.url);
  process.stdout.write(applied.length === 0 ? 'nothing to apply\n' : `${applied.join('\n')}\n`);
}
