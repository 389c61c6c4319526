import { z } from 'zod';
import type { Database } from '../../platform/index.js';
import { GROUNDS, type JournaledErasure } from './erasure-journal.js';

const detail = z.object({
  client: z.string(),
  subject: z.string(),
  detail: z.object({
    erasure: z.string(),
    ground: z.enum(GROUNDS),
    erasedAt: z.string(),
    first: z.string().optional(),
  }),
});

/**
 * What the log says of erasures, for the journals of instances that did not do them.
 * @param since instant of the record; by this the index finds them
 * @returns at most `most`, oldest first, with the instant of the last record
 */
export async function erasuresInLog(
  database: Database,
  since: Date,
  most: number,
): Promise<{ erasures: JournaledErasure[]; last: Date | undefined; full: boolean }> {
  const from = (table: string): string =>
    `(SELECT id, at, bytes FROM audit.${table} WHERE kind = 'subject.erased' AND at >= $1 ORDER BY at LIMIT $2)`;
  const rows = await database.query<{ id: string; at: Date; bytes: Buffer }>(
    `SELECT id, at, bytes FROM (${from('log')} UNION ALL ${from('intake')}) AS found ORDER BY at LIMIT $2`,
    [since, most],
  );
  return { erasures: rows.flatMap(erasureOf), last: rows.at(-1)?.at, full: rows.length === most };
}

function erasureOf({ id, bytes }: { id: string; bytes: Buffer }): JournaledErasure[] {
  const read = detail.safeParse(JSON.parse(bytes.toString('utf8')));
  if (!read.success) return [];
  const { client, subject } = read.data;
  const { erasure, ground, erasedAt, first } = read.data.detail;
  return [{ erasure, client, subject, ground, record: first ?? id, at: erasedAt }];
}
