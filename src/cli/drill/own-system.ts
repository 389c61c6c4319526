import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Attempt,
  Caller,
  earliest,
  firstSign,
  type Noticed,
  type Scenario,
  type ScenarioFault,
  type Stage,
  TcpProxy,
} from '../../drills/index.js';
import { ensureDevelopmentCertificates, SystemClock } from '../../platform/index.js';
import type { Instance } from './instance.js';
import { needsSmallDisk, needsValkey } from './needs.js';
import { type OwnGateways, ownGateways } from './own-gateway.js';
import { OwnPostgres } from './own-postgres.js';
import { type FaultAt, OwnVendor } from './own-vendor.js';
import { type Undo, undone } from './undo.js';
import { startValkey } from './valkey.js';

const HOST = '127.0.0.1';

/**
 * A whole system of the drill's own: gateways as in production, Postgres, the vendor's sandbox and Valkey where it is installed, each
 * behind a proxy of the drill's, so that every connection between them can be disturbed.
 */
export class OwnSystem implements Stage {
  readonly place = 'own';

  private constructor(
    readonly caller: Caller,
    private readonly parts: {
      gateways: OwnGateways;
      postgres: OwnPostgres;
      valkey: TcpProxy | undefined;
      vendor: OwnVendor;
    },
    private readonly undo: Undo,
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
    const needs = { valkey: scenarios.some(needsValkey), smallDisk: scenarios.some(needsSmallDisk) };
    const undo: Undo = [];
    try {
      return await OwnSystem.build(system, needs, undo);
    } catch (error) {
      await undone(undo);
      throw error;
    }
  }

  private static async build(
    system: Scenario['system'],
    needs: { valkey: boolean; smallDisk: boolean },
    undo: Undo,
  ): Promise<OwnSystem> {
    const dir = mkdtempSync(join(tmpdir(), 'gatehouse-drill-'));
    chmodSync(dir, 0o711);
    undo.push(() => Promise.resolve(rmSync(dir, { recursive: true, force: true })));
    const tls = await ensureDevelopmentCertificates(dir, [HOST], new SystemClock());
    const ca = { certificate: readFileSync(tls.caFile, 'utf8'), key: readFileSync(tls.caKeyFile, 'utf8') };
    const postgres = await OwnPostgres.open(dir, needs.smallDisk, undo);
    const valkey = needs.valkey ? await startValkey(dir) : undefined;
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
    const { certFile, keyFile, caFile } = tls;
    const webhookUrl = `${publicUrl}/webhooks/didit`;
    const vendor = await OwnVendor.open({ dir, tls: { certFile, keyFile, caFile }, ca, webhookUrl }, undo);
    const gateways = await ownGateways({
      dir,
      databaseUrl: postgres.url,
      redisUrl: valkeyProxy && `redis://${HOST}:${valkeyProxy.port}`,
      vendorUrl: vendor.url,
      vendor: vendor.credentials,
      tls,
      publicUrl,
      adminUrl,
      told: vendor.attempts.told,
      system,
    });
    ({ instances } = gateways);
    undo.push(() => gateways.bring(0));
    const caller = new Caller({ publicUrl, adminUrl, ca: ca.certificate, ...gateways.secrets });
    undo.push(() => caller.close());
    return new OwnSystem(caller, { gateways, postgres, valkey: valkeyProxy, vendor }, undo);
  }

  prepare({ instances }: Scenario['system']): Promise<void> {
    return this.parts.gateways.bring(instances);
  }

  async apply(faults: readonly ScenarioFault[]): Promise<void> {
    const at = <At extends ScenarioFault['at']>(which: At): FaultAt<At>[] =>
      faults.filter((fault): fault is FaultAt<At> => fault.at === which);
    const { vendor, postgres, valkey, gateways } = this.parts;
    await vendor.use(at('vendor'));
    await postgres.use(at('postgres'));
    await valkey?.use(at('valkey').map(({ fault }) => fault));
    const [jump] = at('clock');
    gateways.shiftClock(jump?.fault.seconds ?? 0);
    await vendor.disturbWebhooks(at('webhooks'));
    await gateways.kill(at('instance').length);
  }

  get config(): Stage['config'] {
    return this.parts.gateways.config;
  }

  attempts(since: Date): readonly Attempt[] {
    return this.parts.vendor.attempts.since(since);
  }

  /** In the log, or in the file of alarms of an instance that could not write the log. */
  async noticed(since: Date): Promise<Noticed | undefined> {
    const alarms = this.parts.gateways.dataDirs.flatMap((dir) => alarmsOf(dir));
    return earliest(alarms.filter(({ at }) => at >= since)) ?? (await firstSign(this.caller, since));
  }

  readonly finish = (sessionId: string): Promise<boolean> => this.parts.vendor.finish(sessionId);

  sessionsMade(since: Date): ReturnType<OwnVendor['sessionsMade']> {
    return this.parts.vendor.sessionsMade(since);
  }

  async close(): Promise<void> {
    await undone(this.undo);
  }
}

async function proxied(undo: Undo, targets: () => { host: string; port: number }[]): Promise<TcpProxy> {
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
