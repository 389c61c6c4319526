import { Body, Get, Headers, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminController, type Call, ProblemError, Roles, TheCall } from '../../platform/index.js';
import {
  type ChangeBody,
  changeSchema,
  type DraftBody,
  draftSchema,
  type WorkflowListQuery,
  workflowListSchema,
} from './schemas.js';
import type { WorkflowView } from './workflow-views.js';
import { Workflows } from './workflows.js';

const ENTITY_TAG = /^"(\d{1,9})"$/;

/** Versions of workflows: drafted, published, retired. Every change names the revision that it was made from. */
@AdminController('admin/v1/workflows')
@Roles('operator')
export class WorkflowsAdminController {
  constructor(private readonly workflows: Workflows) {}

  @Get()
  list(
    @Query({ schema: workflowListSchema }) query: WorkflowListQuery,
  ): Promise<{ items: WorkflowView[]; nextCursor: string | null }> {
    return this.workflows.list(query);
  }

  @Post()
  async draft(
    @TheCall() call: Call,
    @Body({ schema: draftSchema }) body: DraftBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    const workflow = await this.workflows.draft(call, body);
    void reply.header('location', `/admin/v1/workflows/${workflow.name}/versions/${workflow.version}`);
    return tagged(reply, workflow);
  }

  @Get(':name/versions/:version')
  async get(
    @Param('name') name: string,
    @Param('version') version: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.get(name, version));
  }

  @Put(':name/versions/:version')
  async change(
    @TheCall() call: Call,
    @Param('name') name: string,
    @Param('version') version: string,
    @Body({ schema: changeSchema }) { definition }: ChangeBody,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.change(call, name, version, definition, revisionOf(ifMatch)));
  }

  @Post(':name/versions/:version/publish')
  @HttpCode(200)
  async publish(
    @TheCall() call: Call,
    @Param('name') name: string,
    @Param('version') version: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.publish(call, name, version, revisionOf(ifMatch)));
  }

  @Post(':name/versions/:version/retire')
  @HttpCode(200)
  async retire(
    @TheCall() call: Call,
    @Param('name') name: string,
    @Param('version') version: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return tagged(reply, await this.workflows.retire(call, name, version, revisionOf(ifMatch)));
  }
}

/** The revision as an entity tag, so that the next change can name it (RFC 9110 section 8.8.3). */
function tagged(reply: FastifyReply, workflow: WorkflowView): WorkflowView {
  void reply.header('etag', `"${workflow.revision}"`);
  return workflow;
}

/** @returns undefined for a tag that no revision of ours has. @throws ProblemError `invalid-request` when there is none */
function revisionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined)
    throw new ProblemError('invalid-request', {
      errors: [{ pointer: '', message: 'the header If-Match must name the revision that is changed, such as "1"' }],
      rule: 'input.if-match',
    });
  const [, revision] = ENTITY_TAG.exec(ifMatch.trim()) ?? [];
  return revision === undefined ? undefined : Number(revision);
}
