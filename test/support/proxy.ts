import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What happens to the next message to Postgres that holds the marked text. */
export type Cut =
  /** The connection ends before Postgres sees the message. */
  | 'before'
  /** Postgres gets it and its answer is never seen: the connection ends when the answer comes. */
  | 'after'
  /** The answer is swallowed and the connection stays, as behind a firewall that forgot it. */
  | 'silent';

/** A way to Postgres that cuts connections at a chosen message. */
export class CuttingProxy {
  readonly #sockets = new Set<Socket>();
  #cut: { cut: Cut; mark: string } | undefined;
  #cuts = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (client) => this.serve(client));
  }

  /** @param url of the database behind it */
  static async open(url: string): Promise<CuttingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new CuttingProxy(server, new URL(url));
  }

  /** The database by way of the proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  /** Cuts made so far. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Arms one cut, at the next message with this text in it. */
  cutNext(cut: Cut, mark: string): void {
    this.#cut = { cut, mark };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(client: Socket): void {
    const server = connect(Number(this.target.port), this.target.hostname);
    let waiting: Cut | undefined;
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (this.#cut !== undefined && chunk.includes(this.#cut.mark)) {
        waiting = this.#cut.cut;
        this.#cut = undefined;
        this.#cuts += 1;
      }
      if (waiting === 'before') client.destroy();
      else server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (waiting === undefined) client.write(chunk);
      else if (waiting === 'after') client.destroy();
    });
  }
}
