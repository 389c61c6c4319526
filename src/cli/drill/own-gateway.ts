import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { BootstrapSecrets } from '../../auth/index.js';
import type { AttemptTold, Scenario } from '../../drills/index.js';
import { type Config, generateKeyFiles, loadConfig } from '../../platform/index.js';
import { bootstrapDatabase } from '../bootstrap.js';
import { Instance } from './instance.js';

/** Limits that a drill's load never meets, and time-outs that end within the deadlines of the scenarios that ship. */
const SETTINGS = {
  policy: { rates: { client: '1000000/min', key: '1000000/min', address: '1000000/min', anonymous: '1000000/min' } },
  vendors: { didit: { timeouts: { read: '2s', write: '2s', check: '5s', connect: '1s' } } },
  database: { statementTimeout: '2s' },
};

export interface GatewayParts {
  dir: string;
  databaseUrl: string;
  redisUrl: string | undefined;
  vendorUrl: string;
  vendor: { apiKey: string; webhookSecret: string; workflowId: string };
  tls: { certFile: string; keyFile: string; caFile: string };
  publicUrl: string;
  adminUrl: string;
  /** Told of what they send to the vendor. */
  told: (attempt: AttemptTold) => void;
  system: Scenario['system'];
}

/** The gateways of a drill as an operator would set them up: keys, settings, the first administrator and client. None is started yet. */
export async function ownGateways(parts: GatewayParts): Promise<OwnGateways> {
  const { dir, tls, vendor, system } = parts;
  const keys = join(dir, 'keys');
  const settings = join(dir, 'gatehouse.yaml');
  writeFileSync(settings, stringify(merged(SETTINGS, system.settings)));
  const env: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'] ?? '',
    GATEHOUSE_CONFIG: settings,
    DATABASE_URL: parts.databaseUrl,
    ...(parts.redisUrl === undefined ? {} : { REDIS_URL: parts.redisUrl }),
    DIDIT_BASE_URL: parts.vendorUrl,
    DIDIT_API_KEY: vendor.apiKey,
    DIDIT_WEBHOOK_SECRET: vendor.webhookSecret,
    DIDIT_WORKFLOW_ID: vendor.workflowId,
    DIDIT_CA_FILE: tls.caFile,
    GATEHOUSE_MASTER_KEY_FILE: join(keys, 'master.key'),
    GATEHOUSE_LOG_KEY_FILE: join(keys, 'log.key'),
    GATEHOUSE_TLS_CERT: tls.certFile,
    GATEHOUSE_TLS_KEY: tls.keyFile,
    GATEHOUSE_PUBLIC_URL: parts.publicUrl,
    GATEHOUSE_ADMIN_URL: parts.adminUrl,
    GATEHOUSE_LOG_LEVEL: 'warn',
  };
  await generateKeyFiles(keys);
  const config = loadConfig({ ...env, GATEHOUSE_DATA_DIR: join(dir, 'bootstrap') });
  const secrets = await bootstrapDatabase(config);
  const dataDirs = Array.from({ length: system.instances }, (_, n) => join(dir, `instance-${n}`));
  const instances: Instance[] = [];
  for (const dataDir of dataDirs) {
    mkdirSync(dataDir, { recursive: true });
    instances.push(
      new Instance({ ...env, GATEHOUSE_DATA_DIR: dataDir }, await freePort(), await freePort(), parts.told),
    );
  }
  return new OwnGateways(instances, dataDirs, secrets, config);
}

/** The gateways of a drill's own system. */
export class OwnGateways {
  #killed = 0;

  constructor(
    readonly instances: readonly Instance[],
    readonly dataDirs: readonly string[],
    readonly secrets: BootstrapSecrets,
    readonly config: Config,
  ) {}

  /** So many are up, and no others. */
  async bring(count: number): Promise<void> {
    const start = async (instance: Instance): Promise<void> => void (instance.isUp || (await instance.start()));
    await Promise.all(this.instances.map((instance, n) => (n < count ? start(instance) : instance.stop())));
  }

  /** The first so many are dead; those that were and need not be any more are started again. */
  async kill(count: number): Promise<void> {
    const before = this.#killed;
    this.#killed = count;
    for (const [n, instance] of this.instances.entries()) {
      if (n < count && n >= before) await instance.kill();
      if (n >= count && n < before) await instance.start();
    }
  }

  shiftClock(seconds: number): void {
    for (const instance of this.instances) instance.shiftClock(seconds);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
  await new Promise((resolve) => server.close(resolve));
  return port;
}

type Tree = { readonly [key: string]: unknown };

function merged(under: Tree, over: Tree): Tree {
  const out: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const [below, above] = [out[key], value];
    out[key] = isTree(below) && isTree(above) ? merged(below, above) : above;
  }
  return out;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
