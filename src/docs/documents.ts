import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { type Listener, type Origins, PROBLEMS, type RouteTable } from '../platform/index.js';

type Operation = { [key: string]: unknown; responses?: Record<string, unknown>; security?: unknown };
type PathItem = Record<string, Operation>;

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'RFC 9457 problem details.',
  required: ['type', 'title', 'status', 'detail', 'code', 'decisionId', 'traceId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    code: { type: 'string', enum: Object.keys(PROBLEMS) },
    decisionId: { type: 'string', format: 'uuid' },
    traceId: { type: 'string' },
    errors: {
      type: 'array',
      items: { type: 'object', properties: { pointer: { type: 'string' }, message: { type: 'string' } } },
    },
  },
};

/** The OpenAPI 3.1 documents of both listeners, made from the code once the application stands. */
export class ApiDocuments {
  readonly #documents = new Map<Listener, OpenAPIObject>();

  of(listener: Listener): OpenAPIObject {
    const document = this.#documents.get(listener);
    if (!document) throw new Error('the documents are made at the end of the start');
    return document;
  }

  make(app: INestApplication, routes: RouteTable, origins: Origins): void {
    const builder = new DocumentBuilder()
      .setOpenAPIVersion('3.1.0')
      .setTitle('Gatehouse')
      .setVersion('1')
      .addApiKey({ type: 'apiKey', in: 'header', name: 'x-api-key' }, 'key')
      .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'token');
    const whole = SwaggerModule.createDocument(app, builder.build());
    for (const listener of ['public', 'admin'] as const) {
      this.#documents.set(
        listener,
        documentOf(whole, listener, routes, listener === 'public' ? origins.publicUrl : origins.adminUrl),
      );
    }
  }
}

function documentOf(whole: OpenAPIObject, listener: Listener, routes: RouteTable, url: string): OpenAPIObject {
  const paths: Record<string, PathItem> = {};
  for (const [path, item] of Object.entries(whole.paths)) {
    for (const [method, operation] of Object.entries(item as PathItem)) {
      const route = routes.find(listener, method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'));
      if (route === undefined) continue;
      const needs = route.scopes ?? route.roles ?? [];
      (paths[route.path.replaceAll(/\/:(\w+)/g, '/{$1}')] ??= {})[method] = {
        ...operation,
        ...(needs.length > 0 ? { 'x-gatehouse-rights': needs } : {}),
        security: securityOf(route.routeClass, route.path),
        responses: {
          ...operation.responses,
          default: {
            description: 'Any refusal',
            content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        },
      };
    }
  }
  return {
    ...whole,
    info: { ...whole.info, title: listener === 'public' ? 'Gatehouse' : 'Gatehouse administration' },
    servers: [{ url }],
    paths: paths,
    components: { ...whole.components, schemas: { ...whole.components?.schemas, Problem: PROBLEM_SCHEMA } },
  };
}

function securityOf(routeClass: string, path: string): Record<string, string[]>[] {
  if (routeClass === 'data') return path.startsWith('/didit/') ? [{ key: [] }] : [{ key: [], token: [] }];
  return routeClass === 'admin' || routeClass === 'metrics' || routeClass === 'log' ? [{ token: [] }] : [];
}
