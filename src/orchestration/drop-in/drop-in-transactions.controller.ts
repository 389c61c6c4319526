import { Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { PublicController } from '../../platform/index.js';
import { DropInTransactions } from './drop-in-transactions.js';
import { type DroppedIn, Operation, send, TheRequest } from './dropped-in.js';

/** Didit’s monitoring of transactions. */
@PublicController('didit/v3', 'data')
export class DropInTransactionsController {
  constructor(private readonly transactions: DropInTransactions) {}

  @Operation('transaction.create')
  async create(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.transactions.create(request));
  }

  @Operation('transaction.list')
  async list(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.transactions.list(request));
  }

  @Operation('transaction.get')
  async get(@TheRequest() request: DroppedIn, @Res() reply: FastifyReply): Promise<void> {
    send(reply, await this.transactions.get(request));
  }
}
