import { Get, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { AdminController, isUuid, Keyring, ProblemError, Roles } from '../platform/index.js';
import { readCursor, writeCursor } from './cursor.js';
import { filterMembers, inOrder } from './query.js';
import { type FoundRecord, recordKey, RecordSearch } from './search.js';

export const recordsQuery = z
  .strictObject({
    ...filterMembers,
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: z.string().min(1).max(128).optional(),
  })
  .superRefine(inOrder);

/** The log for auditors: every record, newest first, those that wait for their number among them with `seq` null. */
@AdminController('admin/v1/audit/records')
export class AuditAdminController {
  constructor(
    private readonly search: RecordSearch,
    private readonly keyring: Keyring,
  ) {}

  @Get()
  @Roles('auditor', 'security')
  async list(
    @Query({ schema: recordsQuery }) query: z.output<typeof recordsQuery>,
  ): Promise<{ items: FoundRecord[]; nextCursor: string | null }> {
    const { limit, cursor, ...filter } = query;
    const after = cursor === undefined ? undefined : readCursor(this.keyring, filter, cursor);
    const { items, last } = await this.search.list(filter, limit, after);
    return { items, nextCursor: last === undefined ? null : writeCursor(this.keyring, filter, last) };
  }

  @Get(':key')
  @Roles('auditor', 'security')
  async one(@Param('key', { schema: recordKey }) key: string): Promise<FoundRecord> {
    return known(await this.search.byKey(key));
  }
}

/** Why a call was allowed or refused: the record of its decision, by the id that its caller was given. */
@AdminController('admin/v1/decisions')
export class DecisionsAdminController {
  constructor(private readonly search: RecordSearch) {}

  @Get(':decisionId')
  @Roles('auditor', 'security')
  async one(@Param('decisionId') decisionId: string): Promise<FoundRecord> {
    return known(isUuid(decisionId) ? await this.search.byDecision(decisionId) : undefined);
  }
}

function known(record: FoundRecord | undefined): FoundRecord {
  if (record === undefined) throw new ProblemError('not-found', { rule: 'record.unknown' });
  return record;
}
