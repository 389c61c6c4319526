import { NestFactory } from '@nestjs/core';
import { ModulesContainer } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Socket } from 'node:net';
import { AppModule } from '../app.module.js';
import type { Audit, RecordInput } from '../audit/index.js';
import { IssuerGateway } from '../auth/index.js';
import { ApiDocuments } from '../docs/index.js';
import { AuditedCommit } from '../orchestration/index.js';
import {
  answerParseError,
  type Clock,
  type Config,
  type Database,
  type Entrance,
  fastifyAdapter,
  type Handler,
  type Keyring,
  type Lifecycle,
  type ListenerServer,
  type Log,
  NestLog,
  type Origins,
  ProblemFilter,
  registerBodyParsers,
  registerEntrance,
  registerWayOut,
  RouteTable,
  type Telemetry,
  Tracing,
  uuidv7,
  validationPipe,
} from '../platform/index.js';
import { Anonymous, type CountedRefusals } from '../policy/index.js';
import { LateCommit } from './late-commit.js';
import { serveIssuers } from './issuers.js';

export interface ApplicationParts {
  audit: Audit;
  config: Config;
  clock: Clock;
  database: Database;
  keyring: Keyring;
  lifecycle: Lifecycle;
  log: Log;
  origins: Origins;
  telemetry: Telemetry;
  servers: { public: ListenerServer; admin: ListenerServer };
  adminPort: number;
}

export interface Application {
  app: NestFastifyApplication;
  /** Lets calls in. */
  open(): void;
  close(): Promise<void>;
}

/** One counted record for what an address was refused beyond the first few; a failing log is told by every other call already. */
function recordCounted({ audit, clock, log }: ApplicationParts, refusals: CountedRefusals): void {
  const record: RecordInput = {
    id: uuidv7(clock.epochMs()),
    at: clock.now().toISOString(),
    kind: 'auth.failed.counted',
    decision: {
      id: uuidv7(clock.epochMs()),
      outcome: 'deny',
      rule: 'auth.counted',
      reason: 'refused calls beyond the first of their minute',
    },
    detail: {
      address: refusals.address,
      count: refusals.count,
      from: refusals.from.toISOString(),
      to: refusals.to.toISOString(),
    },
  };
  audit.auditLog.append(record).catch((error: unknown) => log.error('a counted record was lost', { error }));
}

/** The Nest application on both listeners: one router, one corridor, one way out. */
export async function openApplication(parts: ApplicationParts): Promise<Application> {
  const { config, servers, log } = parts;
  const tracing = new Tracing(parts.telemetry.spans);
  const commit = new LateCommit();
  const anonymous = new Anonymous(parts.clock, config.policy.rates, (refusals) => recordCounted(parts, refusals));
  let routes = new RouteTable();
  let handler: Handler | undefined;
  const entrance: Entrance = {
    clock: parts.clock,
    limits: config.policy.limits,
    tracing,
    lifecycle: parts.lifecycle,
    routes: () => routes,
    listenerOf: (port) => (port === parts.adminPort ? 'admin' : 'public'),
    admit: (call) => {
      if (call.routeClass === 'data' || call.routeClass === 'admin') anonymous.admit(call);
    },
  };
  const adapter = fastifyAdapter({
    config,
    entrance,
    commit,
    publicServer: servers.public,
    onHandler: (made) => (handler = made),
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with({ ...parts, tracing, anonymous, routes: () => routes }),
    adapter,
    {
      logger: new NestLog(log),
      bodyParser: false,
      abortOnError: false,
    },
  );
  const fastify = app.getHttpAdapter().getInstance();
  registerBodyParsers(fastify, config.policy.limits);
  registerEntrance(fastify, entrance);
  registerWayOut(fastify, commit);
  serveIssuers(fastify, app.get(IssuerGateway), { config, commit, anonymous });
  servers.admin.server.on('clientError', (error, socket) =>
    answerParseError({ entrance, commit }, error, socket as Socket),
  );
  for (const { server } of [servers.public, servers.admin]) {
    server.on('connect', (_request, socket) =>
      answerParseError({ entrance, commit }, new Error('no tunnel'), socket as Socket),
    );
  }
  app.useGlobalFilters(new ProblemFilter(log, () => routes));
  app.useGlobalPipes(validationPipe());
  routes = RouteTable.of(app.get(ModulesContainer));
  commit.settle(app.get(AuditedCommit, { strict: false }));
  await app.init();
  await fastify.ready();
  app.get(ApiDocuments, { strict: false }).make(app, routes, parts.origins);
  const sweep = setInterval(() => anonymous.sweep(), 1_000).unref();
  return {
    app,
    open: () => {
      if (!handler) throw new Error('the router made no handler');
      servers.public.open(handler);
      servers.admin.open(handler);
    },
    close: async () => {
      clearInterval(sweep);
      anonymous.sweep(true);
      await app.close();
    },
  };
}
