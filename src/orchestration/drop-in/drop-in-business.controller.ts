import { Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { PublicController } from '../../platform/index.js';
import { DropInRegistry } from './drop-in-registry.js';
import { DropInBusinesses } from './drop-in-businesses.js';
import { type DroppedIn, Operation, send, TheRequest } from './dropped-in.js';

/** Didit’s registries of companies, and its file of businesses. */
@PublicController('didit/v3', 'data')
export class DropInBusinessController {
  constructor(
    private readonly registry: DropInRegistry,
    private readonly businesses: DropInBusinesses,
  ) {}

  @Operation('kyb.search')
  async search(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.registry.search(request));
  }

  @Operation('kyb.select')
  async select(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.registry.select(request));
  }

  @Operation('business.create')
  async create(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.businesses.create(request));
  }

  @Operation('business.list')
  async list(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.businesses.list(request));
  }

  @Operation('business.get')
  async get(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.businesses.get(request));
  }

  @Operation('business.update')
  async update(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.businesses.change('business.update', request));
  }

  @Operation('business.update-status')
  async updateStatus(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.businesses.change('business.update-status', request));
  }
}
