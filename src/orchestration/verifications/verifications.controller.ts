import { Body, Get, Headers, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Call, Idempotent, PublicController, Scopes, TheCall } from '../../platform/index.js';
import { rungHeaders } from '../fallback/rungs.js';
import { Uploads } from '../workflows/uploads.js';
import { VerificationStarter } from '../workflows/verification-starter.js';
import { type CreateBody, createSchema, type ListQuery, listSchema } from './schemas.js';
import { VerificationCanceller } from './verification-canceller.js';
import { VerificationReader } from './verification-reader.js';
import {
  type ReceiptsQuery,
  receiptsSchema,
  type ReceiptsView,
  VerificationReceipts,
} from './verification-receipts.js';
import { type DecidedView, type VerificationView, VerificationViews } from './verification-views.js';

@PublicController('v1/verifications', 'data')
export class VerificationsController {
  constructor(
    private readonly starter: VerificationStarter,
    private readonly reader: VerificationReader,
    private readonly canceller: VerificationCanceller,
    private readonly views: VerificationViews,
    private readonly receipts: VerificationReceipts,
    private readonly uploads: Uploads,
  ) {}

  @Post()
  @Scopes('verifications:write')
  @Idempotent()
  @ApiCreatedResponse({ description: 'Made, with its session at the vendor.' })
  @ApiAcceptedResponse({ description: 'Accepted while the vendor is away: `queued` until it is back, or `in-review`.' })
  async create(
    @TheCall() call: Call,
    @Body({ schema: createSchema }) body: CreateBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<VerificationView> {
    const row = await this.starter.create(call, body);
    const accepted = row.sessionId === null && (row.rung === 'queued' || row.rung === 'manual');
    if (accepted) void reply.code(202).headers(rungHeaders(row.rung));
    return this.views.one(call, row, true);
  }

  @Get()
  @Scopes('verifications:read')
  async list(
    @TheCall() call: Call,
    @Query({ schema: listSchema }) query: ListQuery,
  ): Promise<{ items: VerificationView[]; nextCursor: string | null }> {
    const { rows, nextCursor } = await this.reader.page(call, query);
    return { items: await this.views.of(call, rows), nextCursor };
  }

  @Get(':id')
  @Scopes('verifications:read')
  async read(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DecidedView> {
    const reading = await this.reader.read(call, id);
    void reply.headers(rungHeaders(reading.rung, reading.ageSeconds));
    return this.views.decided(call, reading);
  }

  @Get(':id/receipts')
  @Scopes('verifications:read')
  proofs(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Query({ schema: receiptsSchema }) query: ReceiptsQuery,
  ): Promise<ReceiptsView> {
    return this.receipts.page(call, id, query);
  }

  @Put(':id/uploads/:name')
  @Scopes('verifications:write')
  async upload(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Param('name') name: string,
    @Body() body: unknown,
    @Headers('content-type') type: string | undefined,
  ): Promise<VerificationView> {
    return this.views.one(call, await this.uploads.keep(call, id, name, body, type ?? ''));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Scopes('verifications:write')
  @Idempotent()
  async cancel(@TheCall() call: Call, @Param('id') id: string): Promise<VerificationView> {
    return this.views.one(call, await this.canceller.cancel(call, id));
  }
}
