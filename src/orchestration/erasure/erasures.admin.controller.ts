import { Body, Get, Header, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminController, type Call, Roles, TheCall } from '../../platform/index.js';
import { ErasureReader, type ErasureView, viewOf } from './erasure-reader.js';
import { Erasures } from './erasures.js';
import { type ErasureListQuery, erasureListSchema, type NewErasure, newErasureSchema } from './schemas.js';

/** Erasures of persons: done by those who answer for security, read by auditors too. */
@AdminController('admin/v1/erasures')
export class ErasuresAdminController {
  constructor(
    private readonly erasures: Erasures,
    private readonly reader: ErasureReader,
  ) {}

  @Post()
  @Roles('security')
  async erase(
    @TheCall() call: Call,
    @Body({ schema: newErasureSchema }) body: NewErasure,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ErasureView> {
    // It names the person, and a digest of it would outlive the erasure.
    delete call.rawBody;
    const erasure = await this.erasures.erase(call, body);
    call.detail = { ...call.detail, erasure: erasure.id };
    void reply.header('location', `/admin/v1/erasures/${erasure.id}`).code(erasure.repeated ? 200 : 201);
    return viewOf(erasure);
  }

  @Get()
  @Roles('auditor', 'security')
  list(
    @Query({ schema: erasureListSchema }) query: ErasureListQuery,
  ): Promise<{ items: ErasureView[]; nextCursor: string | null }> {
    return this.reader.list(query);
  }

  @Get(':id')
  @Roles('auditor', 'security')
  get(@Param('id') id: string): Promise<ErasureView> {
    return this.reader.get(id);
  }

  @Get(':id/certificate')
  @Roles('auditor', 'security')
  @Header('content-type', 'text/plain; charset=utf-8')
  certificate(@Param('id') id: string): Promise<string> {
    return this.reader.certificate(id);
  }
}
