import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRecord, appConnection, openTestLog, sequenceAll, type TestLog } from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { uuidv7 } from '../../platform/index.js';
import type { Connection } from '../connection.js';
import type { RecordInput } from '../record.js';
import { exportUrl } from './export-url.js';
import { FORMATS } from './formats.js';
import { exportBounds, exportLog, type Progress, type Selection } from './log-export.js';
import { exportQuery } from './selection.js';

let database: TestDatabase;
let log: TestLog;
let connection: Connection;

beforeAll(async () => {
  database = await startTestDatabase();
  log = await openTestLog(database.superuserUrl);
  connection = appConnection(database.superuserUrl);
});

afterAll(async () => {
  await connection.close();
  await log.stop();
  await database.stop();
});

async function kept(...records: RecordInput[]): Promise<number> {
  for (const record of records) await log.auditLog.append(record);
  return sequenceAll(connection);
}

async function exported(format: 'jsonl' | 'csv', selection: Selection, told: Progress[] = []): Promise<string> {
  let text = '';
  for await (const piece of exportUrl(database.superuserUrl, format, selection, (progress) => told.push(progress)))
    text += piece;
  return text;
}

interface Line {
  seq: number;
  recordedAt: string;
  record: { id: string };
}

const lines = async (selection: Selection, told?: Progress[]): Promise<Line[]> =>
  (await exported('jsonl', selection, told))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

/** RFC 4180, read by its grammar. */
function csvRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

describe('an export', () => {
  it('as JSON Lines has the stored bytes of every numbered record, in order', async () => {
    const size = await kept(...Array.from({ length: 5 }, () => aRecord({ detail: { note: 'Größe 🙂\n' } })));
    await log.auditLog.append(aRecord());
    const told: Progress[] = [];
    const text = await exported('jsonl', {}, told);
    const rows = await database.database.query<{ seq: string; recorded_at: Date; bytes: Buffer }>(
      'SELECT seq, recorded_at, bytes FROM audit.log ORDER BY seq',
    );
    expect(text).toBe(
      rows
        .map(({ seq, recorded_at, bytes }) => {
          return `{"seq":${seq},"recordedAt":"${recorded_at.toISOString()}","record":${bytes.toString('utf8')}}\n`;
        })
        .join(''),
    );
    expect(rows).toHaveLength(size);
    expect(told.at(-1)).toEqual({ records: size, done: size, all: size });
  });

  it('as CSV keeps every cell whole and lets none run as a formula', async () => {
    const evil = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', 'a"b', 'a,b', 'a\nb', 'a\r\nb', 'plain'];
    const first = await kept();
    await kept(...evil.map((client) => aRecord({ client, vendor: undefined })));
    const text = await exported('csv', { fromSeq: first });
    const [head, ...rows] = csvRows(text);
    expect(head?.join(',')).toBe(
      'seq,recorded_at,id,at,kind,call,trace,client,credential,actor,verification,subject,route,status,duration_us,outcome,rule,decision,vendor_operation,vendor_status,vendor_duration_us',
    );
    expect(text.startsWith(`${head?.join(',')}\r\n`)).toBe(true);
    expect(rows.map((row) => row[7])).toEqual(
      evil.map((client) => (/^[=+\-@\t\r]/.test(client) ? `'${client}` : client)),
    );
    expect(rows.map((row) => row.length)).toEqual(rows.map(() => 21));
    expect(rows[0]).toMatchObject({ 0: String(first), 4: 'call', 13: '200', 14: '4200', 15: 'allow', 18: '', 20: '' });
  });

  it('takes the same filters as the list, and numbers', async () => {
    const client = uuidv7();
    const at = (second: number): string => new Date(Date.UTC(2026, 3, 1, 9, 0, second)).toISOString();
    const first = await kept();
    await kept(
      ...[0, 1, 2, 3].map((n) =>
        aRecord({ client: n === 3 ? uuidv7() : client, at: at(n), kind: n === 2 ? 'admin.act' : 'call' }),
      ),
    );
    const seqs = async (selection: Selection) => (await lines(selection)).map(({ seq }) => seq - first);
    expect(await seqs({ client })).toEqual([0, 1, 2]);
    expect(await seqs({ client, kind: 'call' })).toEqual([0, 1]);
    expect(await seqs({ from: at(1), to: at(3) })).toEqual([1, 2]);
    expect(await seqs({ fromSeq: first + 1, toSeq: first + 3 })).toEqual([1, 2]);
    expect(await seqs({ client: uuidv7() })).toEqual([]);
    expect(await seqs({ fromSeq: first + 1_000 })).toEqual([]);
    expect((await lines({ toSeq: 1 })).map(({ seq }) => seq)).toEqual([0]);
  });

  it('has each record once while others are written and numbered, and ends at the size of its beginning', async () => {
    const stop = new AbortController();
    const bounds = await exportBounds(connection, {});
    const writer = (async () => {
      while (!stop.signal.aborted) await kept(aRecord(), aRecord());
    })();
    let text = '';
    try {
      for await (const piece of exportLog(connection, 'jsonl', {}, bounds)) text += piece;
    } finally {
      stop.abort();
      await writer;
    }
    const seqs = text
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as Line).seq);
    expect(seqs).toEqual(Array.from({ length: bounds.past }, (_, n) => n));
  });

  it.each([
    [{ format: 'pdf' }, 'format'],
    [{}, 'format'],
    [{ format: 'csv', from: 'yesterday' }, 'from'],
    [{ format: 'csv', from: '2026-03-10T08:00:00Z', to: '2026-03-10T08:00:00Z' }, 'to'],
    [{ format: 'csv', fromSeq: '-1' }, 'fromSeq'],
    [{ format: 'csv', toSeq: 'x' }, 'toSeq'],
    [{ format: 'csv', fromSeq: '5', toSeq: '5' }, 'toSeq'],
  ])('does not take %j', (query, member) => {
    const { error } = exportQuery.safeParse(query);
    expect(error?.issues.map(({ path }) => path)).toEqual([[member]]);
  });

  it('names its formats', () => {
    expect(Object.keys(FORMATS)).toEqual(expect.arrayContaining(['jsonl', 'csv']));
  });
});
