import { lookup } from 'node:dns';
import { connect } from 'node:net';
import { type buildConnector, type Dispatcher, Pool } from 'undici';
import type { Clock } from '../../platform/index.js';
import { guardedConnector } from '../../vendors/index.js';
import { isHttpFault, type VendorFault } from '../faults.js';
import { drillCertificates } from './authority.js';
import { HttpInterceptor } from './http-interceptor.js';
import { TcpProxy } from './tcp-proxy.js';

/** The vendor as the gateway is set up to reach it (`vendors.didit`). */
export interface VendorSettings {
  baseUrl: string;
  hosts: readonly string[];
  caFile?: string | undefined;
  connectTimeoutMs: number;
  connections: number;
}

/** A name that no resolver finds (RFC 6761 section 6.4). */
const NOWHERE = 'vendor.invalid';

/**
 * A way to the vendor with the drill's proxy in it. Without HTTP faults TLS goes through from end to end, held to the gateway's own rules of
 * hosts and certificates; with them the proxy ends it by a certificate that this way alone trusts, and keeps those rules towards the vendor.
 */
export class VendorWay {
  #noName = false;

  private constructor(
    readonly dispatcher: Dispatcher,
    private readonly proxy: TcpProxy,
    private readonly interceptor: HttpInterceptor | undefined,
    private readonly onward: Pool | undefined,
  ) {}

  /** @param faults all that will ever be used on it: they tell whose certificate is met */
  static async open(vendor: VendorSettings, faults: readonly VendorFault[], clock: Clock): Promise<VendorWay> {
    const { hostname, port } = new URL(vendor.baseUrl);
    const certificates = await drillCertificates(clock, hostname.replace(/^\[(.*)\]$/, '$1'));
    const onward = faults.some(isHttpFault) ? poolOf(vendor, guarded(vendor)) : undefined;
    const interceptor =
      onward && (await HttpInterceptor.open({ server: certificates.server, origin: vendor.baseUrl, vendor: onward }));
    const target = interceptor
      ? { host: '127.0.0.1', port: interceptor.port }
      : { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || 443) };
    const { certificate: cert, key } = certificates.expired;
    const proxy = await TcpProxy.open({ targets: () => [target], expired: { cert, key } });
    // An expired certificate must be met for its date and not for its unknown issuer.
    const own = interceptor !== undefined || faults.some(({ kind }) => kind === 'tls-expired');
    const checked = guarded(vendor, own ? certificates.authority : undefined);
    const way: VendorWay = new VendorWay(
      poolOf(vendor, (target, callback) => way.connect(checked, target, callback)),
      proxy,
      interceptor,
      onward,
    );
    return way;
  }

  async use(faults: readonly VendorFault[]): Promise<void> {
    const network = faults.filter((fault) => !isHttpFault(fault));
    this.#noName = network.some(({ kind }) => kind === 'dns-failure');
    this.interceptor?.use(faults.filter(isHttpFault).map((fault) => ({ fault, share: 1 })));
    await this.proxy.use(network);
  }

  /** Calls on it are cut off: a drill that stops leaves nothing hanging. */
  async close(): Promise<void> {
    await this.dispatcher.destroy();
    await this.proxy.close();
    await this.interceptor?.close();
    await this.onward?.destroy();
  }

  private connect(
    checked: buildConnector.connector,
    target: buildConnector.Options,
    callback: buildConnector.Callback,
  ): void {
    if (this.#noName) {
      lookup(NOWHERE, (error) => callback(error ?? new Error('a reserved name was found'), null));
      return;
    }
    const socket = connect({ host: '127.0.0.1', port: this.proxy.port, noDelay: true });
    const failed = (error: Error): void => callback(error, null);
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      // The TLS socket made on it tells of its errors from here on.
      socket.on('error', () => undefined);
      checked({ ...target, httpSocket: socket }, callback);
    });
  }
}

function guarded(
  { baseUrl, hosts, caFile, connectTimeoutMs }: VendorSettings,
  authority?: string,
): buildConnector.connector {
  return guardedConnector({
    origins: [baseUrl],
    hosts,
    timeoutMs: connectTimeoutMs,
    ...(caFile === undefined ? {} : { caFile }),
    ...(authority === undefined ? {} : { authority }),
  });
}

function poolOf({ baseUrl, connections }: VendorSettings, connect: buildConnector.connector): Pool {
  return new Pool(baseUrl, { connect, connections, pipelining: 1 });
}
