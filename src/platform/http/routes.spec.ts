import { describe, expect, it } from 'vitest';
import { type Route, RouteTable } from './routes.js';

const route = (over: Partial<Route>): Route => ({
  listener: 'public',
  method: 'GET',
  path: '/v1/things/:id',
  routeClass: 'data',
  scopes: ['things:read'],
  roles: undefined,
  idempotent: false,
  ...over,
});

describe('RouteTable', () => {
  it('does not start with a route that declares no right', () => {
    expect(() => new RouteTable().add(route({ scopes: undefined }))).toThrow('declares no scope');
    expect(() => new RouteTable().add(route({ routeClass: 'admin', listener: 'admin' }))).toThrow('declares no role');
  });

  it('tells the methods of a path on its own listener alone, with or without the last slash', () => {
    const table = new RouteTable();
    table.add(route({}));
    table.add(route({ method: 'PATCH' }));
    expect(table.methodsOf('public', '/v1/things/7')).toEqual(['GET', 'HEAD', 'PATCH']);
    expect(table.methodsOf('public', '/v1/things/7/')).toEqual(['GET', 'HEAD', 'PATCH']);
    expect(table.methodsOf('admin', '/v1/things/7')).toEqual([]);
    expect(table.methodsOf('public', '/v1/things/7/more')).toEqual([]);
  });
});
