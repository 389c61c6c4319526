import { Body, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import {
  type Call,
  clientOf,
  Idempotent,
  PublicController,
  Scopes,
  tagged,
  TheCall,
  versionOf,
} from '../../platform/index.js';
import { Deliveries, type DeliveryDetailView, type DeliveryView } from './deliveries.js';
import { Endpoints, type EndpointView, type MadeEndpointView } from './endpoints.js';
import {
  type DeliveryListQuery,
  deliveryListSchema,
  type EndpointListQuery,
  endpointListSchema,
  type EndpointPatch,
  endpointPatchSchema,
  type NewEndpoint,
  newEndpointSchema,
  type ResendBody,
  resendSchema,
  type RotateBody,
  rotateSchema,
} from './schemas.js';

/** A client's own endpoints: what is another's is as unknown as what never was. A secret is in the answer that makes it and nowhere else. */
@PublicController('v1', 'data')
export class EndpointsController {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly deliveries: Deliveries,
  ) {}

  @Get('webhook-endpoints')
  @Scopes('webhooks:manage')
  list(
    @TheCall() call: Call,
    @Query({ schema: endpointListSchema }) query: EndpointListQuery,
  ): Promise<{ items: EndpointView[]; nextCursor: string | null }> {
    return this.endpoints.list(ownerOf(call), query);
  }

  @Post('webhook-endpoints')
  @Scopes('webhooks:manage')
  @Idempotent()
  async create(
    @TheCall() call: Call,
    @Body({ schema: newEndpointSchema }) endpoint: NewEndpoint,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MadeEndpointView> {
    const made = await this.endpoints.create(call, clientOf(call).id, endpoint);
    return tagged(reply, made, made.version);
  }

  @Get('webhook-endpoints/:id')
  @Scopes('webhooks:manage')
  async get(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EndpointView> {
    const view = await this.endpoints.get(ownerOf(call), id);
    return tagged(reply, view, view.version);
  }

  @Patch('webhook-endpoints/:id')
  @Scopes('webhooks:manage')
  async change(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: endpointPatchSchema }) patch: EndpointPatch,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EndpointView> {
    const view = await this.endpoints.change(call, ownerOf(call), id, patch, versionOf(ifMatch));
    return tagged(reply, view, view.version);
  }

  @Delete('webhook-endpoints/:id')
  @Scopes('webhooks:manage')
  @HttpCode(204)
  remove(@TheCall() call: Call, @Param('id') id: string): Promise<void> {
    return this.endpoints.remove(call, ownerOf(call), id);
  }

  @Post('webhook-endpoints/:id/rotate')
  @Scopes('webhooks:manage')
  @Idempotent()
  @HttpCode(200)
  rotate(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: rotateSchema }) body: RotateBody,
  ): Promise<MadeEndpointView> {
    return this.endpoints.rotate(call, ownerOf(call), id, body);
  }

  @Post('webhook-endpoints/:id/test')
  @Scopes('webhooks:manage')
  @Idempotent()
  @HttpCode(202)
  test(@TheCall() call: Call, @Param('id') id: string): Promise<{ delivery: string }> {
    return this.endpoints.test(call, ownerOf(call), id);
  }

  @Post('webhook-endpoints/:id/pause')
  @Scopes('webhooks:manage')
  @Idempotent()
  @HttpCode(200)
  pause(@TheCall() call: Call, @Param('id') id: string): Promise<EndpointView> {
    return this.endpoints.move(call, ownerOf(call), id, 'pause');
  }

  @Post('webhook-endpoints/:id/resume')
  @Scopes('webhooks:manage')
  @Idempotent()
  @HttpCode(200)
  resume(@TheCall() call: Call, @Param('id') id: string): Promise<EndpointView> {
    return this.endpoints.move(call, ownerOf(call), id, 'resume');
  }

  @Post('webhook-endpoints/:id/drain')
  @Scopes('webhooks:manage')
  @Idempotent()
  @HttpCode(200)
  drain(@TheCall() call: Call, @Param('id') id: string): Promise<EndpointView> {
    return this.endpoints.move(call, ownerOf(call), id, 'drain');
  }

  @Post('webhook-endpoints/:id/disable')
  @Scopes('webhooks:manage')
  @Idempotent()
  @HttpCode(200)
  disable(@TheCall() call: Call, @Param('id') id: string): Promise<EndpointView> {
    return this.endpoints.move(call, ownerOf(call), id, 'disable');
  }

  @Post('webhook-endpoints/:id/resend')
  @Scopes('webhooks:manage')
  @Idempotent()
  @HttpCode(202)
  resendAll(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: resendSchema }) body: ResendBody,
  ): Promise<{ resent: number }> {
    return this.deliveries.resendAll(call, ownerOf(call), id, body);
  }

  @Get('webhook-deliveries')
  @Scopes('webhooks:manage')
  listDeliveries(
    @TheCall() call: Call,
    @Query({ schema: deliveryListSchema }) query: DeliveryListQuery,
  ): Promise<{ items: DeliveryView[]; nextCursor: string | null }> {
    return this.deliveries.list(ownerOf(call), query);
  }

  @Get('webhook-deliveries/:id')
  @Scopes('webhooks:manage')
  delivery(@TheCall() call: Call, @Param('id') id: string): Promise<DeliveryDetailView> {
    return this.deliveries.get(ownerOf(call), id);
  }

  @Post('webhook-deliveries/:id/resend')
  @Scopes('webhooks:manage')
  @Idempotent()
  @HttpCode(202)
  resend(@TheCall() call: Call, @Param('id') id: string): Promise<DeliveryDetailView> {
    return this.deliveries.resend(call, ownerOf(call), id);
  }
}

function ownerOf(call: Call): { client: string } {
  return { client: clientOf(call).id };
}
