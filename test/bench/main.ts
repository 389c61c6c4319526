import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { Agent } from 'undici';
import { ensureDevelopmentCertificates } from '../../src/platform/index.js';
import { measureAudit } from './audit.js';
import { Load, percentile, type Request } from './load.js';
import { type Contestant, haproxy, nginx, type Tls } from './others.js';
import { cpuMicros, ended, firstLine, nodeProcess } from './processes.js';

const ROUNDS = 3;
const WARM_CALLS = 20_000;
const WARM_MS = 12_000;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4);
const json = process.argv.includes('--json');
const say = (line: string): void => void (json ? process.stderr : process.stdout).write(`${line}\n`);

interface Credentials {
  publicUrl: string;
  tokenUrl: string;
  caFile: string;
  databaseUrl: string;
  apiKey: string;
  clientId: string;
  clientSecret: string;
}

interface Figures {
  name: string;
  cpuUsPerRequest: number;
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  addedP50Ms: number;
  addedP99Ms: number;
}

interface Entry {
  contestant: Contestant;
  load: Load;
  cpuUs: number;
  requests: number;
  seconds: number;
}

const YAML = `
listeners: { connections: { perAddress: 10000 } }
policy: { rates: { client: 9999999/min, key: 9999999/min, address: 9999999/min, anonymous: 9999999/min } }
# One call to the vendor for each of the bench's, as with the others.
vendors:
  didit:
    collapse: false
    bulkhead: { read: 64, write: 64, queue: 1000 }
    budget: { writes: 9999999/min, reads: 9999999/min }
`;

async function gateway(
  dir: string,
  tls: Tls,
  upstream: string,
): Promise<Contestant & { credentials: Credentials; dataDir: string }> {
  const dataDir = join(dir, 'data');
  const file = join(dir, 'gatehouse.yaml');
  writeFileSync(file, YAML);
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'src', 'main.js')], {
    env: {
      PATH: process.env['PATH'] ?? '',
      GATEHOUSE_CONFIG: file,
      GATEHOUSE_DATA_DIR: dataDir,
      GATEHOUSE_PUBLIC_PORT: '0',
      GATEHOUSE_ADMIN_PORT: '0',
      GATEHOUSE_TLS_CERT: tls.cert,
      GATEHOUSE_TLS_KEY: tls.key,
      GATEHOUSE_LOG_LEVEL: 'error',
      // For a profile: BENCH_NODE_OPTIONS='--cpu-prof --cpu-prof-dir=DIR'.
      NODE_OPTIONS: process.env['BENCH_NODE_OPTIONS'] ?? '',
      DIDIT_BASE_URL: upstream,
      DIDIT_API_KEY: 'bench',
      DIDIT_WEBHOOK_SECRET: 'bench',
      DIDIT_WORKFLOW_ID: '11111111-2222-4333-8444-555555555555',
      DIDIT_CA_FILE: tls.ca,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await firstLine(child, (line) => line.startsWith('{"event":"ready"'));
  const credentials = JSON.parse(readFileSync(join(dataDir, 'dev-credentials.json'), 'utf8')) as Credentials;
  return {
    name: 'gatehouse',
    origin: credentials.publicUrl,
    credentials,
    dataDir,
    pids: () => [child.pid ?? 0],
    stop: () => ended(child),
  };
}

async function token({ tokenUrl, clientId, clientSecret }: Credentials, agent: Agent): Promise<string> {
  const answer = await request(tokenUrl, {
    dispatcher: agent,
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
    },
    body: 'grant_type=client_credentials',
  });
  return ((await answer.body.json()) as { access_token: string }).access_token;
}

/** CPU, requests and latency of contestants, round by round in turn, so that a noisy neighbour hits them alike. */
async function compare(entries: Entry[], direct: Load): Promise<Figures[]> {
  // Compilers warm up by calls and not by seconds: everyone gets the same number of them, within reason.
  for (const entry of entries) {
    for (let warm = 0, from = performance.now(); warm < WARM_CALLS && performance.now() - from < WARM_MS;) {
      warm += (await entry.load.flatOut(1)).requests;
    }
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const entry of entries) {
      const before = cpuMicros(entry.contestant.pids());
      const run = await entry.load.flatOut(SECONDS);
      entry.cpuUs += cpuMicros(entry.contestant.pids()) - before;
      entry.requests += run.requests;
      entry.seconds += run.seconds;
    }
  }
  const half = Math.max(20, Math.min(...entries.map((entry) => entry.requests / entry.seconds)) / 2);
  const bare = await direct.atRate(half, SECONDS);
  const figures: Figures[] = [];
  for (const entry of entries) {
    const run = await entry.load.atRate(half, SECONDS);
    const [p50, p99] = [percentile(run.latencies, 0.5), percentile(run.latencies, 0.99)];
    figures.push({
      name: entry.contestant.name,
      cpuUsPerRequest: round1(entry.cpuUs / entry.requests),
      requestsPerSecond: Math.round(entry.requests / entry.seconds),
      p50Ms: round1(p50, 100),
      p99Ms: round1(p99, 100),
      addedP50Ms: round1(p50 - percentile(bare.latencies, 0.5), 100),
      addedP99Ms: round1(p99 - percentile(bare.latencies, 0.99), 100),
    });
  }
  return figures;
}

function round1(value: number, to = 10): number {
  return Math.round(value * to) / to;
}

function table(title: string, figures: Figures[]): void {
  say(
    `\n${title}\n${'contestant'.padEnd(14)}${'CPU µs/req'.padStart(12)}${'req/s'.padStart(9)}${'p50 ms'.padStart(9)}${'p99 ms'.padStart(9)}${'added p50'.padStart(11)}${'added p99'.padStart(11)}`,
  );
  for (const row of figures) {
    say(
      `${row.name.padEnd(14)}${String(row.cpuUsPerRequest).padStart(12)}${String(row.requestsPerSecond).padStart(9)}${String(row.p50Ms).padStart(9)}${String(row.p99Ms).padStart(9)}${String(row.addedP50Ms).padStart(11)}${String(row.addedP99Ms).padStart(11)}`,
    );
  }
}

function cpuOf(figures: Figures[], name: string): number {
  return figures.find((row) => row.name === name)?.cpuUsPerRequest ?? Number.NaN;
}

async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  chmodSync(dir, 0o711);
  const stops: (() => Promise<void>)[] = [];
  try {
    const made = await ensureDevelopmentCertificates(join(dir, 'certs'), []);
    const tls: Tls = { cert: made.certFile, key: made.keyFile, ca: made.caFile };
    const ca = readFileSync(tls.ca);
    const upstream = await nodeProcess(join(import.meta.dirname, 'upstream.js'), [tls.cert, tls.key]);
    stops.push(upstream.stop);
    const upstreamUrl = `https://localhost:${upstream.line}`;
    const house = await gateway(dir, tls, upstreamUrl);
    stops.push(house.stop);
    const bareProxy = await nodeProcess(join(import.meta.dirname, 'bare-proxy.js'), [
      tls.cert,
      tls.key,
      tls.ca,
      upstreamUrl,
    ]);
    stops.push(bareProxy.stop);
    const bare: Contestant = {
      name: 'bare node',
      origin: `https://localhost:${bareProxy.line}`,
      pids: () => [bareProxy.child.pid ?? 0],
      stop: bareProxy.stop,
    };
    const others = [
      await nginx(dir, tls, Number(upstream.line)),
      await haproxy(dir, tls, Number(upstream.line)),
    ].filter((one) => one !== undefined);
    for (const other of others) stops.push(other.stop);

    const agent = new Agent({ connect: { ca } });
    const bearer = await token(house.credentials, agent);
    const { apiKey } = house.credentials;
    const credentials = { 'x-api-key': apiKey, authorization: `Bearer ${bearer}` };
    const set = (path: string, body: Buffer) =>
      request(`${upstreamUrl}${path}`, { dispatcher: agent, method: 'POST', body }).then((answer) =>
        answer.body.dump(),
      );

    const subject = () =>
      JSON.stringify({ workflow: 'onboarding', subject: { reference: crypto.randomUUID(), relationship: 'prospect' } });
    const create: Request = {
      path: '/v1/verifications',
      method: 'POST',
      headers: () => ({ ...credentials, 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }),
      body: subject,
    };
    const createLoad = new Load(house.origin, ca, create, 201);
    const created = await createLoad.once();
    await set('/_set/create', created);
    const { vendor } = JSON.parse(created.toString()) as { vendor: { sessionId: string } };

    const read: Request = {
      path: `/didit/v3/session/${vendor.sessionId}/decision/`,
      method: 'GET',
      headers: () => credentials,
    };
    const readLoad = new Load(house.origin, ca, read, 200);
    const answered = await readLoad.once();
    await set('/_set/read', answered);
    say(
      `one read answers ${answered.length} bytes through every contestant; TLS on both sides; ${ROUNDS} rounds of ${SECONDS} s in turn`,
    );

    const entry = (contestant: Contestant, load: Load): Entry => ({
      contestant,
      load,
      cpuUs: 0,
      requests: 0,
      seconds: 0,
    });
    const plain = (path: string): Request => ({ path, method: 'GET', headers: () => ({}) });
    const direct = new Load(upstreamUrl, ca, plain('/as-answered'), 200);
    const reads = await compare(
      [
        entry(house, readLoad),
        ...[bare, ...others].map((one) => entry(one, new Load(one.origin, ca, plain('/as-answered'), 200))),
      ],
      direct,
    );
    table('a read of a masked decision, one record a call', reads);
    const bareCreate: Request = {
      path: '/as-created',
      method: 'POST',
      headers: () => ({ 'content-type': 'application/json' }),
      body: subject,
    };
    const creates = await compare(
      [entry(house, createLoad), entry(bare, new Load(bare.origin, ca, bareCreate, 201))],
      new Load(upstreamUrl, ca, bareCreate, 201),
    );
    table('a create, with its intent and completion', creates);
    const audit = await measureAudit();
    const result = {
      cpuRatio: round1(cpuOf(reads, 'gatehouse') / cpuOf(reads, 'bare node'), 100),
      contestants: reads,
      createCpuRatio: round1(cpuOf(creates, 'gatehouse') / cpuOf(creates, 'bare node'), 100),
      creates,
      audit,
      machine: {
        cpus: cpus().length,
        model: cpus()[0]?.model ?? '',
        memoryMb: Math.round(totalmem() / 1024 / 1024),
        node: process.versions.node,
      },
      at: new Date().toISOString(),
    };
    say(
      `\nCPU ratio: read ${result.cpuRatio}, create ${result.createCpuRatio} times the bare proxy; records ${audit.recordsPerSecond}/s committed and numbered, ${audit.verifyPerSecond}/s verified, a proof ${audit.proof.medianMs} ms`,
    );
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    await agent.close();
  } finally {
    for (const stop of stops.reverse()) await stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
process.exit();
