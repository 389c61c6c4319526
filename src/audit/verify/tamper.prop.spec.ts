import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  appConnection,
  aRecord,
  copyDatabase,
  LOG_KEY,
  openTestLog,
  sequenceAll,
  withClient,
} from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { vkeyOf } from '../checkpoints/note.js';
import { PROJECTED } from './check-record.js';
import type { FirstBad } from './verdict.js';
import { verifyLog } from './verify-log.js';

/** Five whole tiles of leaves and a part of one, over several partitions. */
const SIZE = 1_400;
const PARTITION = 256;
const STEPS = 4;
const KEY = vkeyOf('gatehouse.local/log', LOG_KEY);
/** GATEHOUSE_TAMPER_CASES has more of them tried. */
const CASES = Number(process.env['GATEHOUSE_TAMPER_CASES'] ?? 20);

let database: TestDatabase;
let name: string;
let copies = 0;
let trusted = '';

/** The log as it stood after a step. */
const earlier = (step: number): string => `earlier_${step}`;

async function grow(url: string, count: number): Promise<void> {
  const log = await openTestLog(url, 'spec', true);
  const connection = appConnection(url);
  const records = Array.from({ length: count }, (_, n) =>
    n % 2 === 0 ? aRecord() : aRecord({ kind: 'admin.act', http: undefined, vendor: undefined, actor: `person-${n}` }),
  );
  await Promise.all(records.map((record) => log.auditLog.append(record)));
  await sequenceAll(connection);
  await connection.close();
  await log.stop();
}

beforeAll(async () => {
  database = await startTestDatabase();
  await withClient(database.superuserUrl, (superuser) =>
    superuser.query(
      `DO $$ BEGIN
         SET LOCAL session_replication_role = replica;
         DROP TABLE audit.log_000001048576;
         DROP TABLE audit.log_000000000000;
         UPDATE audit.head SET partition_size = ${PARTITION}, partitioned_to = 0;
       END $$`,
    ),
  );
  await database.database.close();
  name = new URL(database.superuserUrl).pathname.slice(1);
  // A run for each step: the later ones tell the checkpoints of those before.
  for (let step = 0; step < STEPS; step += 1) {
    await grow(database.superuserUrl, SIZE / STEPS);
    if (step < STEPS - 1) await copyDatabase(database.superuserUrl, name, earlier(step));
  }
  await withClient(database.superuserUrl, async (client) => {
    const { rows } = await client.query<{ note: string }>('SELECT note FROM audit.checkpoint ORDER BY size DESC');
    trusted = rows[0]?.note ?? '';
    expect(rows.length).toBeGreaterThanOrEqual(STEPS);
  });
  const whole = await verifyLog(database.superuserUrl, { keys: [KEY], trustedCheckpoint: trusted });
  expect(whole).toMatchObject({ ok: true });
  expect(whole.size).toBeGreaterThanOrEqual(SIZE);
});

afterAll(() => database.stop());

interface Tampering {
  what: string;
  sql: string;
  /** A record that is no longer what it was: the verdict names it, one before it that changed too, or an interval around it. */
  touched: number[];
  /** The log after this step in place of the whole one. */
  step?: number;
}

const seq = fc.nat({ max: SIZE - 1 });
const partition = fc.nat({ max: Math.floor((SIZE - 1) / PARTITION) });
const partitionName = (index: number): string => `audit.log_${String(index * PARTITION).padStart(12, '0')}`;
const recordsOf = (from: number, past: number): number[] => Array.from({ length: past - from }, (_, n) => from + n);

const TEXTS = PROJECTED.filter((column) => !/^at$|status|duration/.test(column));
const NUMBERS = PROJECTED.filter((column) => /status|duration/.test(column));

/** As many records as were lost, in the log's own way: everything but what was signed is in order. */
const REGROW = `SET session_replication_role = origin;
  SELECT audit.append(array_agg(other.id), array_agg(convert_to(replace(convert_from(log.bytes, 'UTF8'), log.id::text, other.id::text), 'UTF8')))
    FROM generate_series(1, 5) AS round, audit.log, LATERAL (SELECT gen_random_uuid() AS id WHERE log.id IS NOT NULL AND round > 0) AS other
   WHERE log.kind IN ('call', 'admin.act');
  SELECT audit.sequence();`;

const rehash = (at: number): string =>
  `UPDATE audit.log SET leaf_hash = sha256('\\x00'::bytea || bytes) WHERE seq = ${at};`;
const intoTile = (at: number): string =>
  `UPDATE audit.tile SET hashes = overlay(hashes PLACING (SELECT leaf_hash FROM audit.log WHERE seq = ${at}) FROM ${(at % 256) * 32 + 1})
    WHERE level = 0 AND idx = ${Math.floor(at / 256)};`;

/** One bit of a record's bytes, and as much of what follows from them as the hand takes care of. */
const edit = fc
  .record({ at: seq, byte: fc.nat({ max: 200 }), bit: fc.nat({ max: 7 }), care: fc.nat({ max: 2 }) })
  .map(({ at, byte, bit, care }): Tampering => ({
    what: `bit ${bit} of byte ${byte} of record ${at}, with care ${care}`,
    sql: `UPDATE audit.log SET bytes = set_bit(bytes, ${byte * 8 + bit}, 1 - get_bit(bytes, ${byte * 8 + bit})) WHERE seq = ${at};
      ${care > 0 ? rehash(at) : ''} ${care > 1 ? intoTile(at) : ''}`,
    touched: [at],
  }));

/** Another story told well: canonical bytes, columns, leaf hash and the tile of leaves all agree. */
const retell = seq.map((at): Tampering => ({
  what: `record ${at} told anew`,
  sql: `UPDATE audit.log SET bytes = convert_to(replace(convert_from(bytes, 'UTF8'), 'gk_live_ab12', 'gk_live_zz99'), 'UTF8'),
        credential = 'gk_live_zz99' WHERE seq = ${at}; ${rehash(at)} ${intoTile(at)}`,
  touched: [at],
}));

const swap = fc.tuple(seq, seq, fc.boolean()).map(([one, other, whole]): Tampering => {
  const second = one === other ? (other + 1) % SIZE : other;
  const columns = ['id', 'bytes', 'leaf_hash', ...(whole ? ['recorded_at', ...PROJECTED] : [])].join(', ');
  return {
    what: `records ${one} and ${second} swapped`,
    sql: `CREATE TEMP TABLE pair AS SELECT seq, ${columns} FROM audit.log WHERE seq IN (${one}, ${second});
      UPDATE audit.log SET (${columns}) = (SELECT ${columns} FROM pair WHERE pair.seq <> log.seq) WHERE seq IN (${one}, ${second});
      UPDATE audit.place SET seq = log.seq FROM audit.log WHERE log.id = place.id AND log.seq IN (${one}, ${second});`,
    touched: [one, second],
  };
});

const taken = fc.oneof(
  seq.map((at): Tampering => ({
    what: `record ${at} deleted`,
    sql: `DELETE FROM audit.log WHERE seq = ${at};`,
    touched: [at],
  })),
  seq.map((at): Tampering => ({
    what: `record ${at} deleted with its place`,
    sql: `DELETE FROM audit.log WHERE seq = ${at}; DELETE FROM audit.place WHERE seq = ${at};`,
    touched: [at],
  })),
  seq.map((at): Tampering => ({
    what: `records from ${at} on deleted`,
    sql: `DELETE FROM audit.log WHERE seq >= ${at};`,
    touched: recordsOf(at, SIZE + 256),
  })),
  seq.map((at): Tampering => ({
    what: `record ${at} back in the intake`,
    sql: `WITH gone AS (DELETE FROM audit.log WHERE seq = ${at} RETURNING *)
      INSERT INTO audit.intake (id, bytes, ${PROJECTED.join(', ')}) SELECT id, bytes, ${PROJECTED.join(', ')} FROM gone;`,
    touched: [at],
  })),
);

const partitions = fc
  .tuple(partition, fc.constantFrom('TRUNCATE', 'DROP TABLE', 'DETACH'))
  .map(([index, how]): Tampering => ({
    what: `${how} of partition ${index}`,
    sql:
      how === 'DETACH'
        ? `ALTER TABLE audit.log DETACH PARTITION ${partitionName(index)};`
        : `${how} ${partitionName(index)};`,
    touched: recordsOf(index * PARTITION, (index + 1) * PARTITION),
  }));

const column = fc.oneof(
  fc.tuple(seq, fc.constantFrom(...TEXTS)).map(([at, field]): Tampering => ({
    what: `${field} of record ${at}`,
    sql: `UPDATE audit.log SET ${field} = coalesce(${field}, '') || 'x' WHERE seq = ${at};`,
    touched: [at],
  })),
  fc.tuple(seq, fc.constantFrom(...NUMBERS)).map(([at, field]): Tampering => ({
    what: `${field} of record ${at}`,
    sql: `UPDATE audit.log SET ${field} = coalesce(${field}, 0) + 1 WHERE seq = ${at};`,
    touched: [at],
  })),
  seq.map((at): Tampering => ({
    what: `instant of record ${at}`,
    sql: `UPDATE audit.log SET at = at + interval '1 millisecond' WHERE seq = ${at};`,
    touched: [at],
  })),
  fc
    .tuple(seq, fc.constantFrom('gen_random_uuid()', `(SELECT id FROM audit.log WHERE seq = 0)`))
    .map(([at, id]): Tampering => ({
      what: `id of record ${at}`,
      // Record 0 itself takes that of record 1.
      sql: `UPDATE audit.log SET id = ${at === 0 ? 'gen_random_uuid()' : id} WHERE seq = ${at};`,
      touched: [at],
    })),
);

const place = fc.oneof(
  fc.tuple(seq, fc.integer({ min: 1, max: 5 })).map(([at, by]): Tampering => ({
    what: `place of record ${at}`,
    sql: `UPDATE audit.place SET seq = seq + ${by} WHERE seq = ${at};`,
    touched: [at],
  })),
  seq.map((at): Tampering => ({
    what: `place of record ${at} gone`,
    sql: `DELETE FROM audit.place WHERE seq = ${at};`,
    touched: [at],
  })),
);

const tile = fc
  .record({
    level: fc.constantFrom(0, 0, 0, 1),
    idx: fc.nat({ max: Math.floor((SIZE - 1) / 256) }),
    how: fc.constantFrom('flip', 'cut', 'gone'),
    at: fc.nat({ max: 119 }),
    bit: fc.nat({ max: 255 }),
  })
  .map(({ level, idx, how, at, bit }): Tampering => {
    // The tile of level 1 holds the roots of the whole tiles of leaves.
    const index = level === 0 ? idx : 0;
    const hash = level === 0 ? at : at % Math.floor(SIZE / 256);
    const where = `WHERE level = ${level} AND idx = ${index};`;
    const span = 256 ** level;
    const first = index * 256 * span;
    const bitAt = hash * 256 + bit;
    if (how === 'flip')
      return {
        what: `bit ${bitAt} of tile ${level}/${index}`,
        sql: `UPDATE audit.tile SET hashes = set_bit(hashes, ${bitAt}, 1 - get_bit(hashes, ${bitAt})) ${where}`,
        touched: recordsOf(first + hash * span, first + (hash + 1) * span),
      };
    return {
      what: `tile ${level}/${index} ${how}`,
      sql:
        how === 'gone'
          ? `DELETE FROM audit.tile ${where}`
          : `UPDATE audit.tile SET hashes = substr(hashes, 1, length(hashes) - 32) ${where}`,
      touched: recordsOf(first, first + 256 * span),
    };
  });

/** The log is a little longer: it tells its key and its checkpoints. */
const everything = recordsOf(0, SIZE + 256);
const head = fc.oneof(
  fc.nat({ max: 255 }).map((bit): Tampering => ({
    what: `bit ${bit} of the root`,
    sql: `UPDATE audit.head SET root = set_bit(root, ${bit}, 1 - get_bit(root, ${bit}));`,
    touched: everything,
  })),
  fc.constantFrom(3, 4, 5, 6, 7, 9).map((level): Tampering => ({
    what: `frontier at level ${level}`,
    sql: `UPDATE audit.head SET frontier[${level}] = sha256('x');`,
    touched: everything,
  })),
  fc.integer({ min: 1, max: SIZE - 1 }).map((size): Tampering => ({
    what: `head set back to ${size}`,
    sql: `UPDATE audit.head SET size = ${size};`,
    touched: everything,
  })),
  fc.integer({ min: 1, max: 1_000 }).map((by): Tampering => ({
    what: `head set ahead by ${by}`,
    sql: `UPDATE audit.head SET partitioned_to = partitioned_to + 10000, size = size + ${by};`,
    touched: everything,
  })),
  fc.constant<Tampering>({
    what: 'origin',
    sql: `UPDATE audit.head SET origin = 'another.example/log';`,
    touched: everything,
  }),
  fc.constant<Tampering>({ what: 'head gone', sql: 'DELETE FROM audit.head;', touched: everything }),
);

const checkpoint = fc
  .tuple(fc.nat({ max: STEPS - 2 }), fc.constantFrom('root', 'note', 'size', 'gone', 'other'))
  .map(([nth, how]): Tampering => {
    const where = `WHERE size = (SELECT size FROM audit.checkpoint ORDER BY size OFFSET ${nth} LIMIT 1);`;
    const sql = {
      root: `UPDATE audit.checkpoint SET root = sha256('x') ${where}`,
      note: `UPDATE audit.checkpoint SET note = replace(note, 'gatehouse.local', 'gatehouse.other') ${where}`,
      size: `UPDATE audit.checkpoint SET size = size - 1 ${where}`,
      gone: `DELETE FROM audit.checkpoint ${where}`,
      other: `UPDATE audit.checkpoint SET (root, note) = (SELECT root, note FROM audit.checkpoint ORDER BY size DESC LIMIT 1) ${where}`,
    }[how];
    return { what: `checkpoint ${nth}: ${how}`, sql, touched: everything };
  });

/** A log that was right once: alone, or with another story after it. Only a checkpoint from elsewhere tells. */
const rollback = fc.tuple(fc.nat({ max: STEPS - 2 }), fc.boolean()).map(([step, retold]): Tampering => ({
  what: `rolled back to step ${step}${retold ? ' and told on otherwise' : ''}`,
  sql: retold ? REGROW : '',
  touched: everything,
  step,
}));

/** In the verdict, or inside its interval; what comes after the end of the log is named as the place where it ends. */
function names(firstBad: FirstBad | null, touched: readonly number[]): boolean {
  if (firstBad === null) return false;
  if ('seq' in firstBad) return touched.includes(firstBad.seq);
  return touched.some((at) => firstBad.from <= at && at < Math.max(firstBad.to, firstBad.from + 1));
}

it('whatever a superuser changes is found, and the place named', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(edit, retell, swap, taken, partitions, column, place, tile, head, checkpoint, rollback),
      async ({ what, sql, touched, step }) => {
        copies += 1;
        const copy = `tampered_${copies}`;
        const url = await copyDatabase(database.superuserUrl, step === undefined ? name : earlier(step), copy);
        await withClient(url, (superuser) => superuser.query(`SET session_replication_role = replica; ${sql}`));
        const verdict = await verifyLog(url, { keys: [KEY], trustedCheckpoint: trusted });
        await withClient(database.superuserUrl.replace(/\/[^/]*$/, '/template1'), (admin) =>
          admin.query(`DROP DATABASE ${copy}`),
        );
        expect(verdict.ok, what).toBe(false);
        expect(names(verdict.firstBad, touched), `${what}: ${JSON.stringify(verdict)}`).toBe(true);
      },
    ),
    { numRuns: CASES, endOnFailure: true },
  );
}, 600_000);
