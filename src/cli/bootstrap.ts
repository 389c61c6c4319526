import { join } from 'node:path';
import { type Audit, openAudit } from '../audit/index.js';
import { authEntities, bootstrap, type BootstrapOptions, type BootstrapSecrets } from '../auth/index.js';
import {
  APP_ROLE,
  type Config,
  ConfigError,
  Database,
  listenerUrl,
  loadConfig,
  Log,
  migrate,
  SystemClock,
} from '../platform/index.js';

const dontSay = new Log('error');

/** `gatehouse bootstrap`: a production database from nothing to its first administrator and client; secrets are printed once. */
export async function bootstrapVerb(options: { json?: boolean }): Promise<void> {
  const config = loadConfig(process.env);
  const secrets = await bootstrapDatabase(config);
  print(options.json === true, {
    adminTokenUrl: tokenUrl(config.listeners.admin),
    adminClientId: secrets.adminClientId,
    adminClientSecret: secrets.adminClientSecret,
    tokenUrl: tokenUrl(config.listeners.public),
    apiKey: secrets.apiKey,
    clientId: secrets.clientId,
    clientSecret: secrets.clientSecret,
  });
}

/** Migrates and makes the first administrator and client. @throws ConfigError, AlreadyBootstrapped */
export async function bootstrapDatabase(config: Config): Promise<BootstrapSecrets> {
  const { url, migrationUrl } = config.database;
  if (url === undefined)
    throw new ConfigError('must be given: the embedded default makes its own credentials', 'DATABASE_URL');
  await migrate(migrationUrl ?? url, url);
  const database = await Database.open({
    url,
    role: APP_ROLE,
    entities: authEntities,
    poolSize: 2,
    statementTimeoutMs: config.database.statementTimeout,
    applicationName: 'gatehouse-bootstrap',
  });
  try {
    const clock = new SystemClock();
    const audit = await openAudit({
      config,
      clock,
      log: dontSay,
      url,
      instance: 'bootstrap',
      dir: join(config.dataDir, 'journal'),
    });
    return await made(database, audit, { keyMaxAgeDays: config.auth.keys.maxAgeDays, clock });
  } finally {
    await database.close();
  }
}

async function made(database: Database, audit: Audit, options: BootstrapOptions): Promise<BootstrapSecrets> {
  try {
    return await bootstrap(database, audit.auditLog, options);
  } finally {
    await audit.stop();
  }
}

/** As the gateway will announce it; null where it takes any free port, which only its start knows. */
function tokenUrl({ host, port, url }: Config['listeners']['admin']): string | null {
  if (url === undefined && port === 0) return null;
  return `${url ?? listenerUrl(host, port)}/oauth/token`;
}

function print(json: boolean, secrets: Record<string, string | null>): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(secrets)}\n`);
    return;
  }
  process.stdout.write('The first administrator and client. These secrets are shown once and stored as hashes:\n\n');
  for (const [name, value] of Object.entries(secrets))
    process.stdout.write(
      `  ${name.padEnd(18)} ${value ?? 'under the address that the start announces: its port is not set'}\n`,
    );
}
