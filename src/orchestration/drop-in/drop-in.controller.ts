import { Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { PublicController } from '../../platform/index.js';
import { DropInSessionList } from './drop-in-session-list.js';
import { DropInSessions } from './drop-in-sessions.js';
import { type DroppedIn, Operation, send, TheRequest } from './dropped-in.js';

/** Sessions in Didit's own wire format, path for path, for clients whose base URL was moved to the gateway. */
@PublicController('didit/v3', 'data')
export class DropInController {
  constructor(
    private readonly sessions: DropInSessions,
    private readonly sessionList: DropInSessionList,
  ) {}

  @Operation('session.create')
  async create(@TheRequest() { call, body }: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.sessions.create(call, body));
  }

  @Operation('session.decision')
  async decision(@TheRequest() { call, params, query }: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.sessions.decision(call, params['sessionId'] ?? '', query));
  }

  @Operation('session.list')
  async list(@TheRequest() { call, query }: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.sessionList.list(call, query));
  }

  @Operation('session.update-status')
  async updateStatus(@TheRequest() { call, params, body }: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.sessions.updateStatus(call, params['sessionId'] ?? '', body));
  }

  @Operation('session.delete')
  async delete(@TheRequest() { call, params }: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.sessions.delete(call, params['sessionId'] ?? ''));
  }

  @Operation('session.pdf')
  async pdf(@TheRequest() { call, params }: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    const answer = await this.sessions.pdf(call, params['sessionId'] ?? '');
    if ('stream' in answer) void reply.code(200).headers(answer.headers).send(answer.stream);
    else send(reply, answer);
  }
}
