import { Body, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminController, type Call, ProblemError, Roles, tagged, TheCall, versionOf } from '../platform/index.js';
import type { Proposal } from './assessment.js';
import type { Clock as ReportingClock } from './engine/clocks.js';
import { Incidents } from './incidents.js';
import { refuseImpreciseNumbers } from './imprecise-numbers.js';
import type { Page } from './incident-store.js';
import {
  type ClassificationBody,
  classificationSchema,
  type IncidentListQuery,
  type IncidentPatch,
  listSchema,
  type NewIncident,
  newIncidentSchema,
  patchSchema,
  timelineListSchema,
  type TimelineQuery,
} from './schemas.js';
import type { IncidentView, TimelineEntryView } from './views.js';

const PATCH_TYPES = /^application\/(?:merge-patch\+)?json\s*(?:;|$)/i;

/** Incidents: read by auditors too, written by incident managers. Every change names the version that it was made from. */
@AdminController('admin/v1/incidents')
@Roles('incident-manager', 'auditor')
export class IncidentsAdminController {
  constructor(private readonly incidents: Incidents) {}

  @Get()
  list(@Query({ schema: listSchema }) query: IncidentListQuery): Promise<Page<IncidentView>> {
    return this.incidents.list(query);
  }

  @Get(':id')
  async get(@Param('id') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<IncidentView> {
    return versioned(reply, await this.incidents.get(id));
  }

  @Post()
  @Roles('incident-manager')
  async open(
    @TheCall() call: Call,
    @Body({ schema: newIncidentSchema }) body: NewIncident,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<IncidentView> {
    refuseImpreciseNumbers(call);
    const incident = await this.incidents.open(call, body);
    void reply.header('location', `/admin/v1/incidents/${incident.id}`);
    return versioned(reply, incident);
  }

  @Patch(':id')
  @Roles('incident-manager')
  async change(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: patchSchema }) patch: IncidentPatch,
    @Headers() headers: Record<string, string | undefined>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<IncidentView> {
    if (!PATCH_TYPES.test(headers['content-type'] ?? '')) throw new ProblemError('unsupported-media-type');
    refuseImpreciseNumbers(call);
    return versioned(reply, await this.incidents.change(call, id, patch, versionOf(headers['if-match'])));
  }

  @Get(':id/classification')
  proposal(@Param('id') id: string): Promise<Proposal> {
    return this.incidents.proposal(id);
  }

  @Post(':id/classification')
  @HttpCode(200)
  @Roles('incident-manager')
  async decide(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: classificationSchema }) body: ClassificationBody,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<IncidentView> {
    return versioned(reply, await this.incidents.decide(call, id, body, versionOf(ifMatch)));
  }

  @Get(':id/clocks')
  clocks(@Param('id') id: string): Promise<{ items: ReportingClock[] }> {
    return this.incidents.clocks(id);
  }

  @Get(':id/timeline')
  timeline(
    @Param('id') id: string,
    @Query({ schema: timelineListSchema }) query: TimelineQuery,
  ): Promise<Page<TimelineEntryView>> {
    return this.incidents.timeline(id, query);
  }
}

function versioned(reply: FastifyReply, incident: IncidentView): IncidentView {
  return tagged(reply, incident, incident.version);
}
