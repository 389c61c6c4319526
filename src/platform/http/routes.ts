import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { RequestMethod, type Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { Listener, RouteClass } from './call.js';
import { IDEMPOTENT, ROLES, ROUTE_CLASS, SCOPES } from './markers.js';

/** What a route declares; the corridor's checks read it. */
export interface Route {
  listener: Listener;
  method: string;
  /** Template, such as `/v1/verifications/:id`. */
  path: string;
  routeClass: RouteClass;
  /** Rights that a client needs, every one. */
  scopes: readonly string[] | undefined;
  /** Roles of which an administrator needs one. */
  roles: readonly string[] | undefined;
  idempotent: boolean;
}

const CONSTRAINTS = '__fastify_route_constraints__';
const AUDITED: ReadonlySet<RouteClass> = new Set(['data', 'webhook', 'admin']);

/** Whether calls of this class leave a record. */
export function isAudited(routeClass: RouteClass): boolean {
  return AUDITED.has(routeClass);
}

function join(...parts: string[]): string {
  const path = parts
    .flatMap((part) => part.split('/'))
    .filter(Boolean)
    .join('/');
  return `/${path}`;
}

function pathsOf(target: object): string[] {
  const metadata: unknown = Reflect.getMetadata(PATH_METADATA, target);
  return (Array.isArray(metadata) ? metadata : [metadata ?? '']) as string[];
}

/** Every route with what it declares. Default deny: a data or admin route that declares no right stops the start. */
export class RouteTable {
  readonly #routes = new Map<string, Route>();
  readonly #patterns: { listener: Listener; method: string; pattern: RegExp }[] = [];

  add(route: Route): void {
    if (route.routeClass === 'data' && route.scopes === undefined)
      throw new Error(`${route.method} ${route.path} declares no scope`);
    if (route.routeClass === 'admin' && route.roles === undefined)
      throw new Error(`${route.method} ${route.path} declares no role`);
    this.#routes.set(`${route.listener} ${route.method} ${normal(route.path)}`, route);
    const source = normal(route.path)
      .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replace(/\/:[A-Za-z]+/g, '/[^/]+');
    this.#patterns.push({ listener: route.listener, method: route.method, pattern: new RegExp(`^${source}/?$`) });
  }

  find(listener: Listener, method: string, template: string): Route | undefined {
    return this.#routes.get(`${listener} ${method} ${normal(template)}`);
  }

  /** Methods that this path takes on this listener: for 405 and its `Allow`. */
  methodsOf(listener: Listener, path: string): string[] {
    const methods = this.#patterns
      .filter((row) => row.listener === listener && row.pattern.test(path))
      .map((row) => row.method);
    return [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].sort();
  }

  all(): Route[] {
    return [...this.#routes.values()];
  }

  static of(container: ModulesContainer): RouteTable {
    const table = new RouteTable();
    for (const module of container.values()) {
      for (const wrapper of module.controllers.values()) {
        if (typeof wrapper.metatype === 'function') addController(table, wrapper.metatype as Type);
      }
    }
    return table;
  }
}

/** The router writes a colon that is part of a name as `::`; outside it is one. */
function normal(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '').replaceAll('::', ':') : path;
}

function addController(table: RouteTable, controller: Type): void {
  const constraints = Reflect.getMetadata(CONSTRAINTS, controller) as { listener?: Listener } | undefined;
  if (constraints?.listener === undefined) throw new Error(`${controller.name} is bound to no listener`);
  const prototype = controller.prototype as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const handler = prototype[name];
    if (typeof handler !== 'function' || Reflect.getMetadata(METHOD_METADATA, handler) === undefined) continue;
    const read = <T>(key: string): T | undefined =>
      (Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, controller)) as T | undefined;
    const routeClass = read<RouteClass>(ROUTE_CLASS);
    if (routeClass === undefined) throw new Error(`${controller.name}.${name} has no route class`);
    for (const base of pathsOf(controller)) {
      for (const path of pathsOf(handler)) {
        table.add({
          listener: constraints.listener,
          method: RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number] ?? 'GET',
          path: normal(join(base, path)),
          routeClass,
          scopes: read<string[]>(SCOPES),
          roles: read<string[]>(ROLES),
          idempotent: read<boolean>(IDEMPOTENT) ?? false,
        });
      }
    }
  }
}
