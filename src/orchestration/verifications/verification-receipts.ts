import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AuditLog, Receipts, RecordSearch } from '../../audit/index.js';
import { type Call, clientOf, ProblemError } from '../../platform/index.js';
import { VerificationReader } from './verification-reader.js';

export const receiptsSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(200),
  cursor: z.string().min(1).max(128).optional(),
});

export type ReceiptsQuery = z.output<typeof receiptsSchema>;

export interface ReceiptsView {
  origin: string;
  items: { seq: number; recordId: string; kind: string; at: string; proof: string }[];
  nextCursor: string | null;
}

/** What a client may keep for good: the records of its verification, each with the proof that it stands in the log. */
@Injectable()
export class VerificationReceipts {
  constructor(
    private readonly reader: VerificationReader,
    private readonly search: RecordSearch,
    private readonly receipts: Receipts,
    private readonly auditLog: AuditLog,
  ) {}

  /** A record that no checkpoint covers yet comes with the next asking, within a second. @throws ProblemError `not-found`, `invalid-cursor` */
  async page(call: Call, id: string, { limit, cursor }: ReceiptsQuery): Promise<ReceiptsView> {
    await this.reader.find(call, id);
    const from = cursor === undefined ? 0 : numberOf(cursor);
    const rows = await this.search.ofVerification(id, clientOf(call).id, from, limit + 1);
    const shown = rows.slice(0, limit);
    const proofs = await this.receipts.of(shown);
    const items = shown.flatMap(({ seq, id: recordId, kind, at }) => {
      const proof = proofs.get(seq);
      return proof === undefined ? [] : [{ seq, recordId, kind, at: at.toISOString(), proof }];
    });
    // What is not covered yet ends the list: each asking leaves a record, and whoever went on at once would never come to an end.
    const next = items.length === shown.length ? rows[limit] : undefined;
    return { origin: this.auditLog.origin, items, nextCursor: next === undefined ? null : String(next.seq) };
  }
}

/** The cursor is the number of the next record: it shows nothing that the page does not, so it needs no seal. */
function numberOf(cursor: string): number {
  if (!/^(0|[1-9]\d{0,14})$/.test(cursor)) {
    const errors = [{ pointer: '/cursor', message: 'must be one that this list gave out' }];
    throw new ProblemError('invalid-cursor', { rule: 'cursor.number', errors });
  }
  return Number(cursor);
}
