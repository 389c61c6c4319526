import { Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { PublicController } from '../../platform/index.js';
import { DropInChecks } from './drop-in-checks.js';
import { DropInCodes } from './drop-in-codes.js';
import { type DroppedIn, Operation, send, TheRequest } from './dropped-in.js';

/** Didit’s checks without a session. */
@PublicController('didit/v3', 'data')
export class DropInChecksController {
  constructor(
    private readonly checks: DropInChecks,
    private readonly codes: DropInCodes,
  ) {}

  @Operation('id-verification')
  async idVerification(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.checks.form('id-verification', request));
  }

  @Operation('passive-liveness')
  async passiveLiveness(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.checks.form('passive-liveness', request));
  }

  @Operation('face-match')
  async faceMatch(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.checks.form('face-match', request));
  }

  @Operation('age-estimation')
  async ageEstimation(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.checks.form('age-estimation', request));
  }

  @Operation('face-search')
  async faceSearch(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.checks.form('face-search', request));
  }

  @Operation('poa')
  async proofOfAddress(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.checks.form('poa', request));
  }

  @Operation('document-ai')
  async documentAi(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.checks.form('document-ai', request));
  }

  @Operation('aml')
  async aml(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.checks.aml(request));
  }

  @Operation('database-validation')
  async databaseValidation(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.checks.databaseValidation(request));
  }

  @Operation('wallet-screening')
  async walletScreening(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.checks.walletScreening(request));
  }

  @Operation('phone.send')
  async phoneSend(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.codes.send('phone', request));
  }

  @Operation('phone.check')
  async phoneCheck(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.codes.check('phone', request));
  }

  @Operation('email.send')
  async emailSend(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.codes.send('email', request));
  }

  @Operation('email.check')
  async emailCheck(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.codes.check('email', request));
  }
}
