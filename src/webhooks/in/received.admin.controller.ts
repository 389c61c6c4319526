import { Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { AdminController, type Call, Roles, TheCall } from '../../platform/index.js';
import {
  Received,
  type ReceivedDetailView,
  type ReceivedListQuery,
  receivedListSchema,
  type ReceivedView,
} from './received.js';

/** What vendors have sent, and what became of it. */
@AdminController('admin/v1/webhooks/received')
@Roles('operator', 'security', 'auditor')
export class ReceivedAdminController {
  constructor(private readonly received: Received) {}

  @Get()
  list(
    @Query({ schema: receivedListSchema }) query: ReceivedListQuery,
  ): Promise<{ items: ReceivedView[]; nextCursor: string | null }> {
    return this.received.list(query);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<ReceivedDetailView> {
    return this.received.get(id);
  }

  @Post(':id/work')
  @HttpCode(202)
  @Roles('operator')
  work(@TheCall() call: Call, @Param('id') id: string): Promise<ReceivedView> {
    return this.received.work(call, id);
  }
}
