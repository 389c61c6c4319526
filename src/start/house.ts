import { type KeyObject, randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { type Audit, openAudit, shipOperationalLog } from '../audit/index.js';
import { authEntities } from '../auth/index.js';
import { drillsEntities } from '../drills/index.js';
import { incidentsEntities } from '../incidents/index.js';
import { orchestrationEntities } from '../orchestration/index.js';
import {
  APP_ROLE,
  type Clock,
  type Config,
  ConfigError,
  Database,
  ensureDevelopmentCertificates,
  Keyring,
  Lifecycle,
  ListenerServer,
  listenerUrl,
  type Log,
  migrate,
  type Origins,
  readLogKey,
  readMasterKey,
  startTelemetry,
  SystemClock,
  type Telemetry,
  uuidv7,
} from '../platform/index.js';
import { webhooksEntities } from '../webhooks/index.js';
import { type Application, openApplication } from './application.js';
import { developmentClients } from './credentials.js';
import {
  type Development,
  developmentConfig,
  openDevelopment,
  openSandbox,
  type RunningSandbox,
} from './development.js';

/** How often a receiver is given what the operational log has said. */
const OPERATIONAL_EVERY_MS = 1_000;

export interface House {
  origins: Origins;
  sandboxUrl: string | undefined;
  /** Where a script finds what it needs; only on the embedded default. */
  credentialsFile: string | undefined;
  close(): Promise<void>;
}

interface Listeners {
  public: ListenerServer;
  admin: ListenerServer;
  adminPort: number;
  origins: Origins;
  caFile: string | undefined;
  tls: { cert: string; key: string };
}

/** Undoes in reverse what was done so far, whatever fails on the way. */
class Undo {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  async run(log: Log): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) {
      await step().catch((error: unknown) => log.error('a step of the stop failed', { error }));
    }
  }
}

/** Builds the whole house: data, listeners, vendor or sandbox, application. What fails half-way is taken down again. */
export async function openHouse(config: Config, log: Log): Promise<House> {
  const undo = new Undo();
  try {
    return await build(config, log, undo);
  } catch (error) {
    await undo.run(log);
    throw error;
  }
}

async function build(config: Config, log: Log, undo: Undo): Promise<House> {
  const clock = new SystemClock();
  const lifecycle = new Lifecycle();
  const instance = randomBytes(6).toString('hex');
  const listeners = await openListeners(config, clock, undo);
  const development = config.database.url === undefined ? await openDevelopment(config, log) : undefined;
  if (development) undo.add(() => development.stop());
  const { keyring, logKeys } = readKeys(config, development);
  const databaseUrl = config.database.url ?? development?.databaseUrl ?? '';
  await migrate(config.database.migrationUrl ?? databaseUrl, databaseUrl);
  const sandbox = await sandboxOf(config, development, listeners, undo);
  const telemetry = startTelemetry(config, instance);
  undo.add(() => telemetry.stop());
  const database = await openDatabase(config, databaseUrl, undo);
  const settled =
    development && sandbox ? developmentConfig(config, development, sandbox.url, listeners.caFile ?? '') : config;
  const dir = join(config.dataDir, 'journal');
  const signing = { dir: join(config.dataDir, 'checkpoints'), keys: logKeys };
  const audit = await openAudit({
    config: settled,
    clock,
    log,
    url: databaseUrl,
    instance,
    dir,
    dataDir: config.dataDir,
    signing,
  });
  await shipLog(config, audit, clock, log, undo);
  const application = await openApplication({
    audit,
    config: settled,
    clock,
    database,
    keyring,
    lifecycle,
    log,
    origins: listeners.origins,
    telemetry,
    servers: listeners,
    adminPort: listeners.adminPort,
  });
  undo.add(() => application.close());
  // No default credential exists where another issuer says who is who.
  const credentialsFile =
    development && config.auth.issuer === undefined
      ? await developmentClients(application, development, {
          ...listeners.origins,
          sandboxUrl: sandbox?.url ?? null,
          caFile: listeners.caFile ?? resolve(listeners.tls.cert),
        })
      : undefined;
  await tellLife(audit, clock, 'gateway.started');
  undo.add(() => tellLife(audit, clock, 'gateway.stopped'));
  application.open();
  lifecycle.serve();
  return {
    origins: listeners.origins,
    sandboxUrl: sandbox?.url,
    credentialsFile,
    close: () => closeHouse({ config, lifecycle, listeners, application, telemetry, log, undo }),
  };
}

/** The operational log goes to the same receivers as the records, through a spool that needs no database. */
async function shipLog(config: Config, audit: Audit, clock: Clock, log: Log, undo: Undo): Promise<void> {
  const { sinks } = audit.siem;
  if (sinks.length === 0) return;
  const dir = join(config.dataDir, 'operational');
  const shipping = await shipOperationalLog({ log, clock, dir, sinks, everyMs: OPERATIONAL_EVERY_MS });
  undo.add(() => shipping.stop());
}

/** The beginning and end of an instance stand in the log: what lies between them without an end was a crash. */
async function tellLife(audit: Audit, clock: Clock, kind: 'gateway.started' | 'gateway.stopped'): Promise<void> {
  await audit.auditLog.append({
    id: uuidv7(clock.epochMs()),
    at: clock.now().toISOString(),
    kind,
    detail: { node: process.versions.node },
  });
}

async function openListeners(config: Config, clock: Clock, undo: Undo): Promise<Listeners> {
  const { public: outer, admin: inner } = config.listeners;
  const made =
    outer.tls.cert === undefined || inner.tls.cert === undefined
      ? await developmentCertificates(config.dataDir, [outer.host, inner.host], clock)
      : undefined;
  const files = (tls: { cert?: string | undefined; key?: string | undefined }) => ({
    cert: tls.cert ?? made?.certFile ?? '',
    key: tls.key ?? made?.keyFile ?? '',
  });
  const open = async (
    name: 'public' | 'admin',
    { host, port, tls }: Config['listeners']['public'],
  ): Promise<[ListenerServer, number]> => {
    const server = tlsServer(name, files(tls), config);
    const bound = await server.listen(host, port);
    undo.add(() => server.close());
    return [server, bound];
  };
  const [publicServer, publicPort] = await open('public', outer);
  const [adminServer, adminPort] = await open('admin', inner);
  return {
    public: publicServer,
    admin: adminServer,
    adminPort,
    origins: {
      publicUrl: outer.url ?? listenerUrl(outer.host, publicPort),
      adminUrl: inner.url ?? listenerUrl(inner.host, adminPort),
    },
    caFile: made === undefined ? undefined : resolve(made.caFile),
    tls: files(outer.tls),
  };
}

async function developmentCertificates(dataDir: string, hosts: string[], clock: Clock) {
  try {
    return await ensureDevelopmentCertificates(dataDir, hosts, clock);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    throw new ConfigError(`the data folder ${resolve(dataDir)} cannot be written (${code})`, 'GATEHOUSE_DATA_DIR');
  }
}

function tlsServer(name: 'public' | 'admin', files: { cert: string; key: string }, config: Config): ListenerServer {
  try {
    return new ListenerServer(name, files, config.listeners.connections, config.policy.limits.headers);
  } catch {
    throw new ConfigError('the certificate and its key cannot be used', 'GATEHOUSE_TLS_CERT');
  }
}

function readKeys(config: Config, development: Development | undefined): { keyring: Keyring; logKeys: KeyObject[] } {
  const master = readMasterKey(config.keys.masterKeyFile ?? development?.masterKeyFile ?? '');
  const { logKeyFile = development?.logKeyFile ?? '', previousLogKeyFile } = config.keys;
  const logKeys = [logKeyFile, previousLogKeyFile].flatMap((file) => (file === undefined ? [] : [readLogKey(file)]));
  return { keyring: new Keyring(master), logKeys };
}

async function openDatabase(config: Config, url: string, undo: Undo): Promise<Database> {
  const database = await Database.open({
    url,
    role: APP_ROLE,
    entities: [...authEntities, ...orchestrationEntities, ...webhooksEntities, ...incidentsEntities, ...drillsEntities],
    poolSize: config.database.pool,
    statementTimeoutMs: config.database.statementTimeout,
    applicationName: 'gatehouse',
  });
  undo.add(() => database.close());
  const [row] = await database.query<{ role: string }>('SELECT current_user AS role');
  if (row?.role !== APP_ROLE) {
    throw new ConfigError(
      `the connection does not take on the role ${APP_ROLE}; a pooler in between must pass start-up options on`,
      'DATABASE_URL',
    );
  }
  return database;
}

async function sandboxOf(
  config: Config,
  development: Development | undefined,
  listeners: Listeners,
  undo: Undo,
): Promise<RunningSandbox | undefined> {
  if (!development || config.vendors.didit.baseUrl !== undefined || listeners.caFile === undefined) return undefined;
  const tls = { ...listeners.tls, ca: listeners.caFile };
  const sandbox = await openSandbox(config, development, tls, `${listeners.origins.publicUrl}/webhooks/didit`);
  undo.add(() => sandbox.stop());
  return sandbox;
}

interface Closing {
  config: Config;
  lifecycle: Lifecycle;
  listeners: Listeners;
  application: Application;
  telemetry: Telemetry;
  log: Log;
  undo: Undo;
}

/** No new connection, calls under way end, then the application and what stands under it. */
async function closeHouse({ config, lifecycle, listeners, log, undo }: Closing): Promise<void> {
  lifecycle.drain();
  const closed = Promise.all([listeners.public.close(), listeners.admin.close()]);
  if (!(await lifecycle.idle(config.shutdown.drain)))
    log.warn('calls were still under way when the time to drain was up', { count: lifecycle.underWay });
  listeners.public.server.closeAllConnections();
  listeners.admin.server.closeAllConnections();
  await closed;
  await undo.run(log);
}
