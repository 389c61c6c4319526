import { Injectable } from '@nestjs/common';
import { Receipts, RecordSearch } from '../../audit/index.js';
import { isUuid, ProblemError } from '../../platform/index.js';
import type { Erased } from './erasable.js';
import { type Erasure, ErasureStore } from './erasure-store.js';
import type { ErasureListQuery } from './schemas.js';

export interface ErasureView {
  id: string;
  client: string;
  /** Pseudonym, as records show it. */
  subject: string;
  ground: Erasure['ground'];
  reason: string | null;
  by: string;
  at: string;
  recordId: string;
  erased: Erased;
  replayedAt: string | null;
}

export function viewOf(erasure: Erasure): ErasureView {
  return {
    id: erasure.id,
    client: erasure.clientId,
    subject: erasure.subject,
    ground: erasure.ground,
    reason: erasure.reason,
    by: erasure.erasedBy,
    at: erasure.at.toISOString(),
    recordId: erasure.recordId,
    erased: erasure.erased,
    replayedAt: erasure.replayedAt?.toISOString() ?? null,
  };
}

/** Erasures for those who must show that they happened. */
@Injectable()
export class ErasureReader {
  constructor(
    private readonly store: ErasureStore,
    private readonly records: RecordSearch,
    private readonly receipts: Receipts,
  ) {}

  /** Newest first. @throws ProblemError `invalid-cursor` */
  async list({ limit, cursor }: ErasureListQuery): Promise<{ items: ErasureView[]; nextCursor: string | null }> {
    const before = cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString();
    if (before !== undefined && !isUuid(before)) throw new ProblemError('invalid-cursor');
    const found = await this.store.page(limit + 1, before);
    const last = found.length > limit ? found[limit - 1] : undefined;
    return {
      items: found.slice(0, limit).map(viewOf),
      nextCursor: last === undefined ? null : Buffer.from(last.id).toString('base64url'),
    };
  }

  /** @throws ProblemError `not-found` */
  async get(id: string): Promise<ErasureView> {
    return viewOf(await this.find(id));
  }

  /** The receipt of its record (C2SP tlog-proof). @throws ProblemError `not-found`, also until a checkpoint covers the record */
  async certificate(id: string): Promise<string> {
    const record = await this.records.numbered((await this.find(id)).recordId);
    if (record === undefined)
      throw new ProblemError('not-found', { rule: 'record.unnumbered', reason: 'the record has no number yet' });
    return this.receipts.one(record);
  }

  private async find(id: string): Promise<Erasure> {
    const erasure = isUuid(id) ? await this.store.find(id) : undefined;
    if (erasure === undefined) throw new ProblemError('not-found', { rule: 'erasure.unknown' });
    return erasure;
  }
}
