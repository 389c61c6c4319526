import { applyDecorators, createParamDecorator, Delete, type ExecutionContext, Get, Patch, Post } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiParam, ApiQuery } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Call, callOf, Scopes } from '../../platform/index.js';
import { type OperationName, OPERATIONS } from '../../vendors/index.js';
import type { DropInAnswer } from './drop-in-calls.js';

/** A request in Didit's own format: everything that any of its operations looks at. */
export interface DroppedIn {
  call: Call;
  /** JSON, or a stream of a form that is read only as it is taken. */
  body: unknown;
  contentType: string | undefined;
  idempotencyKey: string | undefined;
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, unknown>>;
}

const METHODS = { GET: Get, POST: Post, PATCH: Patch, DELETE: Delete } as const;

const CONSUMES = {
  none: [],
  json: ['application/json'],
  multipart: ['multipart/form-data'],
  'json-or-multipart': ['application/json', 'multipart/form-data'],
} as const;

/** The route of a vendor operation: its path at Didit under `/didit`, the scopes that it needs, and what the API's description says of it. */
export function Operation(name: OperationName): MethodDecorator {
  const operation = OPERATIONS[name];
  const route = operation.path.replace(/^\/v3\/|\/$/g, '').replace(/\{(\w+)\}/g, ':$1');
  const params = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, param = '']) => param);
  return applyDecorators(
    METHODS[operation.method](route),
    Scopes(...operation.scopes),
    ApiOperation({ summary: `Didit’s ${name}`, description: 'Request and answer in Didit’s own format, masked.' }),
    ...params.map((param) => ApiParam({ name: param, type: String })),
    ...operation.query.map((query) => ApiQuery({ name: query, type: String, required: false })),
    ...(operation.body === 'none' ? [] : [ApiConsumes(...CONSUMES[operation.body])]),
  );
}

export const TheRequest = createParamDecorator((_: unknown, context: ExecutionContext): DroppedIn => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  return {
    call: callOf(request),
    body: request.body,
    contentType: request.headers['content-type'],
    idempotencyKey: textOf(request.headers['idempotency-key']),
    params: request.params as Record<string, string>,
    query: request.query as Record<string, unknown>,
  };
});

/** Status and body as Didit gave them, where nothing of ours forbids it. */
export function send(reply: FastifyReply, { status, headers, body }: DropInAnswer): void {
  void reply.code(status).headers(headers);
  void (body === undefined
    ? reply.send()
    : reply.header('content-type', 'application/json').send(JSON.stringify(body)));
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
