import type { Queries } from '../checkpoints/log-store.js';
import { conditions, type RecordFilter } from '../search.js';
import { type ExportRow, type FormatName, FORMATS } from './formats.js';

export interface Selection extends RecordFilter {
  /** Number of the first record. */
  fromSeq?: number | undefined;
  /** Not included. */
  toSeq?: number | undefined;
}

export interface Progress {
  /** Records written. */
  records: number;
  /** Numbers looked at, of how many. */
  done: number;
  all: number;
}

/** One statement gives at most so many records, */
const MOST_ROWS = 2_048;
/** and not more than one beyond so many bytes: a record may have 64 KiB. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Numbers that one statement looks at where a filter lets few pass; some tens of milliseconds. */
const WIDE = 32_768;

interface Row {
  seq: string;
  recorded_at: Date;
  bytes: Buffer;
  total: string;
}

/** First and past of the numbers chosen, as the log stands now; what comes later is for the next export. */
export async function exportBounds(queries: Queries, selection: Selection): Promise<{ first: number; past: number }> {
  const [row] = await queries.rows<{ first: string | null; size: string }>({
    text: 'SELECT (SELECT min(seq) FROM audit.log) AS first, size FROM audit.head',
  });
  const first = Math.max(selection.fromSeq ?? 0, Number(row?.first ?? 0));
  return { first, past: Math.max(first, Math.min(selection.toSeq ?? Infinity, Number(row?.size ?? 0))) };
}

/**
 * Text of the numbered records in their order, a piece at a time and never ahead of whoever takes the pieces. Each statement is short and
 * a transaction of its own, since one long snapshot would slow those who write; the log only grows, so that together they are one view.
 * @throws the driver's error
 */
export async function* exportLog(
  queries: Queries,
  name: FormatName,
  selection: Selection,
  { first, past }: { first: number; past: number },
  onProgress: (progress: Progress) => void = () => undefined,
): AsyncGenerator<string, void, void> {
  const format = FORMATS[name];
  const { fromSeq: _from, toSeq: _to, ...filter } = selection;
  const wide = Object.values(filter).some((value) => value !== undefined) ? WIDE : MOST_ROWS;
  if (format.head !== '') yield format.head;
  let records = 0;
  for (let next = first; next < past;) {
    const end = Math.min(next + wide, past);
    const rows = await page(queries, filter, next, end);
    const last = rows.at(-1);
    const cut = last !== undefined && (rows.length === MOST_ROWS || Number(last.total) >= MOST_BYTES);
    next = cut ? Number(last.seq) + 1 : end;
    records += rows.length;
    if (rows.length > 0) yield format.lines(rows.map(exported));
    onProgress({ records, done: next - first, all: past - first });
  }
}

function page(queries: Queries, filter: RecordFilter, first: number, past: number): Promise<Row[]> {
  const where = conditions(filter, undefined);
  where.add((value) => `seq >= ${value}`, first);
  where.add((value) => `seq < ${value}`, past);
  return queries.rows<Row>({
    text: `SELECT seq, recorded_at, bytes, total FROM (
        SELECT seq, recorded_at, bytes, sum(length(bytes)) OVER (ORDER BY seq) AS total FROM (
          SELECT seq, recorded_at, bytes FROM audit.log WHERE ${where.toString()} ORDER BY seq LIMIT ${MOST_ROWS}) AS chosen) AS summed
      WHERE total - length(bytes) < ${MOST_BYTES} ORDER BY seq`,
    values: where.values,
  });
}

function exported({ seq, recorded_at, bytes }: Row): ExportRow {
  return { seq: Number(seq), recordedAt: recorded_at.toISOString(), bytes };
}
