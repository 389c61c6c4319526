import { Body, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminController, type Call, ProblemError, Roles, TheCall } from '../../platform/index.js';
import { ClientAdministration } from './client-administration.js';
import {
  type ClientListQuery,
  clientListSchema,
  type ClientPatch,
  clientPatchSchema,
  type NewClient,
  newClientSchema,
  type NewKey,
  newKeySchema,
} from './client-schemas.js';
import type { ClientDetailView, ClientView } from './client-views.js';

interface MadeKeyView {
  id: string;
  apiKey: string;
  prefix: string;
  scopes: string[];
  expiresAt: string;
}

const ENTITY_TAG = /^"(\d{1,9})"$/;

/** Clients and their credentials. A secret is in the answer that makes it and nowhere else. */
@AdminController('admin/v1/clients')
@Roles('admin', 'security')
export class ClientsAdminController {
  constructor(private readonly clients: ClientAdministration) {}

  @Get()
  list(@Query({ schema: clientListSchema }) query: ClientListQuery): Promise<{
    items: ClientView[];
    nextCursor: string | null;
  }> {
    return this.clients.list(query);
  }

  @Get(':id')
  async get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<ClientDetailView> {
    return tagged(reply, await this.clients.get(id));
  }

  @Post()
  async create(
    @TheCall() call: Call,
    @Body({ schema: newClientSchema }) client: NewClient,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ClientView> {
    return tagged(reply, await this.clients.create(call, client));
  }

  @Patch(':id')
  async change(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: clientPatchSchema }) patch: ClientPatch,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ClientView> {
    return tagged(reply, await this.clients.change(call, id, patch, versionOf(ifMatch)));
  }

  @Post(':id/keys')
  async addKey(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: newKeySchema }) key: NewKey,
  ): Promise<MadeKeyView> {
    const made = await this.clients.addKey(call, id, key);
    return { ...made, expiresAt: made.expiresAt.toISOString() };
  }

  @Delete(':id/keys/:keyId')
  @HttpCode(204)
  async revokeKey(@TheCall() call: Call, @Param('id') id: string, @Param('keyId') keyId: string): Promise<void> {
    await this.clients.revokeKey(call, id, keyId);
  }

  @Post(':id/secrets')
  async addSecret(@TheCall() call: Call, @Param('id') id: string): Promise<{ id: string; clientSecret: string }> {
    const made = await this.clients.addSecret(call, id);
    return { id: made.id, clientSecret: made.secret };
  }
}

/** The version as a strong entity tag (RFC 9110 section 8.8.3). */
function tagged<T extends { version: number }>(reply: FastifyReply, view: T): T {
  void reply.header('etag', `"${view.version}"`);
  return view;
}

function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch === '*') return undefined;
  const version = ENTITY_TAG.exec(ifMatch)?.[1];
  if (version === undefined) {
    throw new ProblemError('invalid-request', {
      errors: [{ pointer: '', message: 'If-Match must be a version such as "3"' }],
    });
  }
  return Number(version);
}
