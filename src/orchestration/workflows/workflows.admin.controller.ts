import { Body, Get, Headers, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { AdminController, type Call, Roles, tagged, TheCall, versionOf } from '../../platform/index.js';
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
    return revised(reply, workflow);
  }

  @Get(':name/versions/:version')
  async get(
    @Param('name') name: string,
    @Param('version') version: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkflowView> {
    return revised(reply, await this.workflows.get(name, version));
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
    return revised(reply, await this.workflows.change(call, name, version, definition, versionOf(ifMatch)));
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
    return revised(reply, await this.workflows.publish(call, name, version, versionOf(ifMatch)));
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
    return revised(reply, await this.workflows.retire(call, name, version, versionOf(ifMatch)));
  }
}

function revised(reply: FastifyReply, workflow: WorkflowView): WorkflowView {
  return tagged(reply, workflow, workflow.revision);
}
