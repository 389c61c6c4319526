import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { APP_ROLE, dataSource } from './database.js';

/** Migrations are compiled beside src: dist/src/platform/database → dist/migrations. */
const MIGRATIONS = join(import.meta.dirname, '..', '..', '..', 'migrations', '[0-9]*.{js,ts}');

/** Arbitrary but fixed: two instances that start at once migrate one after the other. */
const LOCK = 4_711_202_601;

function migrator(url: string): DataSource {
  const source = dataSource({ url, poolSize: 2, statementTimeoutMs: 600_000, applicationName: 'gatehouse-migrate' });
  source.setOptions({
    migrations: [MIGRATIONS],
    migrationsTableName: 'gatehouse_migrations',
    migrationsTransactionMode: 'each',
  });
  return source;
}

/**
 * Brings the schema up to date as the migrating role and lets the login of `appUrl` take on the application role.
 * @returns the names of the migrations that were applied.
 */
export async function migrate(migrationUrl: string, appUrl: string): Promise<string[]> {
  const source = await migrator(migrationUrl).initialize();
  const lock = source.createQueryRunner();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [LOCK]);
    const applied = await source.runMigrations();
    await admitLogin(source, decodeURIComponent(new URL(appUrl).username));
    return applied.map((migration) => migration.name);
  } finally {
    await lock.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => undefined);
    await lock.release();
    await source.destroy();
  }
}

async function admitLogin(source: DataSource, login: string): Promise<void> {
  if (login === '' || login === APP_ROLE) return;
  const rows = await source.query<{ admitted: boolean }[]>(
    `SELECT pg_has_role(rolname, $2, 'SET') AS admitted FROM pg_roles WHERE rolname = $1`,
    [login, APP_ROLE],
  );
  if (rows[0]?.admitted !== false) return;
  const [quoted] = await source.query<{ name: string }[]>('SELECT quote_ident($1) AS name', [login]);
  await source.query(`GRANT ${APP_ROLE} TO ${quoted?.name ?? ''}`);
}

/** Whether every migration of this build has been applied. */
export async function pendingMigrations(url: string): Promise<boolean> {
  const source = await migrator(url).initialize();
  try {
    return await source.showMigrations();
  } finally {
    await source.destroy();
  }
}
