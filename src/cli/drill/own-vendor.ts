import { createPrivateKey, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Pool } from 'undici';
import {
  AttemptBook,
  drillCertificates,
  HttpInterceptor,
  isHttpFault,
  type ScenarioFault,
  TcpProxy,
} from '../../drills/index.js';
import { type Pair, SystemClock } from '../../platform/index.js';
import { launchSandbox } from '../../sandbox/index.js';
import type { Undo } from './undo.js';

const HOST = '127.0.0.1';

export type FaultAt<At extends ScenarioFault['at']> = Extract<ScenarioFault, { at: At }>;

interface OwnVendorOptions {
  dir: string;
  tls: { certFile: string; keyFile: string; caFile: string };
  ca: Pair;
  /** Where its notifications go. */
  webhookUrl: string;
}

interface Parts {
  credentials: { apiKey: string; webhookSecret: string; workflowId: string };
  sandbox: Pool;
  interceptor: HttpInterceptor;
  proxy: TcpProxy;
  attempts: AttemptBook;
}

/** The vendor of a drill's own system: the sandbox, behind proxies that disturb the way to it and write down what is tried there. */
export class OwnVendor {
  #webhookFaults = '[]';

  private constructor(private readonly parts: Parts) {}

  /** @throws when a part of it does not start; `undo` knows what had started */
  static async open({ dir, tls, ca, webhookUrl }: OwnVendorOptions, undo: Undo): Promise<OwnVendor> {
    const credentials = {
      apiKey: `sk_test_${randomBytes(32).toString('base64url')}`,
      webhookSecret: randomBytes(32).toString('base64url'),
      workflowId: randomUUID(),
    };
    const launched = await launchSandbox({
      settings: { host: HOST, port: 0, tls, ...credentials, webhookUrl, rateLimits: 'off' },
      settingsFile: join(dir, 'sandbox-settings.json'),
      stateFile: join(dir, 'sandbox.json'),
    });
    undo.push(() => launched.stop());
    const sandbox = new Pool(launched.url, { connect: { ca: ca.certificate }, connections: 128 });
    undo.push(() => sandbox.destroy());
    const clock = new SystemClock();
    const attempts = new AttemptBook(() => clock.epochMs());
    const certificates = await drillCertificates(clock, HOST, ca);
    const interceptor = await HttpInterceptor.open({
      server: certificates.server,
      origin: launched.url,
      vendor: sandbox,
      onStruck: attempts.struck,
    });
    undo.push(() => interceptor.close());
    const { certificate: cert, key } = certificates.expired;
    const proxy = await TcpProxy.open({
      targets: () => [{ host: HOST, port: interceptor.port }],
      expired: { cert, key: createPrivateKey(key).export({ type: 'pkcs8', format: 'pem' }).toString() },
    });
    undo.push(() => proxy.close());
    return new OwnVendor({ credentials, sandbox, interceptor, proxy, attempts });
  }

  get credentials(): Parts['credentials'] {
    return this.parts.credentials;
  }

  get url(): string {
    return `https://${HOST}:${this.parts.proxy.port}`;
  }

  get attempts(): Pick<AttemptBook, 'since' | 'told'> {
    return this.parts.attempts;
  }

  async use(faults: readonly FaultAt<'vendor'>[]): Promise<void> {
    const { interceptor, proxy, attempts } = this.parts;
    const network = faults.flatMap(({ fault }) => (isHttpFault(fault) ? [] : [fault]));
    interceptor.use(
      faults.flatMap(({ fault, operations, share = 1 }) => (isHttpFault(fault) ? [{ fault, operations, share }] : [])),
    );
    if (network.length > 0) attempts.network(true);
    await proxy.use(network);
    if (network.length === 0) attempts.network(false);
  }

  async disturbWebhooks(faults: readonly FaultAt<'webhooks'>[]): Promise<void> {
    const wanted = JSON.stringify(faults);
    if (wanted === this.#webhookFaults) return;
    this.#webhookFaults = wanted;
    await this.control('DELETE', 'webhooks/faults');
    for (const { fault } of faults) await this.control('POST', 'webhooks/faults', fault);
  }

  async finish(sessionId: string): Promise<boolean> {
    return (await this.control('POST', `sessions/${sessionId}/finish`, { status: 'Approved' })).status === 200;
  }

  /** Sessions made since, by what the vendor was told of their person. */
  async sessionsMade(since: Date): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const { body } = await this.control('GET', `ledger?operation=session.create&since=${since.toISOString()}`);
    const { items } = body as { items: { vendorData: string | null; sessionId: string | null }[] };
    const made = new Map<string, Set<string>>();
    for (const { vendorData, sessionId } of items) {
      if (vendorData === null || sessionId === null) continue;
      made.set(vendorData, (made.get(vendorData) ?? new Set()).add(sessionId));
    }
    return made;
  }

  private async control(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<{ status: number; body: unknown }> {
    const answer = await this.parts.sandbox.request({
      method,
      path: `/_sandbox/${path}`,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }
}
