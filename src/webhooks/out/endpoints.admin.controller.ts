import { Body, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminController, type Call, Roles, tagged, TheCall, versionOf } from '../../platform/index.js';
import { Deliveries, type DeliveryDetailView, type DeliveryView } from './deliveries.js';
import { Endpoints, type EndpointView, type MadeEndpointView } from './endpoints.js';
import {
  type DeliveryListQuery,
  deliveryListSchema,
  type EndpointListQuery,
  endpointListSchema,
  type EndpointPatch,
  endpointPatchSchema,
  type NewEndpointFor,
  newEndpointForSchema,
  type ResendBody,
  resendSchema,
  type RotateBody,
  rotateSchema,
} from './schemas.js';

/** Where events go, for whomever, and what became of each. A secret is in the answer that makes it and nowhere else. */
@AdminController('admin/v1/webhooks')
@Roles('operator', 'security')
export class EndpointsAdminController {
  constructor(
    private readonly endpoints: Endpoints,
    private readonly deliveries: Deliveries,
  ) {}

  @Get('endpoints')
  @Roles('operator', 'security', 'auditor')
  list(
    @Query({ schema: endpointListSchema }) query: EndpointListQuery,
  ): Promise<{ items: EndpointView[]; nextCursor: string | null }> {
    return this.endpoints.list('anyone', query);
  }

  @Post('endpoints')
  async create(
    @TheCall() call: Call,
    @Body({ schema: newEndpointForSchema }) { client, ...endpoint }: NewEndpointFor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MadeEndpointView> {
    const made = await this.endpoints.create(call, client, endpoint);
    return tagged(reply, made, made.version);
  }

  @Get('endpoints/:id')
  @Roles('operator', 'security', 'auditor')
  async get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<EndpointView> {
    const view = await this.endpoints.get('anyone', id);
    return tagged(reply, view, view.version);
  }

  @Patch('endpoints/:id')
  async change(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: endpointPatchSchema }) patch: EndpointPatch,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<EndpointView> {
    const view = await this.endpoints.change(call, 'anyone', id, patch, versionOf(ifMatch));
    return tagged(reply, view, view.version);
  }

  @Delete('endpoints/:id')
  @HttpCode(204)
  remove(@TheCall() call: Call, @Param('id') id: string): Promise<void> {
    return this.endpoints.remove(call, 'anyone', id);
  }

  @Post('endpoints/:id/rotate')
  @HttpCode(200)
  rotate(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: rotateSchema }) body: RotateBody,
  ): Promise<MadeEndpointView> {
    return this.endpoints.rotate(call, 'anyone', id, body);
  }

  @Post('endpoints/:id/test')
  @HttpCode(202)
  test(@TheCall() call: Call, @Param('id') id: string): Promise<{ delivery: string }> {
    return this.endpoints.test(call, 'anyone', id);
  }

  @Post('endpoints/:id/pause')
  @HttpCode(200)
  pause(@TheCall() call: Call, @Param('id') id: string): Promise<EndpointView> {
    return this.endpoints.move(call, 'anyone', id, 'pause');
  }

  @Post('endpoints/:id/resume')
  @HttpCode(200)
  resume(@TheCall() call: Call, @Param('id') id: string): Promise<EndpointView> {
    return this.endpoints.move(call, 'anyone', id, 'resume');
  }

  @Post('endpoints/:id/drain')
  @HttpCode(200)
  drain(@TheCall() call: Call, @Param('id') id: string): Promise<EndpointView> {
    return this.endpoints.move(call, 'anyone', id, 'drain');
  }

  @Post('endpoints/:id/disable')
  @HttpCode(200)
  disable(@TheCall() call: Call, @Param('id') id: string): Promise<EndpointView> {
    return this.endpoints.move(call, 'anyone', id, 'disable');
  }

  @Post('endpoints/:id/resend')
  @HttpCode(202)
  resendAll(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: resendSchema }) body: ResendBody,
  ): Promise<{ resent: number }> {
    return this.deliveries.resendAll(call, 'anyone', id, body);
  }

  @Get('deliveries')
  @Roles('operator', 'security', 'auditor')
  listDeliveries(
    @Query({ schema: deliveryListSchema }) query: DeliveryListQuery,
  ): Promise<{ items: DeliveryView[]; nextCursor: string | null }> {
    return this.deliveries.list('anyone', query);
  }

  @Get('deliveries/:id')
  @Roles('operator', 'security', 'auditor')
  delivery(@Param('id') id: string): Promise<DeliveryDetailView> {
    return this.deliveries.get('anyone', id);
  }

  @Post('deliveries/:id/resend')
  @HttpCode(202)
  resend(@TheCall() call: Call, @Param('id') id: string): Promise<DeliveryDetailView> {
    return this.deliveries.resend(call, 'anyone', id);
  }
}
