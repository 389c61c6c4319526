import { Body, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { AdminController, type Call, Roles, TheCall } from '../../platform/index.js';
import { type HoldListQuery, holdListSchema, type NewHold, newHoldSchema, releaseSchema } from './hold-schemas.js';
import { type HoldView, LegalHolds } from './legal-holds.js';

/** Legal holds: placed and released by those who answer for security, read by auditors too. */
@AdminController('admin/v1/audit/holds')
export class HoldsAdminController {
  constructor(private readonly holds: LegalHolds) {}

  @Get()
  @Roles('auditor', 'security')
  list(
    @Query({ schema: holdListSchema }) query: HoldListQuery,
  ): Promise<{ items: HoldView[]; nextCursor: string | null }> {
    return this.holds.list(query);
  }

  @Post()
  @Roles('security')
  place(@TheCall() call: Call, @Body({ schema: newHoldSchema }) hold: NewHold): Promise<HoldView> {
    return this.holds.place(call, hold);
  }

  @Post(':id/release')
  @Roles('security')
  @HttpCode(200)
  release(
    @TheCall() call: Call,
    @Param('id') id: string,
    @Body({ schema: releaseSchema }) { reason }: z.output<typeof releaseSchema>,
  ): Promise<HoldView> {
    return this.holds.release(call, id, reason);
  }
}
