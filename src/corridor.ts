import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Call, callOf, ProblemError, type Route, type RouteClass, type RouteTable } from './platform/index.js';

/** What a check sees of a call. */
export interface Step {
  call: Call;
  route: Route;
  request: FastifyRequest;
  reply: FastifyReply;
  context: ExecutionContext;
}

export type Check = (step: Step) => void | Promise<unknown>;

/** The checks that need something of their own to decide; each stands in its module. */
export interface Rooms {
  httpsOnly: Check;
  deniedAddress: Check;
  allowedAddress: Check;
  agent: Check;
  client: Check;
  administrator: Check;
  opsToken: Check;
  rates: Check;
  idempotency: Check;
}

/** Room 4: the right of a call is the intersection of its credentials'; a route names every scope that it needs. */
const scopes: Check = ({ call, route }) => {
  const held = call.caller?.kind === 'client' ? call.caller.scopes : new Set<string>();
  const missing = (route.scopes ?? []).filter((scope) => !held.has(scope));
  if (missing.length > 0)
    throw new ProblemError('forbidden-scope', { rule: 'scope.missing', reason: `needs ${missing.join(' ')}` });
};

/** Room 4 on the internal listener: any one of the route's roles, or `admin`. */
const roles: Check = ({ call, route }) => {
  const held = call.caller?.kind === 'administrator' ? call.caller.roles : new Set<string>();
  if (held.has('admin') || (route.roles ?? []).some((role) => held.has(role))) return;
  throw new ProblemError('forbidden-scope', {
    rule: 'role.missing',
    reason: `needs one of ${(route.roles ?? []).join(' ')}`,
  });
};

interface Row {
  room: number;
  name: string;
  check: Check;
  classes: readonly RouteClass[];
}

const row = (room: number, name: string, check: Check, ...classes: (RouteClass | undefined)[]): Row => ({
  room,
  name,
  check,
  classes: classes.filter((name) => name !== undefined),
});
const [D, W, A, M, L, o] = ['data', 'webhook', 'admin', 'metrics', 'log', undefined] as const;

/**
 * The corridor: the same rooms in the same order for every call, checks down, route classes across. The entrance (src/platform/http)
 * stands before it with what costs nothing: strict parsing, limits of size and time, a rate an address. Behind it the pipe validates
 * (room 7), the handler works and masks (8, 9), and the way out commits the record before the answer leaves (10, 11). Health and docs
 * pass no check.
 */
// prettier-ignore
export const corridor = (rooms: Rooms): readonly Row[] => [
  // room  name                  check                  data web adm met log
  row(1, 'https only',         rooms.httpsOnly,        D,  W,  A,  M,  L),
  row(2, 'denied address',     rooms.deniedAddress,    D,  W,  A,  M,  L),
  row(2, 'allowed address',    rooms.allowedAddress,   D,  o,  o,  o,  o),
  row(2, 'user agent',         rooms.agent,            D,  W,  A,  o,  o),
  row(3, 'client credentials', rooms.client,           D,  o,  o,  o,  o),
  row(3, 'administrator',      rooms.administrator,    o,  o,  A,  o,  o),
  row(3, 'static bearer',      rooms.opsToken,         o,  o,  o,  M,  L),
  row(4, 'scopes',             scopes,                 D,  o,  o,  o,  o),
  row(4, 'roles',              roles,                  o,  o,  A,  o,  o),
  row(5, 'rates',              rooms.rates,            D,  o,  A,  o,  o),
  row(6, 'idempotency',        rooms.idempotency,      D,  o,  o,  o,  o),
];

/** Walks the corridor; the first refusal ends the walk. */
@Injectable()
export class CorridorGuard implements CanActivate {
  readonly #checks: ReadonlyMap<RouteClass, readonly Check[]>;

  constructor(
    rows: readonly Row[],
    private readonly routes: () => RouteTable,
  ) {
    const classes: RouteClass[] = ['data', 'webhook', 'admin', 'health', 'metrics', 'docs', 'log'];
    this.#checks = new Map(
      classes.map((name) => [name, rows.filter((row) => row.classes.includes(name)).map((row) => row.check)]),
    );
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const call = callOf(request);
    const method = call.method === 'HEAD' ? 'GET' : call.method;
    const route = this.routes().find(call.listener, method, call.route);
    if (route === undefined) throw new ProblemError('not-found', { rule: 'route.unknown' });
    const step: Step = { call, route, request, reply: http.getResponse<FastifyReply>(), context };
    for (const check of this.#checks.get(route.routeClass) ?? []) {
      const pending = check(step);
      if (pending !== undefined) await pending;
    }
    return true;
  }
}
