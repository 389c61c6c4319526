import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDevelopmentCertificates } from '../../../platform/index.js';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback that answers as a test tells it, over TLS by a certificate authority of its own. */
export class FakeVendor {
  readonly caFile: string;
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers'] }[] = [];
  /** Connections made, and those still open. */
  connections = 0;
  readonly sockets = new Set<Socket>();
  handler: Handler = (_request, response) => response.writeHead(500).end();
  readonly #server: Server;
  readonly #dir: string;

  private constructor(dir: string, caFile: string, options: ServerOptions) {
    this.#dir = dir;
    this.caFile = caFile;
    this.#server = createServer(options, (request, response) => {
      this.requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
      this.handler(request, response);
    });
    this.#server.on('secureConnection', (socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(options: ServerOptions = {}): Promise<FakeVendor> {
    const dir = mkdtempSync(join(tmpdir(), 'gatehouse-vendor-'));
    const files = await ensureDevelopmentCertificates(dir, []);
    const cert = readFileSync(files.certFile);
    const key = readFileSync(files.keyFile);
    const vendor = new FakeVendor(dir, files.caFile, { cert, key, ...options });
    await new Promise<void>((ready) => vendor.#server.listen(0, '127.0.0.1', ready));
    return vendor;
  }

  get baseUrl(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return `https://127.0.0.1:${address.port}`;
  }

  /** Back to a clean sheet between tests. */
  reset(): void {
    this.requests.length = 0;
    this.connections = 0;
    for (const socket of this.sockets) socket.destroy();
    this.handler = (_request, response) => response.writeHead(500).end();
  }

  async stop(): Promise<void> {
    await new Promise<void>((done) => {
      this.#server.close(() => done());
      this.#server.closeAllConnections();
    });
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** Answers with JSON. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Handler {
  return (request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}
