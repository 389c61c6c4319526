import { Get, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { AdminController, isUuid, Keyring, ProblemError, Roles } from '../../platform/index.js';
import { readCursor, writeCursor } from '../cursor.js';
import { Timeline, type TimelineItem } from './timeline.js';

export const timelineQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(100),
  cursor: z.string().min(1).max(128).optional(),
});

const LIST = 'audit.timeline';

/** A verification for whoever has to explain it: everything the log tells of it, oldest first. */
@AdminController('admin/v1/verifications')
export class TimelineAdminController {
  constructor(
    private readonly timelines: Timeline,
    private readonly keyring: Keyring,
  ) {}

  @Get(':id/timeline')
  @Roles('auditor', 'security', 'operator')
  async timeline(
    @Param('id') id: string,
    @Query({ schema: timelineQuery }) { limit, cursor }: z.output<typeof timelineQuery>,
  ): Promise<{ items: TimelineItem[]; nextCursor: string | null }> {
    if (!isUuid(id)) throw unknown();
    const list = { verification: id };
    const after = cursor === undefined ? undefined : readCursor(this.keyring, list, cursor, LIST);
    const { items, last } = await this.timelines.page(id, limit, after);
    if (items.length === 0 && after === undefined) throw unknown();
    return { items, nextCursor: last === undefined ? null : writeCursor(this.keyring, list, last, LIST) };
  }
}

function unknown(): ProblemError {
  return new ProblemError('not-found', { rule: 'verification.unknown' });
}
