import { Body, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { AdminController, type Call, Roles, TheCall } from '../platform/index.js';
import type { DrillView } from './drill-views.js';
import { Drills } from './drills.js';
import { reportPage } from './report/page.js';
import { type DrillReport, reportSchema } from './report/schema.js';
import {
  type DrillListQuery,
  listSchema,
  type Proposal,
  proposalSchema,
  reportQuerySchema,
  type SignBody,
  signSchema,
} from './schemas.js';

/** A page without scripts needs its own styles and nothing else. */
const REPORT_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** Drills: run by operators, approved by another administrator, signed by an auditor. */
@AdminController('admin/v1/drills')
@Roles('operator', 'security', 'auditor')
export class DrillsAdminController {
  constructor(private readonly drills: Drills) {}

  @Get()
  list(
    @Query({ schema: listSchema }) query: DrillListQuery,
  ): Promise<{ items: DrillView[]; nextCursor: string | null }> {
    return this.drills.list(query);
  }

  @Post()
  @Roles('operator')
  propose(@TheCall() call: Call, @Body({ schema: proposalSchema }) body: Proposal): Promise<DrillView> {
    return this.drills.propose(call, body);
  }

  /** The kill switch: whoever sees that it goes wrong may use it. */
  @Post('stop')
  @HttpCode(200)
  stopAll(@TheCall() call: Call): Promise<{ stopped: string[] }> {
    return this.drills.stopAll(call);
  }

  @Post('rehearsals')
  @Roles('operator')
  rehearsal(@TheCall() call: Call, @Body({ schema: reportSchema }) report: DrillReport): Promise<DrillView> {
    return this.drills.fileRehearsal(call, report);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<DrillView> {
    return this.drills.get(id);
  }

  @Post(':id/approve')
  @HttpCode(200)
  @Roles('operator', 'security')
  approve(@TheCall() call: Call, @Param('id') id: string): Promise<DrillView> {
    return this.drills.approve(call, id);
  }

  @Post(':id/start')
  @HttpCode(200)
  @Roles('operator')
  start(@TheCall() call: Call, @Param('id') id: string): Promise<DrillView> {
    return this.drills.start(call, id);
  }

  @Post(':id/stop')
  @HttpCode(200)
  stop(@TheCall() call: Call, @Param('id') id: string): Promise<DrillView> {
    return this.drills.stop(call, id);
  }

  /** As JSON letter for letter what its digest is of; as HTML a page to read. */
  @Get(':id/report')
  async report(
    @Param('id') id: string,
    @Query({ schema: reportQuerySchema }) { format }: z.output<typeof reportQuerySchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { report, text, digest } = await this.drills.report(id);
    void reply.header('repr-digest', `sha-256=:${Buffer.from(digest, 'hex').toString('base64')}:`);
    if (format === 'json') {
      void reply.type('application/json');
      return text;
    }
    void reply.type('text/html; charset=utf-8').header('content-security-policy', REPORT_CSP);
    return reportPage(report, digest);
  }

  @Post(':id/report')
  @HttpCode(200)
  @Roles('operator')
  fileReport(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: reportSchema }) report: DrillReport,
  ): Promise<DrillView> {
    return this.drills.fileReport(call, id, report);
  }

  @Post(':id/sign')
  @HttpCode(200)
  @Roles('auditor')
  sign(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: signSchema }) body: SignBody,
  ): Promise<DrillView> {
    return this.drills.sign(call, id, body);
  }
}
