import { createPrivateKey, randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import {
  Caller,
  drillCertificates,
  earliest,
  firstSign,
  HttpInterceptor,
  isHttpFault,
  type Noticed,
  type Scenario,
  type ScenarioFault,
  type Stage,
  TcpProxy,
} from '../../drills/index.js';
import { ensureDevelopmentCertificates, startEmbeddedPostgres, SystemClock } from '../../platform/index.js';
import { launchSandbox } from '../../sandbox/index.js';
import type { Instance } from './instance.js';
import { ownGateways } from './own-gateway.js';
import { startValkey } from './valkey.js';

const HOST = '127.0.0.1';

type FaultAt<At extends ScenarioFault['at']> = Extract<ScenarioFault, { at: At }>;

/**
 * A whole system of the drill's own: gateways as in production, Postgres, the vendor's sandbox and Valkey where it is installed, each
 * behind a proxy of the drill's, so that every connection between them can be disturbed.
 */
export class OwnSystem implements Stage {
  readonly place = 'own';
  #kills = new Set<number>();
  #webhookFaults = '';

  private constructor(
    readonly caller: Caller,
    private readonly parts: {
      sandboxUrl: string;
      instances: readonly Instance[];
      dataDirs: readonly string[];
      postgres: TcpProxy;
      valkey: TcpProxy | undefined;
      vendor: TcpProxy;
      interceptor: HttpInterceptor;
    },
    private readonly undo: (() => Promise<unknown>)[],
  ) {}

  /**
   * A system for these scenarios, one after the other.
   * @throws when a part of it does not start; what had started is stopped
   */
  static async open(scenarios: readonly Pick<Scenario, 'system' | 'faults'>[]): Promise<OwnSystem> {
    const settings = new Set(scenarios.map(({ system }) => JSON.stringify(system.settings)));
    const [first] = scenarios;
    if (first === undefined || settings.size > 1)
      throw new Error('scenarios with different system.settings are played one by one');
    const system = {
      settings: first.system.settings,
      instances: Math.max(...scenarios.map((scenario) => scenario.system.instances)),
    };
    const withValkey = scenarios.some(({ faults }) => faults.some(({ at }) => at === 'valkey'));
    const undo: (() => Promise<unknown>)[] = [];
    try {
      return await OwnSystem.build(system, withValkey, undo);
    } catch (error) {
      await undone(undo);
      throw error;
    }
  }

  private static async build(
    system: Scenario['system'],
    withValkey: boolean,
    undo: (() => Promise<unknown>)[],
  ): Promise<OwnSystem> {
    const dir = mkdtempSync(join(tmpdir(), 'gatehouse-drill-'));
    chmodSync(dir, 0o711);
    undo.push(() => Promise.resolve(rmSync(dir, { recursive: true, force: true })));
    const clock = new SystemClock();
    const tls = await ensureDevelopmentCertificates(dir, [HOST], clock);
    const ca = { certificate: readFileSync(tls.caFile, 'utf8'), key: readFileSync(tls.caKeyFile, 'utf8') };
    const certificates = await drillCertificates(clock, HOST, ca);
    const postgres = await startEmbeddedPostgres({ dataDir: join(dir, 'pg'), durable: false, stopWithParent: true });
    undo.push(() => postgres.stop({ remove: true }));
    const databaseUrl = new URL(postgres.superuserUrl);
    const cluster = { host: databaseUrl.hostname, port: Number(databaseUrl.port) };
    const postgresProxy = await proxied(undo, () => [cluster]);
    databaseUrl.hostname = HOST;
    databaseUrl.port = String(postgresProxy.port);
    const valkey = withValkey ? await startValkey(dir) : undefined;
    if (valkey !== undefined) undo.push(() => valkey.stop());
    const valkeyProxy = valkey && (await proxied(undo, () => [{ host: HOST, port: valkey.port }]));

    let instances: readonly Instance[] = [];
    const upOnes = (port: (instance: Instance) => number) => () =>
      rotated(instances.filter(({ isUp }) => isUp)).map((instance) => ({ host: HOST, port: port(instance) }));
    const front = await proxied(
      undo,
      upOnes(({ publicPort }) => publicPort),
    );
    const admin = await proxied(
      undo,
      upOnes(({ adminPort }) => adminPort),
    );
    const publicUrl = `https://${HOST}:${front.port}`;
    const adminUrl = `https://${HOST}:${admin.port}`;
    const vendor = {
      apiKey: `sk_test_${randomBytes(32).toString('base64url')}`,
      webhookSecret: randomBytes(32).toString('base64url'),
      workflowId: randomUUID(),
    };
    const sandbox = await launchSandbox({
      settings: {
        host: HOST,
        port: 0,
        tls: { certFile: tls.certFile, keyFile: tls.keyFile, caFile: tls.caFile },
        ...vendor,
        webhookUrl: `${publicUrl}/webhooks/didit`,
        rateLimits: 'off',
      },
      settingsFile: join(dir, 'sandbox-settings.json'),
      stateFile: join(dir, 'sandbox.json'),
    });
    undo.push(() => sandbox.stop());
    const onward = new Pool(sandbox.url, { connect: { ca: ca.certificate }, connections: 128 });
    undo.push(() => onward.destroy());
    const interceptor = await HttpInterceptor.open({
      server: certificates.server,
      origin: sandbox.url,
      vendor: onward,
    });
    undo.push(() => interceptor.close());
    const { certificate: cert, key } = certificates.expired;
    const vendorProxy = await TcpProxy.open({
      targets: () => [{ host: HOST, port: interceptor.port }],
      expired: { cert, key: createPrivateKey(key).export({ type: 'pkcs8', format: 'pem' }).toString() },
    });
    undo.push(() => vendorProxy.close());

    const gateways = await ownGateways({
      dir,
      databaseUrl: databaseUrl.href,
      redisUrl: valkeyProxy && `redis://${HOST}:${valkeyProxy.port}`,
      vendorUrl: `https://${HOST}:${vendorProxy.port}`,
      vendor,
      tls,
      publicUrl,
      adminUrl,
      system,
    });
    ({ instances } = gateways);
    undo.push(() => Promise.all(instances.map((instance) => instance.stop())));
    const caller = new Caller({ publicUrl, adminUrl, ca: ca.certificate, ...gateways.secrets });
    undo.push(() => caller.close());
    const parts = {
      sandboxUrl: sandbox.url,
      instances,
      dataDirs: gateways.dataDirs,
      postgres: postgresProxy,
      valkey: valkeyProxy,
      vendor: vendorProxy,
      interceptor,
    };
    return new OwnSystem(caller, parts, undo);
  }

  async apply(faults: readonly ScenarioFault[]): Promise<void> {
    const at = <At extends ScenarioFault['at']>(which: At): FaultAt<At>[] =>
      faults.filter((fault): fault is FaultAt<At> => fault.at === which);
    const { vendor, interceptor, postgres, valkey, instances } = this.parts;
    const toVendor = at('vendor');
    interceptor.use(
      toVendor.flatMap(({ fault, operations, share = 1 }) =>
        isHttpFault(fault) ? [{ fault, operations, share }] : [],
      ),
    );
    await vendor.use(toVendor.flatMap(({ fault }) => (isHttpFault(fault) ? [] : [fault])));
    await postgres.use(at('postgres').map(({ fault }) => fault));
    await valkey?.use(at('valkey').map(({ fault }) => fault));
    const [jump] = at('clock');
    for (const instance of instances) instance.shiftClock(jump?.fault.seconds ?? 0);
    await this.disturbWebhooks(at('webhooks'));
    await this.killOnes(at('instance').length);
  }

  attempts(): number {
    const { vendor, interceptor } = this.parts;
    return Math.max(vendor.opened, interceptor.requests);
  }

  /** In the log, or in the file of alarms of an instance that could not write the log. */
  async noticed(since: Date): Promise<Noticed | undefined> {
    const alarms = this.parts.dataDirs.flatMap((dir) => alarmsOf(dir)).filter(({ at }) => at >= since);
    const sign = alarms.length > 0 ? undefined : await firstSign(this.caller, since);
    return earliest([...alarms, ...(sign === undefined ? [] : [sign])]);
  }

  readonly finish = async (sessionId: string): Promise<boolean> => {
    const body = { status: 'Approved' };
    return (await this.control('POST', `sessions/${sessionId}/finish`, body)).status === 200;
  };

  async sessionsMade(since: Date): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const { body } = await this.control('GET', `ledger?operation=session.create&since=${since.toISOString()}`);
    const made = new Map<string, Set<string>>();
    for (const { vendorData, sessionId } of (body['items'] ?? []) as {
      vendorData: string | null;
      sessionId: string | null;
    }[]) {
      if (vendorData === null || sessionId === null) continue;
      made.set(vendorData, (made.get(vendorData) ?? new Set()).add(sessionId));
    }
    return made;
  }

  async close(): Promise<void> {
    await undone(this.undo);
  }

  private async disturbWebhooks(faults: readonly FaultAt<'webhooks'>[]): Promise<void> {
    const wanted = JSON.stringify(faults);
    if (wanted === this.#webhookFaults) return;
    this.#webhookFaults = wanted;
    await this.control('DELETE', 'webhooks/faults');
    for (const { fault } of faults) await this.control('POST', 'webhooks/faults', fault);
  }

  /** The first so many instances are dead; those that were and need not be any more are started again. */
  private async killOnes(count: number): Promise<void> {
    const dead = new Set(Array.from({ length: count }, (_, n) => n));
    const before = this.#kills;
    this.#kills = dead;
    for (const [n, instance] of this.parts.instances.entries()) {
      if (dead.has(n) && !before.has(n)) await instance.kill();
      if (!dead.has(n) && before.has(n)) await instance.start();
    }
  }

  private control(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) {
    return this.caller.call(`${this.parts.sandboxUrl}/_sandbox/${path}`, {
      method,
      ...(body === undefined ? {} : { body }),
    });
  }
}

async function proxied(
  undo: (() => Promise<unknown>)[],
  targets: () => { host: string; port: number }[],
): Promise<TcpProxy> {
  const proxy = await TcpProxy.open({ targets });
  undo.push(() => proxy.close());
  return proxy;
}

let turn = 0;

/** Each takes its turn to be the first, as a balancer would have it. */
function rotated<T>(items: readonly T[]): T[] {
  turn += 1;
  const at = items.length === 0 ? 0 : turn % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

function alarmsOf(dataDir: string): Noticed[] {
  const file = join(dataDir, 'alarms.jsonl');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { at: string; alarm: string; state: string })
    .filter(({ state }) => state === 'raised')
    .map(({ at, alarm }) => ({ at: new Date(at), by: `alarm ${alarm}` }));
}

async function undone(steps: (() => Promise<unknown>)[]): Promise<void> {
  for (const step of steps.splice(0).reverse()) {
    await step().catch((error: unknown) =>
      process.stderr.write(`a step of the drill's end failed: ${String(error)}\n`),
    );
  }
}
