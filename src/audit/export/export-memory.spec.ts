import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRecord, appConnection, withClient } from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import type { Connection } from '../connection.js';
import type { Queries } from '../checkpoints/log-store.js';
import { recordBytes } from '../record.js';
import { exportBounds, exportLog } from './log-export.js';

const RECORDS = 40_000;
/** Each as large as a record may be. */
const LARGE = 1_000;
const LARGE_BYTES = 64_000;
const MB = 1024 * 1024;
/** The whole text is over 100 MB; what is held of it at once is a piece as rows and as text, at most some 4 MB each. */
const MOST_MB = 24;

// Garbage that waits for its collector says nothing of what is held.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let database: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  database = await startTestDatabase();
  connection = appConnection(database.superuserUrl);
  const frame = { origin: 'gatehouse.local/log', instance: 'spec' };
  const bytes = recordBytes(aRecord(), frame);
  const large = recordBytes(aRecord({ detail: { pad: 'x'.repeat(LARGE_BYTES - 1_500) } }), frame);
  await withClient(database.superuserUrl, async (client) => {
    await client.query(
      `INSERT INTO audit.log (seq, id, recorded_at, bytes, leaf_hash, at, kind, client)
       SELECT n, gen_random_uuid(), now(), CASE WHEN n < $3::int THEN $1::bytea ELSE $2::bytea END, '\\x00', now(), 'call', (n % 1000)::text
         FROM generate_series(0, $3::int + $4::int - 1) n`,
      [bytes, large, RECORDS, LARGE],
    );
    await client.query(`UPDATE audit.head SET size = $1, root = '\\x${'11'.repeat(32)}'`, [RECORDS + LARGE]);
  });
});

afterAll(async () => {
  await connection.close();
  await database.stop();
});

/** What is held, in MB. */
const held = (): number => {
  // What the first one finds unused outside the heap is given back by the second.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MB;
};

describe('an export of a large log', () => {
  it('takes the same memory however large the log is, and reads in short statements', async () => {
    const rowsOf: number[] = [];
    const counted: Queries = {
      rows: async (query) => {
        const rows = await connection.rows(query);
        rowsOf.push(rows.length);
        return rows as never;
      },
    };
    const before = held();
    let most = 0;
    let pieces = 0;
    let characters = 0;
    for await (const piece of exportLog(counted, 'jsonl', {}, await exportBounds(connection, {}))) {
      characters += piece.length;
      if ((pieces += 1) % 5 === 0) most = Math.max(most, held() - before);
    }
    expect(characters).toBeGreaterThan(RECORDS * 900 + LARGE * (LARGE_BYTES - 2_000));
    expect(pieces).toBeGreaterThan(30);
    expect(most).toBeLessThan(MOST_MB);
    expect(Math.max(...rowsOf)).toBeLessThanOrEqual(2_048);
    expect(rowsOf.reduce((sum, n) => sum + n, 0)).toBe(RECORDS + LARGE);
    // Of the largest records a statement gives few.
    expect(rowsOf.at(-2)).toBeLessThan(70);
  });

  it('reads nothing ahead of whoever takes it', async () => {
    let statements = 0;
    const counted: Queries = {
      rows: (query) => {
        statements += 1;
        return connection.rows(query);
      },
    };
    const text = exportLog(counted, 'jsonl', {}, { first: 0, past: RECORDS });
    await text.next();
    await text.next();
    expect(statements).toBe(2);
    await text.return();
    expect(statements).toBe(2);
  });

  it('with a filter that little passes looks at many records a statement', async () => {
    let statements = 0;
    const counted: Queries = {
      rows: (query) => {
        statements += 1;
        return connection.rows(query);
      },
    };
    let found = '';
    for await (const piece of exportLog(counted, 'csv', { client: '7' }, { first: 0, past: RECORDS })) found += piece;
    expect(found.split('\r\n')).toHaveLength(RECORDS / 1_000 + 2);
    expect(statements).toBe(2);
  });
});
