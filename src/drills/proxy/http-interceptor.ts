import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import type { OperationName } from '../../vendors/index.js';
import type { HttpFault } from '../faults.js';
import type { Pair } from '../../platform/index.js';
import { ATTEMPT_HEADER } from './attempt-told.js';
import { operationOf } from './operation-of.js';
import { inPlace, worksFirst } from './spoilt.js';

/** A fault and which calls it strikes. */
export interface AimedHttpFault {
  fault: HttpFault;
  operations?: readonly OperationName[] | undefined;
  share: number;
}

export interface HttpInterceptorOptions {
  server: Pair;
  /** Origin of the vendor. */
  origin: string;
  /** The way to the vendor, with the gateway's own rules of hosts and certificates. */
  vendor: Dispatcher;
  /** 0 to 1. */
  random?: () => number;
  /** Told of an attempt that a fault meets, by its id. */
  onStruck?: (id: string, fault: HttpFault) => void;
}

/** Hop by hop, or made anew on each side (RFC 9110 section 7.6.1), or the drill's own. */
const OWN_OF_A_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'host',
  'expect',
  'upgrade',
  ATTEMPT_HEADER,
]);
const KEEP_ALIVE_MS = 30_000;
const LOOPBACK = '127.0.0.1';

/** Ends the gateway's TLS, so that single calls and answers can be spoilt, and carries the rest on to the vendor over TLS of its own. */
export class HttpInterceptor {
  readonly #options: HttpInterceptorOptions;
  readonly #server: Server;
  #faults: readonly AimedHttpFault[] = [];

  private constructor(options: HttpInterceptorOptions) {
    this.#options = options;
    const { certificate: cert, key } = options.server;
    this.#server = createServer(
      { cert, key, minVersion: 'TLSv1.2', keepAliveTimeout: KEEP_ALIVE_MS },
      (request, response) => {
        this.serve(request, response).catch(() => response.destroy());
      },
    );
    this.#server.on('tlsClientError', () => undefined);
  }

  static async open(options: HttpInterceptorOptions): Promise<HttpInterceptor> {
    const interceptor = new HttpInterceptor(options);
    interceptor.#server.listen(0, LOOPBACK);
    await once(interceptor.#server, 'listening');
    return interceptor;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  use(faults: readonly AimedHttpFault[]): void {
    this.#faults = faults;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.draw(operationOf(request.method, request.url));
    const id = request.headers[ATTEMPT_HEADER];
    if (fault !== undefined && typeof id === 'string') this.#options.onStruck?.(id, fault);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    if (fault !== undefined && !worksFirst(fault)) {
      if (fault.kind === 'slow') await sleep(fault.ms, undefined, { signal: gone.signal });
      const instead = inPlace(fault);
      if (instead !== undefined) {
        request.resume();
        response.writeHead(instead.status, instead.headers).end(instead.body);
        return;
      }
    }
    await this.forward(request, response, fault !== undefined && worksFirst(fault) ? fault : undefined, gone.signal);
  }

  private draw(operation: OperationName | undefined): HttpFault | undefined {
    const random = this.#options.random ?? Math.random;
    const struck = this.#faults.find(
      ({ operations, share }) =>
        (operations === undefined || (operation !== undefined && operations.includes(operation))) && random() < share,
    );
    return struck?.fault;
  }

  private async forward(
    request: IncomingMessage,
    response: ServerResponse,
    fault: HttpFault | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await this.#options.vendor.request({
      origin: this.#options.origin,
      method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
      path: request.url ?? '/',
      headers: onwards(request.headers),
      body:
        request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined
          ? null
          : request,
      signal,
    });
    const body = Buffer.from(await answer.body.arrayBuffer());
    if (fault?.kind === 'slow') await sleep(fault.ms, undefined, { signal });
    const instead = fault && inPlace(fault);
    if (instead !== undefined) {
      response.writeHead(instead.status, instead.headers).end(instead.body);
      return;
    }
    response.writeHead(answer.statusCode, { ...onwards(answer.headers), 'content-length': body.length });
    if (fault?.kind !== 'truncated') {
      response.end(body);
      return;
    }
    response.write(body.subarray(0, Math.ceil(body.length / 2)), () => response.socket?.destroy());
  }
}

function onwards(headers: Record<string, string | string[] | undefined>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string | string[]] => entry[1] !== undefined && !OWN_OF_A_CONNECTION.has(entry[0]),
    ),
  );
}
