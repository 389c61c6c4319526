import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Audit, openAudit, type RecordInput } from '../../src/audit/index.js';
import { Connection } from '../../src/audit/connection.js';
import { sequenceOnce } from '../../src/audit/sequencer.js';
import { APP_ROLE, loadConfig, Log, SystemClock, uuidv7 } from '../../src/platform/index.js';

/** A record such as a call leaves, with whatever a spec needs otherwise. */
export function aRecord(over: Partial<RecordInput> = {}): RecordInput {
  const id = uuidv7();
  return {
    id,
    at: new Date(Date.UTC(2026, 2, 10, 8)).toISOString(),
    kind: 'call',
    trace: '0af7651916cd43dd8448eb211c80319c',
    client: '0190a7b2-1111-7000-8000-000000000001',
    credential: 'gk_live_ab12',
    verification: '0190a7b2-2222-7000-8000-000000000001',
    subject: '9f86d081884c7d659a2feaa0c55ad015',
    http: {
      method: 'GET',
      route: '/v1/verifications/:id',
      status: 200,
      requestHeaders: { accept: 'application/json' },
      address: '192.0.2.1',
      durationUs: 4_200,
      bytesIn: 0,
      bytesOut: 1_024,
    },
    decision: { id: uuidv7(), outcome: 'allow', rule: 'corridor', reason: 'every check passed', policyVersion: 'abc' },
    vendor: { name: 'didit', operation: 'session.decision', status: 200, attempt: 1, rung: 'fresh', durationUs: 2_100 },
    ...over,
  };
}

/** The key that signs the logs of specs. */
export const LOG_KEY = generateKeyPairSync('ed25519').privateKey;

export interface TestLog extends Audit {
  dir: string;
}

/** The log of an instance on a test database; `stop` ends it. It signs only where it is told to. */
export async function openTestLog(url: string, instance = 'spec', signs = false): Promise<TestLog> {
  const dir = await mkdtemp(join(tmpdir(), 'gatehouse-journal-'));
  const audit = await openAudit({
    config: loadConfig({}),
    clock: new SystemClock(),
    log: new Log('silent'),
    url,
    instance,
    dir,
    ...(signs ? { signing: { dir: join(dir, 'checkpoints'), keys: [LOG_KEY] } } : {}),
  });
  return {
    ...audit,
    dir,
    stop: async () => {
      await audit.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A connection such as the log's own ones. */
export function appConnection(url: string): Connection {
  const timeouts = { statementTimeoutMs: 10_000, lockTimeoutMs: 10_000 };
  return new Connection({ url, role: APP_ROLE, applicationName: 'gatehouse-spec', ...timeouts });
}

/** So few at a time that even a busy machine is done before the head is taken away. */
const AT_ONCE = 512;

/** Numbers everything that waits. @returns the size of the log. */
export async function sequenceAll(connection: Connection): Promise<number> {
  for (;;) {
    const { moved, size } = await sequenceOnce(connection, AT_ONCE);
    if (moved === 0 && size !== undefined) return size;
  }
}

/** Runs SQL as whoever the address logs in as; in specs that is the superuser. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A copy of a database that nobody is connected to, in the same cluster. @returns its address. */
export async function copyDatabase(url: string, from: string, to: string): Promise<string> {
  const admin = new URL(url);
  admin.pathname = '/template1';
  await withClient(admin.href, (client) => client.query(`CREATE DATABASE ${to} TEMPLATE ${from}`));
  const copy = new URL(url);
  copy.pathname = `/${to}`;
  return copy.href;
}
