import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { AuditModule, openAudit } from '../../audit/index.js';
import { startTestDatabase } from '../../../test/support/database.js';
import {
  type Call,
  type Database,
  Keyring,
  Lifecycle,
  loadConfig,
  Log,
  ManualClock,
  PlatformModule,
  startTelemetry,
  SystemClock,
  Tracing,
  uuidv7,
} from '../../platform/index.js';
import { DiditVendor } from '../../vendors/index.js';
import { IdempotencyCheck } from '../idempotency/idempotency-check.js';
import { orchestrationEntities } from '../index.js';
import { OrchestrationModule } from '../orchestration.module.js';
import { SpecVendor } from './spec-vendor.js';

/** No sweep by itself: specs that move the clock would set it going. */
export const QUIET = 'reconciliation: { every: 24h }\n';

/** Where a handler puts status and headers. */
export const REPLY = { code: () => REPLY, headers: () => REPLY } as unknown as FastifyReply;

export const PUBLIC_URL = 'https://gateway.test';

export interface SpecHouse {
  clock: ManualClock;
  vendor: SpecVendor;
  database: Database;
  superuserUrl: string;
  get: INestApplicationContext['get'];
  /** A call of a client; with the scopes of a bank's system unless others are given. */
  call(clientId: string, scopes?: string[]): Call;
  /** The same, past room 6 under that key. */
  write(clientId: string, key: string, body: unknown): Promise<Call>;
  /** Records about a verification, in the order in which they were written. */
  records(verification: string): Promise<Record<string, unknown>[]>;
  signals(kind: string): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

const SCOPES = ['verifications:read', 'verifications:write', 'verifications:link'];

/** The module as it stands in the gateway, with these settings, on a database of its own, with a vendor in memory behind it. */
export async function openSpecHouse(yaml = QUIET): Promise<SpecHouse> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-spec-data-'));
  const file = join(dataDir, 'gatehouse.yaml');
  await writeFile(file, yaml);
  const config = loadConfig({
    GATEHOUSE_CONFIG: file,
    GATEHOUSE_DATA_DIR: dataDir,
    DIDIT_BASE_URL: 'https://vendor.test',
    DIDIT_API_KEY: 'spec-key',
    DIDIT_WEBHOOK_SECRET: 'spec-secret',
    DIDIT_WORKFLOW_ID: randomUUID(),
  });
  const test = await startTestDatabase(orchestrationEntities);
  const clock = new ManualClock();
  const log = new Log('silent');
  const platform = PlatformModule.with({
    config,
    clock,
    database: test.database,
    keyring: new Keyring(Buffer.alloc(32, 3)),
    lifecycle: new Lifecycle(),
    log,
    origins: { publicUrl: PUBLIC_URL, adminUrl: 'https://admin.test' },
    telemetry: startTelemetry(config, 'spec'),
    tracing: new Tracing(false),
  });
  const audit = await openAudit({
    config,
    clock: new SystemClock(),
    log,
    url: test.superuserUrl,
    instance: 'spec',
    dir: join(dataDir, 'journal'),
  });
  @Module({ imports: [platform, AuditModule.with(audit), OrchestrationModule] })
  class SpecModule {}
  const app = await NestFactory.createApplicationContext(SpecModule, { logger: false, abortOnError: false });
  const vendor = new SpecVendor();
  vendor.now = () => clock.now();
  app.get(DiditVendor, { strict: false }).call = (operation, request) => vendor.call(operation, request);
  const call = (clientId: string, scopes = SCOPES): Call => specCall(clock, clientId, scopes);
  return {
    clock,
    vendor,
    database: test.database,
    superuserUrl: test.superuserUrl,
    get: app.get.bind(app),
    call,
    write: async (clientId, key, body) => {
      const made = call(clientId);
      await app.get(IdempotencyCheck, { strict: false }).begin(made, { 'idempotency-key': key }, body);
      return made;
    },
    records: (verification) => recordsOf(test.database, verification),
    signals: (kind) =>
      test.database.query('SELECT kind, subject, detail FROM platform.signals WHERE kind = $1', [kind]),
    stop: async () => {
      await app.close();
      await test.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function specCall(clock: ManualClock, clientId: string, scopes: string[]): Call {
  const id = uuidv7(clock.epochMs());
  return {
    id,
    at: clock.now(),
    startedNs: 0n,
    deadlineMs: Infinity,
    listener: 'public',
    method: 'POST',
    path: '/v1/verifications',
    address: '192.0.2.1',
    secure: true,
    agent: 'spec',
    tls: 'TLSv1.3',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    signal: new AbortController().signal,
    routeClass: 'data',
    route: '/v1/verifications',
    caller: { kind: 'client', id: clientId, name: 'bank', scopes: new Set(scopes) },
    decision: { id: uuidv7(clock.epochMs()), outcome: 'allow', rule: 'corridor', reason: 'every check passed' },
    bytesIn: 0,
    anonymous: false,
    recorded: false,
  } as unknown as Call;
}

/** Those not yet numbered and those that are, by their ids, which are in the order of time. */
async function recordsOf(database: Database, verification: string): Promise<Record<string, unknown>[]> {
  const rows = await database.query<{ bytes: Buffer }>(
    'SELECT bytes FROM (SELECT id, bytes FROM audit.intake UNION SELECT id, bytes FROM audit.log) r ORDER BY id',
  );
  return rows
    .map(({ bytes }) => JSON.parse(bytes.toString()) as Record<string, unknown>)
    .filter((record) => record['verification'] === verification);
}
