import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiFault } from '../faults/api-faults.js';
import { strike } from '../faults/strike.js';
import type { LedgerEntry } from '../ledger.js';
import { detail, htmlNotFound, json, notFound, type Answer } from '../wire/answers.js';
import { maxFormBytes } from '../wire/multipart.js';
import { textIn } from '../wire/params.js';
import type { World } from '../world.js';
import { identifierOf, refuseCredential, tooMany } from './access.js';
import type { Call, Operation } from './operation.js';
import { healthOperation, operations } from './operations.js';

/** Didit's router takes canonical lower-case UUIDs only; anything else is another path, and so no route. */
const uuid = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
const maxJsonBytes = 8 * 1024 * 1024;

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Resets the connection of a request; the server knows the sockets under its TLS. */
export type ResetConnection = (request: FastifyRequest) => void;

export const registerApi = (app: FastifyInstance, world: World, resetConnection: ResetConnection): void => {
  for (const [path, those] of byPath) {
    const url = routeOf(path);
    for (const operation of those) {
      app.route({
        method: operation.method,
        url,
        bodyLimit: operation.noCredit === 'error 403' ? maxFormBytes : maxJsonBytes,
        handler: (request, reply) => serve(operation, world, request, reply, resetConnection),
      });
    }
    const taken = those.map(({ method }) => method);
    const others = methods.filter((method) => !taken.some((known) => known === method));
    app.route({ method: others, url, handler: (request, reply) => send(reply, notAllowed(request, taken)) });
  }
  app.get('/system/healthcheck', (request, reply) => health(world, request, reply, resetConnection));
};

/** Whatever no route took: a slash away from one it is redirected (GET only), else a page of HTML says it is not there. */
export const unmatched = (world: World, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const [path = '', query] = request.url.split('?', 2);
  if (path.startsWith('/v3/')) {
    const entry = world.ledger.open({ operation: 'unknown', method: request.method, path: request.url });
    entry.outcome = request.method === 'GET' && isRoute(`${path}/`) ? '301' : '404';
  }
  if (request.method !== 'GET' || path.endsWith('/') || !isRoute(`${path}/`)) return send(reply, htmlNotFound());
  const location = query === undefined ? `${path}/` : `${path}/?${query}`;
  return send(reply, { status: 301, headers: { location, 'content-type': 'text/html; charset=utf-8' }, body: '' });
};

export const send = (reply: FastifyReply, answer: Answer): FastifyReply => {
  for (const [name, value] of Object.entries(answer.headers)) reply.header(name, value);
  // As bytes: to a text the framework would add a charset that Didit does not name.
  return reply.status(answer.status).send(typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body);
};

const byPath = Map.groupBy(operations, ({ path }) => path);

const routeOf = (path: string): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'vendorData' ? `:${name}` : `:${name}(${uuid})`));

const patterns = [...byPath.keys()].map(
  (path) =>
    new RegExp(
      `^${path.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'vendorData' ? '[^/]+' : uuid.slice(1, -1)))}$`,
    ),
);
const isRoute = (path: string): boolean => patterns.some((pattern) => pattern.test(path));

const notAllowed = (request: FastifyRequest, taken: readonly string[]): Answer =>
  detail(405, `Method "${request.method}" not allowed.`, { allow: [...taken, 'OPTIONS'].join(', ') });

const serve = async (
  operation: Operation,
  world: World,
  request: FastifyRequest,
  reply: FastifyReply,
  resetConnection: ResetConnection,
): Promise<FastifyReply> => {
  const entry = world.ledger.open({ operation: operation.name, method: operation.method, path: request.url });
  const call = callOf(request, entry, world);
  const fault = world.apiFaults.draw(({ operations: only }) => only?.includes(operation.name) ?? true);
  const work = (): Promise<Answer> => perform(operation, call, world);
  if (fault === undefined) {
    const answer = await work();
    entry.outcome = String(answer.status);
    return send(reply, answer);
  }
  const struck = { fault, world, operation, work, request, reply, resetConnection: () => resetConnection(request) };
  return struckDown(struck, entry);
};

const struckDown = async (struck: Parameters<typeof strike>[0], entry?: LedgerEntry): Promise<FastifyReply> => {
  const { answer, outcome } = await strike({
    ...struck,
    work: async () => {
      const done = await struck.work();
      if (entry !== undefined) entry.outcome = `${struck.fault.kind} after ${done.status}`;
      return done;
    },
  });
  if (entry !== undefined) entry.outcome = outcome;
  return answer === null ? struck.reply : send(struck.reply, answer);
};

/** Rates first, then whether the session is there at all, and only then who asks: Didit looks for the owner before the key. */
const perform = async (operation: Operation, call: Call, world: World): Promise<Answer> => {
  const throttled = world.rates.take(operation.scopes, identifierOf(call.headers, call.peer));
  if (throttled !== null) return tooMany(throttled);
  if (operation.path.includes('{id}') && call.session === undefined) return notFound();
  const refused = refuseCredential(call.headers, world.settings);
  return refused ?? operation.handle(call, world);
};

const callOf = (request: FastifyRequest, entry: LedgerEntry, world: World): Call => {
  const id = textIn(request.params, 'id');
  const session = id === undefined ? undefined : world.store.get(id);
  entry.sessionId = id ?? null;
  entry.vendorData = session?.vendorData ?? null;
  const at = request.url.indexOf('?');
  return {
    path: request.url,
    query: new URLSearchParams(at === -1 ? '' : request.url.slice(at)),
    headers: request.headers,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    peer: request.ip,
    params: request.params as Record<string, string>,
    session,
    entry,
  };
};

/** Public and in no ledger; faults reach it when they name no operation, or this one. */
const health = (
  world: World,
  request: FastifyRequest,
  reply: FastifyReply,
  resetConnection: ResetConnection,
): FastifyReply | Promise<FastifyReply> => {
  const work = async (): Promise<Answer> => json(200, { status: 'ok', timestamp: new Date().toISOString() });
  const applies = (fault: ApiFault): boolean => fault.operations?.includes(healthOperation) ?? true;
  const fault = world.apiFaults.draw(applies);
  if (fault === undefined) return work().then((answer) => send(reply, answer));
  const operation = { scopes: [], noCredit: 'detail 403' as const };
  return struckDown({ fault, world, operation, work, request, reply, resetConnection: () => resetConnection(request) });
};
