import { Get, Query } from '@nestjs/common';
import { z } from 'zod';
import { AdminController, Roles } from '../../platform/index.js';
import { type Anchor, AnchorStore } from './anchor-store.js';

const anchorsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  below: z.coerce.number().int().min(1).optional(),
});

/** Time stamps of checkpoints by an authority that is not ours, newest first; `below` the last size seen goes on. */
@AdminController('admin/v1/audit/anchors')
export class AnchorsAdminController {
  constructor(private readonly store: AnchorStore) {}

  @Get()
  @Roles('auditor', 'security')
  async list(@Query({ schema: anchorsQuery }) query: z.output<typeof anchorsQuery>): Promise<{ items: Anchor[] }> {
    return { items: await this.store.list(query.limit, query.below) };
  }
}
