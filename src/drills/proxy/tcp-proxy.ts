import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { NetworkFault } from '../faults.js';
import { Lane } from './lane.js';

export interface Target {
  host: string;
  port: number;
}

export interface TcpProxyOptions {
  /** Tried in this order until one takes the connection. */
  targets: () => readonly Target[];
  /** What it presents for `tls-expired`, PEM. */
  expired?: { cert: string; key: string };
  host?: string;
}

const LOOPBACK = '127.0.0.1';
/** Connections through one proxy at once; more are closed at once. */
const MOST_CONNECTIONS = 4_096;

/**
 * A TCP proxy that a drill puts between the gateway and a peer. What it does to connections is set from outside and holds for those that
 * stand as well as for new ones. TLS passes through it untouched.
 */
export class TcpProxy {
  readonly #sockets = new Set<Socket>();
  readonly #expired: SecureContext | undefined;
  #server: Server;
  #port = 0;
  #faults: readonly NetworkFault[] = [];
  #closed = false;

  private constructor(private readonly options: TcpProxyOptions) {
    this.#expired = options.expired === undefined ? undefined : createSecureContext(options.expired);
    this.#server = this.makeServer();
  }

  static async open(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    await proxy.listen();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /**
   * The faults from now on. Connections that a fault had made silent are ended with it: what was swallowed is not sent late.
   * @returns when its port really is open or closed
   */
  async use(faults: readonly NetworkFault[]): Promise<void> {
    const before = this.#faults;
    this.#faults = faults;
    if (silent(before) && !silent(faults)) this.cut();
    // A handshake that has been is no answer to an expired certificate, a name looked up none to a failing one.
    if (faults.some(({ kind }) => ['refused', 'tls-expired', 'reset', 'dns-failure'].includes(kind))) this.cut();
    await (refused(faults) ? this.refuse() : this.listen());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.cut();
    await this.refuse();
  }

  /** Ends every connection, as a crash of the peer would. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  private makeServer(): Server {
    // A half-closed connection is the peer's own business.
    return createServer({ allowHalfOpen: true, noDelay: true }, (client) => void this.serve(client));
  }

  private async listen(): Promise<void> {
    if (this.#server.listening || this.#closed) return;
    this.#server = this.makeServer();
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.listen(this.#port, this.options.host ?? LOOPBACK);
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  private async refuse(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  private async serve(client: Socket): Promise<void> {
    this.keep(client);
    const kinds = new Set(this.#faults.map(({ kind }) => kind));
    // Accepted by the system, and then nobody is there.
    if (kinds.has('half-open')) return void client.resume();
    if (kinds.has('tls-expired')) return this.presentExpired(client);
    const peer = await this.reach();
    if (peer === undefined || client.destroyed) {
      peer?.destroy();
      client.resetAndDestroy();
      return;
    }
    client.once('close', () => peer.destroy());
    // After an orderly end what is still on its way comes through first.
    peer.once('close', (failed) => failed && client.resetAndDestroy());
    const faults = (): readonly NetworkFault[] => this.#faults;
    Lane.open('up', client, peer, faults);
    Lane.open('down', peer, client, faults);
  }

  private async reach(): Promise<Socket | undefined> {
    for (const { host, port } of this.options.targets()) {
      const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
      this.keep(socket);
      const reached = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true));
        socket.once('close', () => resolve(false));
      });
      if (reached) return socket;
    }
    return undefined;
  }

  private presentExpired(client: Socket): void {
    if (this.#expired === undefined) return void client.resetAndDestroy();
    const secure = new TLSSocket(client, { isServer: true, secureContext: this.#expired });
    secure.on('error', () => client.destroy());
    secure.resume();
  }

  private keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

function refused(faults: readonly NetworkFault[]): boolean {
  return faults.some(({ kind }) => kind === 'refused');
}

function silent(faults: readonly NetworkFault[]): boolean {
  return faults.some(({ kind }) => kind === 'stall' || kind === 'half-open');
}
