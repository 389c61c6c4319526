import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  aRecord,
  appConnection,
  openTestLog,
  sequenceAll,
  type TestLog,
  withClient,
} from '../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js';
import { uuidv7 } from '../platform/index.js';
import { APPEND_SQL, appendParameters } from './batcher.js';
import { bodyDigest, BodyDigests } from './body-digest.js';
import type { Connection } from './connection.js';
import { Frontier, leafHash } from './tree/merkle.js';
import { recordBytes } from './record.js';
import { sequenceOnce } from './sequencer.js';
import { verifyLog } from './verify/verify-log.js';

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

beforeEach(() => sequenceAll(connection));

const head = async (): Promise<{ size: number; root: string }> => {
  const [row] = await database.database.query<{ size: string; root: string }>(
    `SELECT size, encode(root, 'hex') AS root FROM audit.head`,
  );
  return { size: Number(row?.size), root: row?.root ?? '' };
};

const append = (records: Buffer[], ids: string[], keys: (Buffer | null)[] = []) =>
  connection.query({
    text: APPEND_SQL,
    values: appendParameters(records.map((bytes, at) => ({ bytes, id: ids[at] ?? '', key: keys[at] ?? null }))),
  });

const frame = { origin: 'gatehouse.local/log', instance: 'spec' };

describe('append', () => {
  it('makes a record durable at once and gives it a number when it is sequenced', async () => {
    const record = aRecord();
    await log.auditLog.append(record);
    const waiting = await database.database.query('SELECT bytes FROM audit.intake WHERE id = $1', [record.id]);
    expect(waiting).toEqual([{ bytes: recordBytes(record, frame) }]);
    const before = await head();
    expect(await sequenceAll(connection)).toBe(before.size + 1);
    const rows = await database.database.query('SELECT seq, bytes FROM audit.log WHERE id = $1', [record.id]);
    expect(rows).toEqual([{ seq: String(before.size), bytes: recordBytes(record, frame) }]);
  });

  it('shares the fate of the transaction that it tells of', async () => {
    const [kept, lost] = [aRecord({ kind: 'admin.act' }), aRecord({ kind: 'admin.act' })];
    await database.database.transaction((tx) => log.auditLog.appendIn(tx, kept));
    const failed = database.database.transaction(async (tx) => {
      await log.auditLog.appendIn(tx, lost);
      throw new Error('the change failed');
    });
    await expect(failed).rejects.toThrow('the change failed');
    const rows = await database.database.query('SELECT id FROM audit.intake WHERE id = ANY ($1)', [[kept.id, lost.id]]);
    expect(rows).toEqual([{ id: kept.id }]);
  });

  it('takes a record once, however often it is sent, before and after it got its number', async () => {
    const record = aRecord();
    const bytes = recordBytes(record, frame);
    const { size } = await head();
    await append([bytes, bytes], [record.id, record.id]);
    await append([bytes], [record.id]);
    await sequenceAll(connection);
    await append([bytes], [record.id]);
    expect(await sequenceAll(connection)).toBe(size + 1);
  });

  it('takes a record once also when it is sent again while it is being numbered', async () => {
    const record = aRecord();
    const bytes = recordBytes(record, frame);
    await append([bytes], [record.id]);
    const { size } = await head();
    const again = await withClient(database.superuserUrl, async (sequencer) => {
      await sequencer.query('BEGIN');
      await sequencer.query('SELECT * FROM audit.sequence(10)');
      // Its insert waits for what becomes of the row that is being taken out.
      const sending = append([bytes], [record.id]);
      await vi.waitFor(async () => {
        const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'gatehouse-spec' AND wait_event = 'transactionid'`;
        expect((await sequencer.query(waiting)).rowCount).toBe(1);
      });
      await sequencer.query('COMMIT');
      return sending;
    });
    expect(again.rowCount).toBe(1);
    expect(await sequenceAll(connection)).toBe(size + 1);
  });

  it('refuses another record under the same id', async () => {
    const record = aRecord();
    await append([recordBytes(record, frame)], [record.id]);
    const other = recordBytes({ ...record, kind: 'admin.act' }, frame);
    await expect(append([other], [record.id])).rejects.toMatchObject({ code: '23505' });
    await sequenceAll(connection);
    await expect(append([other], [record.id])).rejects.toMatchObject({ code: '23505' });
  });

  it.each<[string, Buffer | string, string?]>([
    ['another id inside', JSON.stringify({ ...aRecord(), v: 1 })],
    ['another version', JSON.stringify({ id: 'ID', at: '2026-03-10T08:00:00.000Z', kind: 'call', v: 2 })],
    ['no version', JSON.stringify({ id: 'ID', at: '2026-03-10T08:00:00.000Z', kind: 'call' })],
    ['no instant', JSON.stringify({ id: 'ID', kind: 'call', v: 1 })],
    ['no kind', JSON.stringify({ id: 'ID', at: '2026-03-10T08:00:00.000Z', v: 1 })],
    ['no object', '[]'],
    ['no JSON', '{'],
    ['a NUL', `{"at":"2026-03-10T08:00:00.000Z","id":"ID","kind":"call","subject":"\\u0000","v":1}`],
    ['no UTF-8', Buffer.from([0xff, 0xfe])],
    [
      'more than 64 KiB',
      JSON.stringify({ id: 'ID', at: '2026-03-10T08:00:00.000Z', kind: 'call', v: 1, x: 'y'.repeat(65_536) }),
    ],
    [
      'a member too long for its column',
      JSON.stringify({ id: 'ID', at: '2026-03-10T08:00:00.000Z', kind: 'call', v: 1, client: 'y'.repeat(257) }),
    ],
  ])('refuses %s', async (_what, given) => {
    const id = uuidv7();
    const bytes = Buffer.isBuffer(given) ? given : Buffer.from(given.replace('"ID"', `"${id}"`));
    await expect(append([bytes], [id])).rejects.toMatchObject({ code: expect.stringMatching(/^2[23]/) as string });
  });

  it('takes as many records as ids', async () => {
    const record = aRecord();
    const bytes = recordBytes(record, frame);
    const [, records] = appendParameters([{ id: record.id, bytes, key: null }]);
    const [ids] = appendParameters([record, aRecord()].map(({ id }) => ({ id, bytes, key: null })));
    const query = { text: APPEND_SQL, values: [ids, records, null] };
    await expect(connection.query(query)).rejects.toMatchObject({ code: '22023' });
  });

  it('keeps the key of the digests apart, where it can be erased', async () => {
    const digests = new BodyDigests();
    const responseDigest = digests.of('response', '{"name":"Ana"}');
    const record = aRecord();
    await log.auditLog.append(
      { ...record, http: { method: 'GET', route: '/', status: 200, responseDigest } },
      digests.key,
    );
    const [row] = await database.database.query<{ key: Buffer }>(
      'SELECT key FROM audit.digest_keys WHERE record_id = $1',
      [record.id],
    );
    expect(bodyDigest(row?.key ?? Buffer.alloc(0), 'response', '{"name":"Ana"}')).toBe(responseDigest);
    await sequenceAll(connection);
    await database.database.query('DELETE FROM audit.digest_keys WHERE record_id = $1', [record.id]);
    expect(await verifyLog(database.superuserUrl)).toMatchObject({ ok: true });
  });
});

describe('sequence', () => {
  it('grows the tree as RFC 6962 has it, whatever the sizes of its steps', async () => {
    const leaves = await database.database.query<{ bytes: Buffer }>('SELECT bytes FROM audit.log ORDER BY seq');
    const frontier = new Frontier();
    for (const { bytes } of leaves) frontier.add(leafHash(bytes));
    for (const count of [1, 2, 3, 5, 250, 1, 7, 512, 300]) {
      const records = Array.from({ length: count }, () => aRecord());
      const bytes = records.map((record) => recordBytes(record, frame));
      await append(
        bytes,
        records.map((record) => record.id),
      );
      for (const one of bytes) frontier.add(leafHash(one));
      expect(await sequenceOnce(connection, count)).toEqual({ moved: count, size: frontier.size });
      expect((await head()).root).toBe(frontier.root().toString('hex'));
    }
    expect(await verifyLog(database.superuserUrl)).toMatchObject({ ok: true, size: frontier.size });
  });

  it('leaves the work to whoever holds the head, and to itself when that one is gone', async () => {
    const { size } = await head();
    await log.auditLog.append(aRecord());
    await withClient(database.superuserUrl, async (holder) => {
      await holder.query('BEGIN');
      await holder.query('SELECT * FROM audit.sequence(1)');
      expect(await sequenceOnce(connection)).toEqual({ moved: undefined, size: undefined });
      await holder.query('ROLLBACK');
    });
    expect(await sequenceOnce(connection)).toEqual({ moved: 1, size: size + 1 });
  });

  it('finds a record that was committed long after others had drawn later numbers', async () => {
    const { size } = await head();
    const [early, late] = [aRecord(), aRecord()];
    await withClient(database.superuserUrl, async (slow) => {
      await slow.query('BEGIN');
      const entry = { id: early.id, bytes: recordBytes(early, frame), key: null };
      await slow.query({ text: APPEND_SQL, values: appendParameters([entry]) });
      for (let n = 0; n < 3; n += 1) {
        await log.auditLog.append(n === 0 ? late : aRecord());
        await sequenceAll(connection);
      }
      expect(await head()).toMatchObject({ size: size + 3 });
      await slow.query('COMMIT');
    });
    expect(await sequenceAll(connection)).toBe(size + 4);
    for (let n = 0; n < 3; n += 1) {
      await log.auditLog.append(aRecord());
      await sequenceAll(connection);
    }
    expect(await head()).toMatchObject({ size: size + 7 });
  });

  it('begins where records wait, and not at what has left the intake', async () => {
    const from = async (): Promise<number> => {
      const [row] = await database.database.query<{ from: string }>('SELECT intake_from AS from FROM audit.head');
      return Number(row?.from);
    };
    const before = await from();
    for (let n = 0; n < 4; n += 1) {
      await log.auditLog.append(aRecord());
      await sequenceAll(connection);
    }
    expect(await from()).toBeGreaterThan(before + 1);
  });

  it('leaves nothing behind, also where the numbers of the intake were set back', async () => {
    const { size } = await head();
    await withClient(database.superuserUrl, (superuser) =>
      superuser.query('ALTER SEQUENCE audit.intake_n_seq RESTART'),
    );
    await log.auditLog.append(aRecord());
    expect(await sequenceAll(connection)).toBe(size + 1);
  });

  it('numbers every record once, without gaps, with many writers and several sequencers at once', async () => {
    const { size } = await head();
    const instances = await Promise.all(['a', 'b', 'c'].map((name) => openTestLog(database.superuserUrl, name)));
    for (const instance of instances) instance.start();
    const ids: string[] = [];
    const writer = async (at: number): Promise<void> => {
      for (let n = 0; n < 60; n += 1) {
        const record = aRecord();
        ids.push(record.id);
        const { auditLog } = instances[at % instances.length] ?? log;
        if (n % 10 === 0) await database.database.transaction((tx) => auditLog.appendIn(tx, record));
        else await auditLog.append(record);
      }
    };
    await Promise.all(Array.from({ length: 50 }, (_, at) => writer(at)));
    await Promise.all(instances.map((instance) => instance.stop()));
    expect(await sequenceAll(connection)).toBe(size + ids.length);
    const rows = await database.database.query<{ id: string }>('SELECT id FROM audit.log WHERE seq >= $1', [size]);
    expect(new Set(rows.map((row) => row.id))).toEqual(new Set(ids));
    expect(await verifyLog(database.superuserUrl)).toMatchObject({ ok: true, size: size + ids.length, waiting: 0 });
  });

  it('keeps the order in which records became durable', async () => {
    const { size } = await head();
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) {
      const record = aRecord();
      ids.push(record.id);
      await log.auditLog.append(record);
    }
    while ((await sequenceOnce(connection, 3)).moved !== 0);
    const rows = await database.database.query<{ id: string }>(
      'SELECT id FROM audit.log WHERE seq >= $1 ORDER BY seq',
      [size],
    );
    expect(rows.map((row) => row.id)).toEqual(ids);
  });

  it('makes partitions ahead, refusing there what is refused everywhere', async () => {
    const { size } = await head();
    await withClient(database.superuserUrl, async (superuser) => {
      // As if the partitions were nearly full: small ones follow, and nothing else need be written to get there.
      await superuser.query(
        `DO $$ BEGIN
           ALTER TABLE audit.head DISABLE TRIGGER ALL;
           DROP TABLE audit.log_000001048576;
           ALTER TABLE audit.log DETACH PARTITION audit.log_000000000000;
           ALTER TABLE audit.log ATTACH PARTITION audit.log_000000000000 FOR VALUES FROM (0) TO (${size + 10});
           UPDATE audit.head SET partition_size = 100, partitioned_to = ${size + 10};
           ALTER TABLE audit.head ENABLE TRIGGER ALL;
         END $$`,
      );
    });
    for (let n = 0; n < 30; n += 1) await log.auditLog.append(aRecord());
    expect(await sequenceAll(connection)).toBe(size + 30);
    const partitions = await database.database.query<{ name: string; triggers: string[] }>(
      `SELECT c.relname AS name, array_agg(t.tgname::text ORDER BY t.tgname) AS triggers
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_trigger t ON t.tgrelid = c.oid
        WHERE i.inhparent = 'audit.log'::regclass GROUP BY 1 ORDER BY 1`,
    );
    // Always at least one whole partition beyond the one being written.
    const after = partitions.filter(({ name }) => Number(name.slice(4)) >= size + 10);
    expect(after.length).toBeGreaterThanOrEqual(2);
    for (const { triggers } of partitions) expect(triggers).toEqual(['no_change', 'no_truncate']);
    const owners = await database.database.query(
      `SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relname LIKE 'log\\_0%'`,
    );
    expect(owners).toEqual([{ owner: 'gatehouse_owner' }]);
    expect(await verifyLog(database.superuserUrl)).toMatchObject({ ok: true, size: size + 30 });
  });
});

describe('the name of the log', () => {
  it('is taken once', async () => {
    const [row] = await database.database.query(`SELECT audit.begin('another.example/log') AS origin`);
    expect(row).toEqual({ origin: 'gatehouse.local/log' });
  });
});
