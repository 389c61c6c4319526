import type { Caller } from './caller.js';

export interface BookItem {
  recordedAt: string;
  record: { at: string; kind: string; detail?: Record<string, unknown> };
}

const PAGE = 100;

/**
 * Records of the gateway's log since an instant, newest first, of every page. By the clock of the database, too: a drill before this one may
 * have moved that of the gateway ahead. Rejects while the log cannot be read.
 */
export async function recordsSince(caller: Caller, since: Date, of: Record<string, string>): Promise<BookItem[]> {
  const found: BookItem[] = [];
  let cursor: unknown;
  do {
    const query = new URLSearchParams({ ...of, from: since.toISOString(), limit: String(PAGE) });
    if (typeof cursor === 'string') query.set('cursor', cursor);
    const { status, body } = await caller.admin(`/audit/records?${query.toString()}`);
    if (status !== 200) throw new Error(`the log cannot be read (${status})`);
    found.push(...(body['items'] as BookItem[]).filter(({ recordedAt }) => new Date(recordedAt) >= since));
    cursor = body['nextCursor'];
  } while (typeof cursor === 'string');
  return found;
}
