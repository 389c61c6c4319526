import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  appConnection,
  aRecord,
  copyDatabase,
  openTestLog,
  sequenceAll,
  withClient,
} from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import type { Connection } from '../connection.js';
import { type FirstBad, describeVerdict } from './verdict.js';
import { verifyLog } from './verify-log.js';

/** Three whole tiles of leaves and a part of one, with records of several shapes. */
const SIZE = 900;

let database: TestDatabase;
let name: string;
let copies = 0;
let root: string;

async function fill(url: string): Promise<void> {
  const log = await openTestLog(url);
  const connection = appConnection(url);
  const records = Array.from({ length: SIZE }, (_, n) => {
    if (n % 3 === 0) return aRecord();
    if (n % 3 === 1)
      return aRecord({ kind: 'admin.act', http: undefined, vendor: undefined, actor: 'Ä "quoted" \\ 🦊' });
    return aRecord({
      at: `2026-03-10T08:00:00.${String(n % 1000).padStart(3, '0')}Z`,
      detail: { '10': [1, null, true], '9': {} },
    });
  });
  await Promise.all(records.map((record) => log.auditLog.append(record)));
  await sequenceAll(connection);
  await connection.close();
  await log.stop();
}

beforeAll(async () => {
  database = await startTestDatabase();
  await fill(database.superuserUrl);
  await database.database.close();
  name = new URL(database.superuserUrl).pathname.slice(1);
  root = (await verifyLog(database.superuserUrl)).root;
});

afterAll(() => database.stop());

/** A copy of the log, changed by someone to whom no trigger applies. */
async function tampered(...statements: string[]): Promise<string> {
  copies += 1;
  const url = await copyDatabase(database.superuserUrl, name, `tampered_${copies}_${process.pid}`);
  await withClient(url, async (superuser) => {
    await superuser.query('SET session_replication_role = replica');
    for (const statement of statements) await superuser.query(statement);
  });
  return url;
}

async function expectBad(url: string, firstBad: FirstBad, reason: RegExp): Promise<void> {
  const verdict = await verifyLog(url);
  expect(verdict).toMatchObject({ ok: false, firstBad, reason: expect.stringMatching(reason) as string, size: SIZE });
  expect(describeVerdict(verdict)).toMatch(/^NOT verified: /);
}

/** One byte of the record's bytes, such that they are still canonical JSON. */
const OTHER_BYTES = `convert_to(replace(convert_from(bytes, 'UTF8'), '"v":1', '"v":1'), 'UTF8')`;
const changed = (from: string, to: string): string => OTHER_BYTES.replace(`'"v":1', '"v":1'`, `'${from}', '${to}'`);

describe('an untouched log', () => {
  it('verifies, with its root', async () => {
    const verdict = await verifyLog(database.superuserUrl);
    expect(verdict).toMatchObject({
      ok: true,
      origin: 'gatehouse.local/log',
      size: SIZE,
      checkpoints: 0,
      firstBad: null,
    });
    expect(describeVerdict(verdict)).toBe(`verified ${SIZE} records, root ${root}`);
    expect(root).toMatch(/^[0-9a-f]{64}$/);
  });

  it('verifies in part', async () => {
    const verdict = await verifyLog(database.superuserUrl, { from: 300, to: 600 });
    expect(verdict).toMatchObject({ ok: true, root, part: { from: 300, to: 600 } });
    expect(describeVerdict(verdict)).toBe(`verified records 300 to 599, root of the whole ${root}`);
  });

  it.each([
    [{ from: 5_000 }, { from: 5_000, to: 5_001 }],
    [{ from: SIZE }, { from: SIZE, to: SIZE + 1 }],
    [{ to: SIZE + 1 }, { from: SIZE, to: SIZE + 1 }],
    [
      { from: 300, to: 5_000 },
      { from: SIZE, to: 5_000 },
    ],
  ])('does not verify in a part that is not there: %o', async (part, firstBad) => {
    expect(await verifyLog(database.superuserUrl, part)).toMatchObject({
      ok: false,
      firstBad,
      reason: /not in the log/,
    });
  });

  it('has no part without a record', async () => {
    for (const part of [{ from: 5, to: 5 }, { from: 10, to: 5 }, { to: 0 }])
      await expect(verifyLog(database.superuserUrl, part)).rejects.toThrow(RangeError);
  });

  it('tells how far it is', async () => {
    const seen: number[] = [];
    await verifyLog(database.superuserUrl, { onProgress: (done) => seen.push(done) });
    expect(seen.at(-1)).toBe(SIZE);
  });

  it('verifies with what waits for a number, and as a role that can only read', async () => {
    const url = await tampered();
    const log = await openTestLog(url);
    await log.auditLog.append(aRecord());
    const auditor = new URL(url);
    auditor.searchParams.set('options', '-c role=gatehouse_auditor');
    expect(await verifyLog(auditor.href)).toMatchObject({ ok: true, size: SIZE, waiting: 1 });
    await log.stop();
  });

  it('verifies while writers write', async () => {
    const url = await tampered();
    const [log, connection] = [await openTestLog(url), appConnection(url)];
    const done = new AbortController();
    const write = async (use: Connection): Promise<void> => {
      while (!done.signal.aborted) {
        await Promise.all(Array.from({ length: 40 }, () => log.auditLog.append(aRecord())));
        await sequenceAll(use);
      }
    };
    const writing = write(connection);
    for (let n = 0; n < 5; n += 1) expect(await verifyLog(url)).toMatchObject({ ok: true });
    done.abort();
    await writing;
    await connection.close();
    await log.stop();
  });

  it('verifies when it is empty', async () => {
    const url = await tampered(
      'TRUNCATE audit.log, audit.place, audit.tile, audit.intake',
      `UPDATE audit.head SET size = 0, root = sha256(''), frontier = '{}'`,
    );
    expect(describeVerdict(await verifyLog(url))).toMatch(/^verified 0 records, root e3b0c442/);
  });
});

describe('a log that was changed', () => {
  it.each<[what: string, statements: string[], FirstBad, RegExp]>([
    [
      'bytes of a record',
      [`UPDATE audit.log SET bytes = ${changed('allow', 'deny')} WHERE seq = 300`],
      { seq: 300 },
      /leaf hash/,
    ],
    [
      'bytes and leaf hash',
      [
        `UPDATE audit.log SET bytes = ${changed('allow', 'deny')}, outcome = 'deny' WHERE seq = 300`,
        `UPDATE audit.log SET leaf_hash = sha256('\\x00'::bytea || bytes) WHERE seq = 300`,
      ],
      { seq: 300 },
      /not the one in the tree/,
    ],
    [
      'bytes, leaf hash and the tile of leaves',
      [
        `UPDATE audit.log SET bytes = ${changed('allow', 'deny')}, outcome = 'deny' WHERE seq = 300`,
        `UPDATE audit.log SET leaf_hash = sha256('\\x00'::bytea || bytes) WHERE seq = 300`,
        `UPDATE audit.tile SET hashes = overlay(hashes PLACING (SELECT leaf_hash FROM audit.log WHERE seq = 300)
           FROM (300 % 256) * 32 + 1) WHERE level = 0 AND idx = 1`,
      ],
      { from: 256, to: 512 },
      /tile of level 1/,
    ],
    [
      'bytes, leaf hash and both tiles',
      [
        `UPDATE audit.log SET bytes = ${changed('allow', 'deny')}, outcome = 'deny' WHERE seq = 800`,
        `UPDATE audit.log SET leaf_hash = sha256('\\x00'::bytea || bytes) WHERE seq = 800`,
        `UPDATE audit.tile SET hashes = overlay(hashes PLACING (SELECT leaf_hash FROM audit.log WHERE seq = 800)
           FROM (800 % 256) * 32 + 1) WHERE level = 0 AND idx = 3`,
      ],
      { from: 0, to: SIZE },
      /root of the head/,
    ],
    ['a column', [`UPDATE audit.log SET client = 'someone-else' WHERE seq = 6`], { seq: 6 }, /column client/],
    ['an instant', [`UPDATE audit.log SET at = at + interval '1 microsecond' WHERE seq = 6`], { seq: 6 }, /column at/],
    ['a column made empty', ['UPDATE audit.log SET status = NULL WHERE seq = 6'], { seq: 6 }, /column status/],
    [
      'a column made up',
      [`UPDATE audit.log SET vendor_status = 200 WHERE seq = 1`],
      { seq: 1 },
      /column vendor_status/,
    ],
    ['an id', [`UPDATE audit.log SET id = gen_random_uuid() WHERE seq = 5`], { seq: 5 }, /its id/],
    ['a leaf hash', [`UPDATE audit.log SET leaf_hash = sha256('x') WHERE seq = 899`], { seq: 899 }, /leaf hash/],
    ['a record taken out', ['DELETE FROM audit.log WHERE seq = 400'], { seq: 400 }, /missing/],
    ['the last records taken out', ['DELETE FROM audit.log WHERE seq >= 890'], { seq: 890 }, /missing/],
    ['all records taken out', ['TRUNCATE audit.log'], { seq: 0 }, /missing/],
    [
      'two records swapped',
      [
        `UPDATE audit.log SET seq = 100000 WHERE seq = 10`,
        `UPDATE audit.log SET seq = 10 WHERE seq = 11`,
        `UPDATE audit.log SET seq = 11 WHERE seq = 100000`,
        'UPDATE audit.place SET seq = log.seq FROM audit.log WHERE log.id = place.id AND log.seq IN (10, 11)',
      ],
      { seq: 10 },
      /not the one in the tree/,
    ],
    [
      'a record put in behind the others',
      [
        `INSERT INTO audit.log (seq, id, recorded_at, bytes, leaf_hash, at, kind)
         SELECT ${SIZE}, gen_random_uuid(), now(), bytes, leaf_hash, at, kind FROM audit.log WHERE seq = 1`,
      ],
      { seq: SIZE },
      /beyond the head/,
    ],
    ['a number noted for an id', ['UPDATE audit.place SET seq = 9 WHERE seq = 8'], { seq: 8 }, /another number/],
    [
      'a tile of leaves',
      [`UPDATE audit.tile SET hashes = overlay(hashes PLACING sha256('x') FROM 33) WHERE level = 0 AND idx = 2`],
      { seq: 513 },
      /not the one in the tree/,
    ],
    [
      'a tile of nodes',
      [`UPDATE audit.tile SET hashes = sha256('x') || substr(hashes, 33) WHERE level = 1`],
      { from: 0, to: 256 },
      /tile of level 1/,
    ],
    ['a tile gone', ['DELETE FROM audit.tile WHERE level = 0 AND idx = 2'], { seq: 512 }, /not the one in the tree/],
    [
      'a tile with a hash too many',
      [`UPDATE audit.tile SET hashes = hashes || sha256('x') WHERE level = 0 AND idx = 3`],
      { from: SIZE, to: SIZE },
      /tile of level 0 goes on/,
    ],
    [
      'a tile behind the others',
      [`INSERT INTO audit.tile (level, idx, hashes) VALUES (2, 0, sha256('x'))`],
      { from: SIZE, to: SIZE },
      /tile of level 2 goes on/,
    ],
    ['the root', [`UPDATE audit.head SET root = sha256('x')`], { from: 0, to: SIZE }, /root of the head/],
    ['the frontier', [`UPDATE audit.head SET frontier[3] = sha256('x')`], { from: 0, to: SIZE }, /frontier/],
  ])('%s: names the place', async (_what, statements, firstBad, reason) => {
    await expectBad(await tampered(...statements), firstBad, reason);
  });

  it('a head set back: what stands beyond it', async () => {
    const url = await tampered(
      // Everything of the head as it was at 512 records: only the records beyond it tell.
      `UPDATE audit.head SET size = 512, frontier = array_fill(''::bytea, ARRAY[9]) || NULL`,
    );
    await withClient(url, async (superuser) => {
      await superuser.query('SET session_replication_role = replica');
      const { rows } = await superuser.query<{ hash: Buffer }>('SELECT hashes AS hash FROM audit.tile WHERE level = 1');
      const { nodeHash } = await import('../tree/merkle.js');
      const hash = rows[0]?.hash ?? Buffer.alloc(0);
      const top = nodeHash(hash.subarray(0, 32), hash.subarray(32, 64));
      await superuser.query(
        `UPDATE audit.head SET root = $1, frontier = array_fill(''::bytea, ARRAY[9]) || $1::bytea`,
        [top],
      );
    });
    expect(await verifyLog(url)).toMatchObject({
      ok: false,
      size: 512,
      firstBad: { seq: 512 },
      reason: /beyond the head/,
    });
  });

  it('the head gone', async () => {
    const verdict = await verifyLog(await tampered('DELETE FROM audit.head'));
    expect(verdict).toMatchObject({ ok: false, size: 0, firstBad: { from: 0, to: 0 } });
  });

  it('a record that waits for its number', async () => {
    const url = await tampered(
      `INSERT INTO audit.intake (id, bytes, at, kind) SELECT gen_random_uuid(), bytes, at, kind FROM audit.log WHERE seq = 1`,
    );
    await expectBad(url, { from: SIZE, to: SIZE }, /waits for its number: its id/);
  });

  it('a record that waits again', async () => {
    const columns = `at, kind, call, trace, client, credential, actor, verification, subject, route, status, duration_us, outcome, rule,
      decision, vendor_operation, vendor_status, vendor_duration_us`;
    const url = await tampered(
      `INSERT INTO audit.intake (id, bytes, ${columns}) SELECT id, bytes, ${columns} FROM audit.log WHERE seq = 1`,
    );
    await expectBad(url, { from: SIZE, to: SIZE }, /has one already/);
  });
});
