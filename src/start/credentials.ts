import { randomBytes } from 'node:crypto';
import { ensureDevelopmentClients, type DevSecrets } from '../auth/index.js';
import { APP_ROLE, dataSource } from '../platform/index.js';
import type { Application } from './application.js';
import { type Development, knownCredentials, writeCredentials } from './development.js';

interface Where {
  publicUrl: string;
  adminUrl: string;
  sandboxUrl: string | null;
  caFile: string;
}

/** Makes the development clients and administrators once and writes what a script needs to `<data>/dev-credentials.json`. */
export async function developmentClients(
  application: Application,
  development: Development,
  where: Where,
): Promise<string> {
  const known = knownCredentials<DevSecrets>(development.dataDir);
  const secrets = await ensureDevelopmentClients(application.app, known);
  return writeCredentials(development.dataDir, {
    ...where,
    pid: process.pid,
    databaseUrl: development.databaseUrl,
    appDatabaseUrl: await appLogin(development.databaseUrl),
    tokenUrl: `${where.publicUrl}/oauth/token`,
    adminTokenUrl: `${where.adminUrl}/oauth/token`,
    ...secrets,
    opsToken: development.secrets.opsToken,
    diditApiKey: development.secrets.diditApiKey,
    diditWorkflowId: development.secrets.diditWorkflowId,
    diditWebhookUrl: `${where.publicUrl}/webhooks/didit`,
    diditWebhookSecret: development.secrets.diditWebhookSecret,
  });
}

/** A login for the application role itself, so that tests and people can see what it may do; anew at each start. */
async function appLogin(superuserUrl: string): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  const source = await dataSource({
    url: superuserUrl,
    poolSize: 1,
    statementTimeoutMs: 5_000,
    applicationName: 'gatehouse-start',
  }).initialize();
  try {
    // A utility statement takes no parameters; the password is base64url of ours.
    await source.query(`ALTER ROLE ${APP_ROLE} LOGIN PASSWORD '${password}'`);
  } finally {
    await source.destroy();
  }
  const url = new URL(superuserUrl);
  url.username = APP_ROLE;
  url.password = password;
  return url.href;
}
