import { applyDecorators, Controller, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { RouteConstraints } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { type Call, callOf, type Listener, type RouteClass } from './call.js';

/** Markers only declare; the corridor's checks read them. */
export const ROUTE_CLASS = 'gatehouse:route-class';
export const SCOPES = 'gatehouse:scopes';
export const ROLES = 'gatehouse:roles';
export const IDEMPOTENT = 'gatehouse:idempotent';

/** Nest copies only a method's own metadata to the router, so the listener is written on every handler of the class. */
function boundTo(listener: Listener): ClassDecorator {
  return (target) => {
    const prototype = target.prototype as Record<string, unknown>;
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
      if (descriptor && typeof descriptor.value === 'function' && name !== 'constructor') {
        RouteConstraints({ listener })(prototype, name, descriptor);
      }
    }
    RouteConstraints({ listener })(target);
  };
}

/** A controller on the public listener. */
export const PublicController = (path: string, routeClass: RouteClass): ClassDecorator =>
  applyDecorators(Controller(path), boundTo('public'), SetMetadata(ROUTE_CLASS, routeClass));

/** A controller on the internal listener. */
export const AdminController = (path: string, routeClass: RouteClass = 'admin'): ClassDecorator =>
  applyDecorators(Controller(path), boundTo('admin'), SetMetadata(ROUTE_CLASS, routeClass));

/** Rights a client needs for this operation: every one of them. A data route without this marker does not start. */
export const Scopes = (...scopes: string[]) => SetMetadata(SCOPES, scopes);

/** Roles of which an administrator needs any one; `admin` always passes. An admin route without this marker does not start. */
export const Roles = (...roles: string[]) => SetMetadata(ROLES, roles);

/** A write that takes an `Idempotency-Key`: room 6 keeps its answer. */
export const Idempotent = () => SetMetadata(IDEMPOTENT, true);

/** The call, as a handler's first argument. */
export const TheCall = createParamDecorator((_: unknown, context: ExecutionContext): Call =>
  callOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
