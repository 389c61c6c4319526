import { stringify } from 'csv-stringify/sync';
import { toOcsf } from '../ocsf/to-ocsf.js';
import type { StoredRecord } from '../record.js';

/** A record of the log as an export takes it. */
export interface ExportRow {
  seq: number;
  recordedAt: string;
  /** As stored: what the leaf hash is of. */
  bytes: Buffer;
}

export interface Format {
  contentType: string;
  extension: string;
  /** What stands before the first record. */
  head: string;
  lines(rows: readonly ExportRow[]): string;
}

const recordOf = ({ bytes }: ExportRow): StoredRecord => JSON.parse(bytes.toString('utf8')) as StoredRecord;

/** The record's members that are searched by, under the names of their columns; the order is that of the file. */
const COLUMNS: Readonly<Record<string, (record: StoredRecord, row: ExportRow) => string | number | undefined>> = {
  seq: (_, { seq }) => seq,
  recorded_at: (_, { recordedAt }) => recordedAt,
  id: (record) => record.id,
  at: (record) => record.at,
  kind: (record) => record.kind,
  call: (record) => record.call,
  trace: (record) => record.trace,
  client: (record) => record.client,
  credential: (record) => record.credential,
  actor: (record) => record.actor,
  verification: (record) => record.verification,
  subject: (record) => record.subject,
  route: (record) => record.http?.route,
  status: (record) => record.http?.status,
  duration_us: (record) => record.http?.durationUs,
  outcome: (record) => record.decision?.outcome,
  rule: (record) => record.decision?.rule,
  decision: (record) => record.decision?.id,
  vendor_operation: (record) => record.vendor?.operation,
  vendor_status: (record) => record.vendor?.status,
  vendor_duration_us: (record) => record.vendor?.durationUs,
};

/** RFC 4180. A spreadsheet would run a cell that begins like a formula, so such a one gets an apostrophe. */
function csv(cells: readonly (string | number | undefined)[][]): string {
  // Of line ends the library quotes only its own.
  return stringify([...cells], { record_delimiter: 'windows', escape_formulas: true, quoted_match: /[\r\n]/ });
}

function cellsOf(row: ExportRow): (string | number | undefined)[] {
  const record = recordOf(row);
  return Object.values(COLUMNS).map((cell) => cell(record, row));
}

const each =
  (line: (row: ExportRow) => string) =>
  (rows: readonly ExportRow[]): string =>
    rows.map(line).join('');

/** The stored text goes out as it is, so that whoever has the line can compute the leaf hash again. */
const jsonLine = ({ seq, recordedAt, bytes }: ExportRow): string =>
  `{"seq":${seq},"recordedAt":"${recordedAt}","record":${bytes.toString('utf8')}}\n`;

const ocsfLine = (row: ExportRow): string => `${JSON.stringify(toOcsf(row.seq, recordOf(row), row.bytes))}\n`;

export const FORMATS = {
  jsonl: { contentType: 'application/x-ndjson', extension: 'jsonl', head: '', lines: each(jsonLine) },
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    extension: 'csv',
    head: csv([Object.keys(COLUMNS)]),
    lines: (rows) => csv(rows.map(cellsOf)),
  },
  ocsf: { contentType: 'application/x-ndjson', extension: 'ocsf.jsonl', head: '', lines: each(ocsfLine) },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[];
