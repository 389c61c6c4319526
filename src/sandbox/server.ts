import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { registerApi, send, unmatched } from './api/routes.js';
import { badControl, registerControls } from './controls/routes.js';
import { registerPage } from './page/routes.js';
import { readSettings, type SandboxSettings, type Settings } from './settings.js';
import { detail, html, htmlNotFound } from './wire/answers.js';
import { World } from './world.js';

export interface RunningSandbox {
  /** Origin, without a last slash. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

const sweepEveryMs = 5_000;

/** Starts a sandbox in this process. Throws when a setting is wrong or the port is taken. */
export const startSandbox = async (input: SandboxSettings): Promise<RunningSandbox> => {
  const settings = readSettings(input);
  const world = new World(settings, readFileSync(settings.tls.caFile, 'utf8'));
  const app = build(settings);
  const sockets = trackSockets(app);
  registerApi(app, world, (request) => resetUnder(request, sockets));
  registerControls(app, world);
  registerPage(app, world);
  app.setNotFoundHandler((request, reply) => unmatched(world, request, reply));
  await app.listen({ host: settings.host, port: settings.port });
  const port = portOf(app.server.address());
  world.origin = settings.url?.replace(/\/$/, '') ?? `https://${reachable(settings.host)}:${port}`;
  const sweeper = setInterval(() => world.lifecycle.sweep(), sweepEveryMs);
  sweeper.unref();
  return {
    url: world.origin,
    port,
    close: async () => {
      clearInterval(sweeper);
      for (const socket of sockets.values()) socket.destroy();
      await app.close();
      await world.close();
    },
  };
};

const build = (settings: Settings): FastifyInstance => {
  const app = Fastify({
    https: {
      cert: readFileSync(settings.tls.certFile),
      key: readFileSync(settings.tls.keyFile),
      minVersion: 'TLSv1.2' as const,
    },
    forceCloseConnections: true,
    keepAliveTimeout: 65_000,
    exposeHeadRoutes: false,
    routerOptions: { caseSensitive: true, maxParamLength: 512 },
    frameworkErrors: (_error, _request, reply) => {
      void send(reply, htmlNotFound());
    },
  });
  app.removeAllContentTypeParsers();
  // Each operation reads its own body, after it knows who asks: a wrong key must not learn that its JSON was wrong.
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const refusal = badControl(error);
    if (refusal !== null) return send(reply, refusal);
    if (error.statusCode === 413) return send(reply, html(413, '413 Request Entity Too Large', 'nginx'));
    return send(reply, error.statusCode === 400 ? detail(400, 'Bad request.') : html(500, 'Server Error', ''));
  });
  return app;
};

const portOf = (address: AddressInfo | string | null): number => {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('the sandbox listens on no port');
};

const reachable = (host: string): string => {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
};

/** The TCP sockets under the TLS ones, by the caller's address: only they can be reset. */
const trackSockets = (app: FastifyInstance): Map<string, Socket> => {
  const sockets = new Map<string, Socket>();
  app.server.on('connection', (socket: Socket) => {
    const key = addressOf(socket);
    sockets.set(key, socket);
    socket.once('close', () => {
      if (sockets.get(key) === socket) sockets.delete(key);
    });
  });
  return sockets;
};

const addressOf = (socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): string =>
  `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;

const resetUnder = (request: FastifyRequest, sockets: ReadonlyMap<string, Socket>): void => {
  const { socket } = request.raw;
  sockets.get(addressOf(socket))?.resetAndDestroy();
  socket.destroy();
};
