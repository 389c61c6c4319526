import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Config } from '../config/schema.js';
import { PROBLEM_JSON } from '../problems/render.js';
import type { Listener } from './call.js';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface TlsFiles {
  cert: string;
  key: string;
}

/** One HTTPS server: open before the house stands, so that a probe of a starting instance gets a clear 503. */
export class ListenerServer {
  readonly server: Server;
  #handler: Handler = answerStarting;
  readonly #perAddress = new Map<string, number>();

  constructor(
    readonly name: Listener,
    tls: TlsFiles,
    private readonly limits: Config['listeners']['connections'],
    maxHeaderSize: number,
  ) {
    this.server = createServer(
      {
        cert: readFileSync(tls.cert),
        key: readFileSync(tls.key),
        minVersion: 'TLSv1.2',
        handshakeTimeout: limits.handshakeTimeout,
        headersTimeout: limits.headersTimeout,
        requestTimeout: limits.requestTimeout,
        keepAliveTimeout: limits.keepAliveTimeout,
        maxHeaderSize,
        insecureHTTPParser: false,
        // Node's own 400 would be neither problem details nor recorded: the entrance asks for the Host.
        requireHostHeader: false,
      },
      (request, response) => this.#handler(request, response),
    );
    this.server.maxConnections = limits.max;
    // The raw connection comes before its handshake: a flood from one address costs no signature.
    this.server.on('connection', (socket: Socket) => this.admit(socket));
    // An expectation that nobody knows is no reason to refuse (RFC 9110 section 10.1.1); Node's own 417 would go unrecorded.
    this.server.on('checkExpectation', (request, response) => this.#handler(request, response));
    this.server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on calls go to the house. */
  open(handler: Handler): void {
    this.#handler = handler;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeIdleConnections();
    });
  }

  private admit(socket: Socket): void {
    const address = socket.remoteAddress;
    if (address === undefined) return;
    const open = (this.#perAddress.get(address) ?? 0) + 1;
    if (open > this.limits.perAddress) {
      socket.destroy();
      return;
    }
    this.#perAddress.set(address, open);
    socket.once('close', () => {
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
    });
  }
}

function answerStarting(_request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify({
    type: 'urn:gatehouse:problem:shutting-down',
    title: 'Starting',
    status: 503,
    detail: 'This instance is starting.',
    code: 'shutting-down',
  });
  response.writeHead(503, { 'content-type': PROBLEM_JSON, 'retry-after': '1', connection: 'close' }).end(body);
}

/** Where callers reach a listener, unless a setting says so: a host that means every interface by the name that the certificate bears. */
export function listenerUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `https://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
