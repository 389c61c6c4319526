import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  type Config,
  createFileOnce,
  ensureLogKey,
  ensureMasterKey,
  lockDataDir,
  Secret,
  startEmbeddedPostgres,
  writeFileAtomically,
} from '../platform/index.js';
import { launchSandbox } from '../sandbox/index.js';

/** What the sandbox and the gateway must agree on; made once a data folder. */
export interface SandboxSecrets {
  diditApiKey: string;
  diditWorkflowId: string;
  diditWebhookSecret: string;
  opsToken: string;
}

/** The embedded default: a cluster, keys and secrets in the data folder, for one instance and for development only. */
export interface Development {
  dataDir: string;
  databaseUrl: string;
  secrets: SandboxSecrets;
  masterKeyFile: string;
  logKeyFile: string;
  stop(): Promise<void>;
}

export async function openDevelopment(
  config: Config,
  log: Parameters<typeof startEmbeddedPostgres>[0]['log'],
): Promise<Development> {
  const dataDir = resolve(config.dataDir);
  const lock = await lockDataDir(dataDir);
  const masterKeyFile = config.keys.masterKeyFile ?? join(dataDir, 'master.key');
  const logKeyFile = config.keys.logKeyFile ?? join(dataDir, 'log.key');
  await ensureMasterKey(masterKeyFile);
  await ensureLogKey(logKeyFile);
  const postgres = await startEmbeddedPostgres({ dataDir, ...(log === undefined ? {} : { log }) });
  return {
    dataDir,
    databaseUrl: postgres.superuserUrl,
    secrets: await sandboxSecrets(dataDir),
    masterKeyFile,
    logKeyFile,
    stop: async () => {
      await postgres.stop();
      await lock.release();
    },
  };
}

async function sandboxSecrets(dataDir: string): Promise<SandboxSecrets> {
  const file = join(dataDir, 'sandbox-secrets.json');
  const made: SandboxSecrets = {
    diditApiKey: `sk_test_${randomBytes(32).toString('base64url')}`,
    diditWorkflowId: crypto.randomUUID(),
    diditWebhookSecret: randomBytes(32).toString('base64url'),
    opsToken: randomBytes(32).toString('base64url'),
  };
  await createFileOnce(file, `${JSON.stringify(made, null, 2)}\n`, 0o600);
  return JSON.parse(readFileSync(file, 'utf8')) as SandboxSecrets;
}

export interface RunningSandbox {
  url: string;
  stop(): Promise<void>;
}

/** The sandbox is a process of its own: it survives a `kill -9` of the gateway and is adopted by the next start. */
export async function openSandbox(
  config: Config,
  development: Development,
  tls: { cert: string; key: string; ca: string },
  webhookUrl: string,
): Promise<RunningSandbox> {
  const { dataDir, secrets } = development;
  return launchSandbox({
    settings: {
      host: config.listeners.public.host,
      port: config.sandbox.port,
      tls: { certFile: tls.cert, keyFile: tls.key, caFile: tls.ca },
      apiKey: secrets.diditApiKey,
      workflowId: secrets.diditWorkflowId,
      webhookSecret: secrets.diditWebhookSecret,
      webhookUrl,
      stateFile: join(dataDir, 'sandbox.json'),
    },
    settingsFile: join(dataDir, 'sandbox-settings.json'),
    stateFile: join(dataDir, 'sandbox.json'),
    entry: join(import.meta.dirname, '..', 'sandbox', 'main.js'),
  });
}

/** The configuration with what development fills in, as if an operator had set it. */
export function developmentConfig(
  config: Config,
  development: Development,
  sandboxUrl: string,
  caFile: string,
): Config {
  const { secrets } = development;
  return {
    ...config,
    listeners: {
      ...config.listeners,
      admin: { ...config.listeners.admin, opsToken: config.listeners.admin.opsToken ?? new Secret(secrets.opsToken) },
    },
    vendors: {
      didit: {
        ...config.vendors.didit,
        baseUrl: sandboxUrl,
        credential: { ...config.vendors.didit.credential, from: [new Secret(secrets.diditApiKey)] },
        webhookSecret: [new Secret(secrets.diditWebhookSecret)],
        caFile,
      },
    },
    workflows: {
      ...config.workflows,
      onboarding: { ...config.workflows.onboarding, workflowId: secrets.diditWorkflowId },
    },
  };
}

/** The last known development credentials, so that a restart keeps what scripts hold. */
export function knownCredentials<T>(dataDir: string): T | undefined {
  const file = join(dataDir, 'dev-credentials.json');
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

export async function writeCredentials(dataDir: string, credentials: object): Promise<string> {
  const file = join(dataDir, 'dev-credentials.json');
  await writeFileAtomically(file, `${JSON.stringify(credentials, null, 2)}\n`, 0o600);
  return file;
}
