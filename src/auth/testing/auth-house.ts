import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  APP_ROLE,
  type Clock,
  Database,
  Keyring,
  type Listener,
  loadConfig,
  Log,
  migrate,
} from '../../platform/index.js';
import { startEmbeddedPostgres, SystemClock } from '../../platform/index.js';
import { AdministratorDirectory } from '../administrator-directory.js';
import { ApiKeys } from '../api-keys.js';
import { Authenticator } from '../authenticator.js';
import { ClientDirectory } from '../client-directory.js';
import { authEntities } from '../entities/all.js';
import type { TokenAnswer } from '../issuer/answers.js';
import { createIssuers, type IssuerGateway } from '../issuer/issuers.js';
import { LastUse } from '../last-use.js';
import { AdminTokenStrategy, ClientTokenStrategy } from '../tokens/strategies.js';
import { administratorTrust, clientTrust } from '../tokens/trusts.js';

/** A cluster of its own with every migration applied, seen as the gateway and as its superuser. */
export interface TestDatabase {
  app: Database;
  superuser: Database;
  stop(): Promise<void>;
}

export async function openTestDatabase(): Promise<TestDatabase> {
  const dir = await mkdtemp(join(tmpdir(), 'gatehouse-auth-'));
  await chmod(dir, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir: join(dir, 'data'), durable: false, stopWithParent: true });
  await migrate(postgres.superuserUrl, postgres.superuserUrl);
  const options = { url: postgres.superuserUrl, poolSize: 4, statementTimeoutMs: 10_000, applicationName: 'auth-spec' };
  const app = await Database.open({ ...options, role: APP_ROLE, entities: authEntities });
  const superuser = await Database.open(options);
  return {
    app,
    superuser,
    stop: async () => {
      await app.close();
      await superuser.close();
      await postgres.stop({ remove: true });
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** One instance's authentication, with its two listeners on plain HTTP. */
export interface AuthHouse {
  gateway: IssuerGateway;
  authenticator: Authenticator;
  lastUse: LastUse;
  answers: TokenAnswer[];
  urls: Record<Listener, string>;
  /** What the recorder does before an answer leaves; replaced by tests of its failure. */
  record: (answer: TokenAnswer) => Promise<void>;
  stop(): Promise<void>;
}

export interface HouseOptions {
  clock?: Clock;
  keyring?: Keyring;
  /** Origins to issue under in place of the listeners' own: two instances behind one address. */
  urls?: Record<Listener, string>;
  tokenLifetimeMs?: number;
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

export async function openAuthHouse(database: Database, options: HouseOptions = {}): Promise<AuthHouse> {
  const config = loadConfig({});
  const clock = options.clock ?? new SystemClock();
  const log = new Log('silent');
  const servers = { public: createServer(), admin: createServer() };
  const own = { public: await listen(servers.public), admin: await listen(servers.admin) };
  const urls = options.urls ?? own;
  const answers: TokenAnswer[] = [];
  const house: Pick<AuthHouse, 'record'> = {
    record: (answer) => {
      answers.push(answer);
      return Promise.resolve();
    },
  };
  const gateway = await createIssuers({
    publicUrl: urls.public,
    adminUrl: urls.admin,
    database,
    keyring: options.keyring ?? new Keyring(randomBytes(32)),
    clock,
    log,
    tokenLifetimeMs: options.tokenLifetimeMs ?? config.auth.tokenLifetime,
    onAnswer: (answer) => house.record(answer),
  });
  for (const listener of ['public', 'admin'] as const) {
    servers[listener].on('request', (req, res) => {
      const path = (req.url ?? '/').split('?')[0] ?? '/';
      if (gateway.handles(listener, path)) void gateway.handle(listener, req, res);
      else res.writeHead(404).end();
    });
  }
  const lastUse = new LastUse(database, clock, log);
  const authenticator = new Authenticator(
    new ApiKeys(database, clock),
    new ClientDirectory(database, clock),
    new AdministratorDirectory(database, clock),
    new ClientTokenStrategy(clientTrust(config.auth, clock, gateway.trustedIssuer('public'))),
    new AdminTokenStrategy(administratorTrust(config.auth, urls.admin, clock, gateway.trustedIssuer('admin'))),
    lastUse,
    clock,
  );
  const stop = async (): Promise<void> => {
    gateway.onApplicationShutdown();
    await Promise.all(
      [servers.public, servers.admin].map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  };
  return Object.assign(house, { gateway, authenticator, lastUse, answers, urls: own, stop });
}
