import { Body, Delete, Get, Headers, Param, Patch, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Call, PublicController, Scopes, TheCall } from '../../platform/index.js';
import { OPERATIONS } from '../../vendors/index.js';
import type { DropInAnswer } from './drop-in-calls.js';
import { DropInChecks } from './drop-in-checks.js';
import { DropInList } from './drop-in-list.js';
import { DropInSessions } from './drop-in-sessions.js';

type Parameters = Record<string, unknown>;

/** Didit's own wire format, path for path, for clients whose base URL was moved to the gateway. */
@PublicController('didit/v3', 'data')
export class DropInController {
  constructor(
    private readonly sessions: DropInSessions,
    private readonly sessionList: DropInList,
    private readonly checks: DropInChecks,
  ) {}

  @Post('session')
  @Scopes(...OPERATIONS['session.create'].scopes)
  async create(@TheCall() call: Call, @Body() body: unknown, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.sessions.create(call, body));
  }

  @Get('session/:sessionId/decision')
  @Scopes(...OPERATIONS['session.decision'].scopes)
  async decision(
    @TheCall() call: Call,
    @Param('sessionId') id: string,
    @Query() query: Parameters,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.sessions.decision(call, id, query));
  }

  @Get('sessions')
  @Scopes(...OPERATIONS['session.list'].scopes)
  async list(@TheCall() call: Call, @Query() query: Parameters, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.sessionList.list(call, query));
  }

  @Patch('session/:sessionId/update-status')
  @Scopes(...OPERATIONS['session.update-status'].scopes)
  async updateStatus(
    @TheCall() call: Call,
    @Param('sessionId') id: string,
    @Body() body: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.sessions.updateStatus(call, id, body));
  }

  @Delete('session/:sessionId/delete')
  @Scopes(...OPERATIONS['session.delete'].scopes)
  async delete(@TheCall() call: Call, @Param('sessionId') id: string, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.sessions.delete(call, id));
  }

  @Get('session/:sessionId/generate-pdf')
  @Scopes(...OPERATIONS['session.pdf'].scopes)
  async pdf(@TheCall() call: Call, @Param('sessionId') id: string, @Res() reply: FastifyReply): Promise<void> {
    const answer = await this.sessions.pdf(call, id);
    if ('stream' in answer) void reply.code(200).headers(answer.headers).send(answer.stream);
    else send(reply, answer);
  }

  @Post('id-verification')
  @Scopes(...OPERATIONS['id-verification'].scopes)
  async idVerification(
    @TheCall() call: Call,
    @Body() body: unknown,
    @Headers('content-type') type: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.checks.form(call, 'id-verification', body, type));
  }

  @Post('passive-liveness')
  @Scopes(...OPERATIONS['passive-liveness'].scopes)
  async passiveLiveness(
    @TheCall() call: Call,
    @Body() body: unknown,
    @Headers('content-type') type: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.checks.form(call, 'passive-liveness', body, type));
  }

  @Post('face-match')
  @Scopes(...OPERATIONS['face-match'].scopes)
  async faceMatch(
    @TheCall() call: Call,
    @Body() body: unknown,
    @Headers('content-type') type: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.checks.form(call, 'face-match', body, type));
  }

  @Post('aml')
  @Scopes(...OPERATIONS.aml.scopes)
  async aml(
    @TheCall() call: Call,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    send(reply, await this.checks.aml(call, body, key));
  }
}

/** Status and body as Didit gave them, where nothing of ours forbids it. */
function send(reply: FastifyReply, { status, headers, body }: DropInAnswer): void {
  void reply.code(status).headers(headers);
  void (body === undefined
    ? reply.send()
    : reply.header('content-type', 'application/json').send(JSON.stringify(body)));
}
