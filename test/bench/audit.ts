import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { type Audit, openAudit, type RecordInput, verifyLog } from '../../src/audit/index.js';
import { randomKey } from '../../src/audit/body-digest.js';
import { LogStore } from '../../src/audit/checkpoints/log-store.js';
import { Connection } from '../../src/audit/connection.js';
import { leafHash } from '../../src/audit/tree/merkle.js';
import { verifyInclusion } from '../../src/audit/tree/proofs.js';
import { TileTree } from '../../src/audit/tree/tile-tree.js';
import {
  APP_ROLE,
  loadConfig,
  Log,
  migrate,
  startEmbeddedPostgres,
  SystemClock,
  uuidv7,
} from '../../src/platform/index.js';

const SECONDS = 5;
const AT_ONCE = 512;
const PROVEN_SIZE = 10_000_000;
const PROOFS = 200;

interface Appended {
  /** Committed and numbered, with everything that waited at the end. */
  recordsPerSecond: number;
  /** CPU of the gateway's process, not of Postgres. */
  cpuUsPerRecord: number;
  bytesPerRecord: number;
}

export interface AuditFigures extends Appended {
  /** With a key of body digests for each record, as calls with bodies have. */
  withDigests: Appended;
  verifyPerSecond: number;
  proof: Proven;
}

/** The log on an embedded Postgres of its own, which flushes to the disk as in use. */
export async function measureAudit(): Promise<AuditFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-audit-'));
  chmodSync(dir, 0o711);
  const postgres = await startEmbeddedPostgres({ dataDir: join(dir, 'data') });
  const { superuserUrl: url } = postgres;
  try {
    await migrate(url, url);
    const appended = await measureAppends(url);
    const withDigests = await measureAppends(url, true);
    return { ...appended, withDigests, verifyPerSecond: await measureVerify(url), proof: await measureProofs(url) };
  } finally {
    await postgres.stop({ remove: true });
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Records through the log's own batcher and sequencer, by callers that wait for each. */
async function measureAppends(url: string, digests = false): Promise<Appended> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-log-'));
  const clock = new SystemClock();
  const signing = { dir, keys: [generateKeyPairSync('ed25519').privateKey] };
  const config = loadConfig({});
  const audit = await openAudit({ config, clock, log: new Log('error'), url, instance: 'bench', dir, signing });
  audit.start();
  const [cpu, startedAt] = [process.cpuUsage(), performance.now()];
  const appended = await load(audit, clock, startedAt + SECONDS * 1_000, digests);
  await numbered(url);
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await audit.stop();
  rmSync(dir, { recursive: true, force: true });
  return {
    recordsPerSecond: Math.round(appended / seconds),
    cpuUsPerRecord: Math.round(((user + system) / appended) * 10) / 10,
    bytesPerRecord: await averageBytes(url),
  };
}

async function load(audit: Audit, clock: SystemClock, end: number, digests: boolean): Promise<number> {
  let appended = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      await audit.auditLog.append(record(clock), digests ? randomKey() : undefined);
      appended += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  return appended;
}

/** As a read of a decision leaves it: about 700 bytes, in every index that calls are searched by. */
function record(clock: SystemClock): RecordInput {
  return {
    id: uuidv7(clock.epochMs()),
    at: clock.now().toISOString(),
    kind: 'call',
    trace: '0af7651916cd43dd8448eb211c80319c',
    client: '0190a7b2-1111-7000-8000-000000000001',
    credential: 'gk_live_ab12',
    verification: uuidv7(clock.epochMs()),
    subject: uuidv7(clock.epochMs()).replaceAll('-', ''),
    http: {
      method: 'GET',
      route: '/v1/verifications/:id',
      status: 200,
      address: '192.0.2.1',
      durationUs: 4_200,
      bytesOut: 1_024,
    },
    decision: { id: uuidv7(clock.epochMs()), outcome: 'allow', rule: 'corridor', reason: 'every check passed' },
    vendor: { name: 'didit', operation: 'session.decision', status: 200, durationUs: 2_100 },
  };
}

async function averageBytes(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ bytes: number }>(
      'SELECT avg(length(bytes))::integer AS bytes FROM audit.log',
    );
    return rows[0]?.bytes ?? 0;
  });
}

async function numbered(url: string): Promise<void> {
  await withClient(url, async (client) => {
    for (;;) {
      const { rows } = await client.query<{ waits: boolean }>('SELECT EXISTS (SELECT FROM audit.intake) AS waits');
      if (rows[0]?.waits !== true) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
}

/**
 * Records of the whole log recomputed a second, in the middle one of three runs: the first meets a Postgres that still tidies up after the
 * appends. @throws when the log does not verify: then no figure is worth anything.
 */
async function measureVerify(url: string): Promise<number> {
  const rates: number[] = [];
  for (let run = 0; run < 3; run += 1) {
    const verdict = await verifyLog(url);
    if (!verdict.ok) throw new Error('the log of the bench does not verify');
    rates.push(verdict.size / verdict.seconds);
  }
  return Math.round(rates.sort((a, b) => a - b)[1] ?? 0);
}

interface Proven {
  size: number;
  medianMs: number;
  p99Ms: number;
  /** Most tiles read for one proof. */
  tiles: number;
}

/**
 * Inclusion proofs in a log of ten million records, each checked. Its tiles are written as they would be had every record the same bytes:
 * proofs read tiles alone, and those are of their full number and size. The database is worth nothing else afterwards.
 */
async function measureProofs(url: string): Promise<Proven> {
  const leaf = leafHash(Buffer.from('record'));
  await withClient(url, (client) => fillTiles(client, leaf));
  const timeouts = { statementTimeoutMs: 10_000, lockTimeoutMs: 10_000 };
  const connection = new Connection({ url, role: APP_ROLE, applicationName: 'gatehouse-bench', ...timeouts });
  const store = new LogStore(connection);
  let most = 0;
  const tree = new TileTree({
    tiles: (keys) => {
      most = Math.max(most, keys.length);
      return store.tiles(keys);
    },
  });
  const root = await tree.root(PROVEN_SIZE);
  const times: number[] = [];
  for (let n = 0; n < PROOFS; n += 1) {
    const index = Math.floor(((n + 0.5) / PROOFS) * PROVEN_SIZE);
    const startedAt = performance.now();
    const proof = await tree.inclusion(index, PROVEN_SIZE);
    times.push(performance.now() - startedAt);
    if (!verifyInclusion(index, PROVEN_SIZE, leaf, proof, root)) throw new Error('a proof of the bench does not hold');
  }
  await connection.close();
  times.sort((a, b) => a - b);
  const at = (share: number): number => Math.round((times[Math.floor(times.length * share)] ?? 0) * 100) / 100;
  return { size: PROVEN_SIZE, medianMs: at(0.5), p99Ms: at(0.99), tiles: most };
}

async function fillTiles(client: Client, leaf: Buffer): Promise<void> {
  await client.query('SET session_replication_role = replica');
  await client.query('DELETE FROM audit.tile');
  let node = leaf.toString('hex');
  for (let level = 0; PROVEN_SIZE >= 256 ** level; level += 1) {
    const nodes = Math.floor(PROVEN_SIZE / 256 ** level);
    await client.query(
      `INSERT INTO audit.tile (level, idx, hashes)
       SELECT $1, i, decode(repeat($2, least(256, $3::integer - i * 256)), 'hex') FROM generate_series(0, ($3::integer - 1) / 256) i`,
      [level, node, nodes],
    );
    for (let height = 0; height < 8; height += 1) {
      const { rows } = await client.query<{ node: string }>(
        `SELECT encode(sha256('\\x01'::bytea || decode($1, 'hex') || decode($1, 'hex')), 'hex') AS node`,
        [node],
      );
      node = rows[0]?.node ?? '';
    }
  }
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
