import { Get, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { AdminController, ProblemError, Roles } from '../../platform/index.js';
import { Receipts } from '../receipts/receipts.js';
import { recordKey, RecordSearch } from '../search.js';
import { LogStore } from './log-store.js';

const size = z.coerce.number().int().min(0);
const consistencyQuery = z
  .strictObject({ from: size, to: size.optional() })
  .refine(({ from, to }) => to === undefined || from <= to, { path: ['from'], error: 'must not be beyond to' });

interface CheckpointView {
  origin: string;
  size: number;
  /** Hex. */
  root: string;
  note: string;
}

/** What the log has signed, and proofs of it, for auditors. */
@AdminController('admin/v1/audit')
export class CheckpointsAdminController {
  constructor(
    private readonly store: LogStore,
    private readonly receipts: Receipts,
    private readonly search: RecordSearch,
  ) {}

  @Get('checkpoints/latest')
  @Roles('auditor', 'security')
  async latest(): Promise<CheckpointView> {
    const published = await this.store.published();
    if (published === undefined) throw new ProblemError('not-found', { rule: 'checkpoint.none' });
    const { origin, size: signed, root, note } = published;
    return { origin, size: signed, root: root.toString('hex'), note };
  }

  @Get('keys')
  @Roles('auditor', 'security')
  async keys(): Promise<{ items: string[] }> {
    return { items: await this.store.keys() };
  }

  /** That the log of `to` records, by default all that are signed, begins with that of `from`. */
  @Get('consistency')
  @Roles('auditor', 'security')
  async consistency(
    @Query({ schema: consistencyQuery }) query: z.output<typeof consistencyQuery>,
  ): Promise<{ from: number; to: number; proof: string[] }> {
    const most = (await this.store.published())?.size ?? 0;
    const { from, to = most } = query;
    if (to > most || from > to)
      throw new ProblemError('invalid-request', {
        errors: [{ pointer: to > most ? '/to' : '/from', message: 'is beyond the last checkpoint' }],
      });
    return { from, to, proof: await this.receipts.consistency(from, to) };
  }

  @Get('records/:key/proof')
  @Roles('auditor', 'security')
  async proof(
    @Param('key', { schema: recordKey }) key: string,
  ): Promise<{ seq: number; recordId: string; proof: string }> {
    const record = await this.search.numbered(key);
    if (record === undefined) throw new ProblemError('not-found', { rule: 'record.unknown' });
    return { seq: record.seq, recordId: record.id, proof: await this.receipts.one(record) };
  }
}
