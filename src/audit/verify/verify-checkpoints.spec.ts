import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  appConnection,
  aRecord,
  copyDatabase,
  LOG_KEY,
  openTestLog,
  sequenceAll,
  type TestLog,
  withClient,
} from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { beginOrigin } from '../checkpoints/new-origin.js';
import { signCheckpoint } from '../checkpoints/checkpoint.js';
import { noteSigner, vkeyOf } from '../checkpoints/note.js';
import { SystemClock } from '../../platform/index.js';
import { EMPTY_ROOT } from '../tree/merkle.js';
import type { LogSource } from './source.js';
import { verifyLog, type VerifyOptions, verifySource } from './verify-log.js';
import type { Verdict } from './verdict.js';

const ORIGIN = 'gatehouse.local/log';
const KEY = vkeyOf(ORIGIN, LOG_KEY);
/** Records between checkpoints; with those that tell keys and checkpoints they make a few more. */
const STEPS = [10, 300, 5, 1];

let database: TestDatabase;
let name: string;
let copies = 0;
let sizes: number[];
let notes: string[];

async function grow(log: TestLog, steps: readonly number[]): Promise<void> {
  for (const records of steps) {
    await Promise.all(Array.from({ length: records }, () => log.auditLog.append(aRecord())));
    await withClient(database.superuserUrl, (client) => client.query('SELECT audit.sequence()'));
    await log.signing?.checkpointer.round();
    await withClient(database.superuserUrl, async (client) => {
      // The next round must not take this one for another instance's of the same moment.
      await client.query('SET session_replication_role = replica');
      await client.query(`UPDATE audit.checkpoint SET signed_at = signed_at - interval '1 minute'`);
    });
  }
}

beforeAll(async () => {
  database = await startTestDatabase();
  const first = await openTestLog(database.superuserUrl, 'one', true);
  await grow(first, STEPS);
  await first.stop();
  // A second run tells the checkpoints of the first.
  const second = await openTestLog(database.superuserUrl, 'two', true);
  await grow(second, [2, 3]);
  await second.stop();
  await database.database.close();
  name = new URL(database.superuserUrl).pathname.slice(1);
  const { rows } = await withClient(database.superuserUrl, (client) =>
    client.query<{ size: string; note: string }>('SELECT size, note FROM audit.checkpoint ORDER BY size'),
  );
  sizes = rows.map(({ size }) => Number(size));
  notes = rows.map(({ note }) => note);
});
afterAll(() => database.stop());

async function tampered(...statements: string[]): Promise<string> {
  copies += 1;
  const url = await copyDatabase(database.superuserUrl, name, `tampered_${copies}_${process.pid}`);
  await withClient(url, async (superuser) => {
    await superuser.query('SET session_replication_role = replica');
    for (const statement of statements) await superuser.query(statement);
  });
  return url;
}

async function found(statements: string[], options: VerifyOptions = { keys: [KEY] }): Promise<Verdict> {
  const verdict = await verifyLog(await tampered(...statements), options);
  expect(verdict.ok).toBe(false);
  return verdict;
}

const between = (n: number) => ({ from: sizes[n - 1] ?? 0, to: sizes[n] });
const at = (n: number): string => `WHERE size = ${sizes[n]}`;

describe('the checkpoints of an untouched log', () => {
  it('all hold, by the key that is believed or by those that the log tells', async () => {
    for (const options of [{}, { keys: [KEY] }, { keys: [KEY], trustedCheckpoint: notes[1] ?? '' }])
      expect(await verifyLog(database.superuserUrl, options)).toMatchObject({ ok: true, checkpoints: sizes.length });
    expect(sizes.length).toBeGreaterThanOrEqual(6);
  });

  it('hold for a part, too', async () => {
    const part = { from: 100, to: 280, keys: [KEY], trustedCheckpoint: notes[2] ?? '' };
    expect(await verifyLog(database.superuserUrl, part)).toMatchObject({ ok: true });
  });

  it('are not those of another key', async () => {
    const other = vkeyOf(ORIGIN, generateKeyPairSync('ed25519').privateKey);
    const verdict = await verifyLog(database.superuserUrl, { keys: [other] });
    expect(verdict).toMatchObject({ ok: false, firstBad: between(sizes.length - 1) });
    await expect(
      verifyLog(database.superuserUrl, { keys: [other], trustedCheckpoint: notes[1] ?? '' }),
    ).rejects.toThrow(TypeError);
    await expect(verifyLog(database.superuserUrl, { trustedCheckpoint: 'x' })).rejects.toThrow(TypeError);
  });
});

describe('found is', () => {
  it('a checkpoint taken out, in the middle or at the end', async () => {
    expect(await found([`DELETE FROM audit.checkpoint ${at(2)}`])).toMatchObject({ reason: 'a checkpoint is missing' });
    const told = await found([`DELETE FROM audit.checkpoint WHERE size >= ${sizes[2]}`]);
    expect(told.reason).toMatch(/not those that a record tells/);
  });

  it('all of them taken out', async () => {
    expect((await found(['TRUNCATE audit.checkpoint CASCADE'])).reason).toMatch(/not those that a record tells/);
  });

  it('one taken out with the chain mended behind it', async () => {
    const { reason } = await found([
      `DELETE FROM audit.checkpoint ${at(1)}`,
      `DO $$ DECLARE c record; h bytea := ''; i bigint := 0; BEGIN
         ALTER TABLE audit.checkpoint DROP CONSTRAINT checkpoint_n_check;
         FOR c IN SELECT size, note FROM audit.checkpoint ORDER BY size LOOP
           i := i + 1; h := sha256(h || convert_to(c.note, 'UTF8'));
           UPDATE audit.checkpoint SET n = i, chain = h WHERE size = c.size;
         END LOOP; END $$`,
    ]);
    expect(reason).toMatch(/not those that a record tells/);
  });

  it('an edited note, root or signature', async () => {
    expect(await found([`UPDATE audit.checkpoint SET root = sha256('x') ${at(1)}`])).toMatchObject({
      firstBad: between(1),
    });
    expect(await found([`UPDATE audit.checkpoint SET note = replace(note, '— ', '— x') ${at(1)}`])).toMatchObject({
      firstBad: between(1),
    });
    const forged = signCheckpoint(ORIGIN, sizes[1] ?? 0, Buffer.alloc(32, 1), [noteSigner(ORIGIN, LOG_KEY)]);
    expect(
      await found([
        `UPDATE audit.checkpoint SET note = '${forged.note}', root = '\\x${forged.root.toString('hex')}' ${at(1)}`,
      ]),
    ).toMatchObject({ firstBad: between(1), reason: 'they do not give the root of their checkpoint' });
  });

  it('a checkpoint signed by a key that nobody told', async () => {
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const last = sizes.length - 1;
    const { rows } = await withClient(database.superuserUrl, (client) =>
      client.query<{ root: Buffer }>(`SELECT root FROM audit.checkpoint ${at(last)}`),
    );
    const { note } = signCheckpoint(ORIGIN, sizes[last] ?? 0, rows[0]?.root ?? Buffer.alloc(0), [
      noteSigner(ORIGIN, stranger),
    ]);
    const rewrite = [
      `UPDATE audit.checkpoint SET note = '${note}' ${at(last)}`,
      `UPDATE audit.checkpoint SET chain = sha256((SELECT chain FROM audit.checkpoint p WHERE p.n = checkpoint.n - 1) || convert_to(note, 'UTF8')) ${at(last)}`,
      `INSERT INTO audit.log_key (vkey) VALUES ('${vkeyOf(ORIGIN, stranger)}')`,
    ];
    expect((await found(rewrite, {})).reason).toMatch(/no record tells/);
    expect((await found(rewrite)).reason).toMatch(/no record tells|none of the given keys/);
  });

  it('a log that nobody signed, by whoever believes a key', async () => {
    const unsigned = await startTestDatabase();
    const log = await openTestLog(unsigned.superuserUrl, 'unsigned');
    const connection = appConnection(unsigned.superuserUrl);
    await log.auditLog.append(aRecord());
    await sequenceAll(connection);
    await connection.close();
    await log.stop();
    expect(await verifyLog(unsigned.superuserUrl)).toMatchObject({ ok: true, size: 1, checkpoints: 0 });
    for (const part of [{}, { from: 0, to: 1 }])
      expect(await verifyLog(unsigned.superuserUrl, { ...part, keys: [KEY] })).toMatchObject({
        ok: false,
        firstBad: { from: 0, to: 1 },
        reason: 'no checkpoint covers any of them',
      });
    await unsigned.stop();
  });

  it('an empty log that another key signed', async () => {
    const other = noteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
    const { note, root } = signCheckpoint(ORIGIN, 0, EMPTY_ROOT, [other]);
    const last = { size: 0, root: root.toString('hex'), note, chained: undefined };
    const nothing: LogSource = {
      open: () =>
        Promise.resolve({
          origin: ORIGIN,
          size: 0,
          root: last.root,
          frontier: undefined,
          away: [],
          archived: [],
          names: undefined,
        }),
      entries: () => Promise.resolve([]),
      tiles: () => Promise.resolve(new Map()),
      checkpoints: () => Promise.resolve([]),
      lastCheckpoint: () => Promise.resolve(last),
      anchors: () => Promise.resolve([]),
      keys: () => Promise.resolve([other.verifier.vkey]),
      end: () => Promise.resolve(undefined),
      waiting: () => Promise.resolve({ entries: [], next: undefined }),
      places: () => Promise.resolve(undefined),
      strayPlace: () => Promise.resolve(undefined),
      close: () => Promise.resolve(),
    };
    expect(await verifySource(nothing)).toMatchObject({ ok: true, size: 0 });
    expect(await verifySource(nothing, { keys: [KEY] })).toMatchObject({ ok: false, reason: /none of the given keys/ });
  });

  it('a further id for a number, or an id for a number that no record has', async () => {
    expect(await found([`INSERT INTO audit.place VALUES (gen_random_uuid(), 5)`])).toMatchObject({
      firstBad: { seq: 5 },
      reason: 'another id is noted for its number, too',
    });
    const nil = '00000000-0000-0000-0000-000000000000';
    expect(await found([`INSERT INTO audit.place VALUES ('${nil}', 9)`])).toMatchObject({ firstBad: { seq: 9 } });
    expect(await found([`INSERT INTO audit.place VALUES (gen_random_uuid(), 99999)`])).toMatchObject({
      firstBad: { seq: 99_999 },
      reason: 'an id is noted for a number that no record has',
    });
    expect(await found([`DELETE FROM audit.place WHERE seq = 3`])).toMatchObject({ firstBad: { seq: 3 } });
  });

  it('names of the log that no record bears', async () => {
    expect(await found([`INSERT INTO audit.origin (first, name) VALUES (7, 'other.example/log')`])).toMatchObject({
      firstBad: { seq: 7 },
      reason: 'the name that is noted from it on is not the one that it begins',
    });
    for (const statement of [`UPDATE audit.origin SET name = 'other.example/log'`, 'DELETE FROM audit.origin'])
      expect(await found([statement])).toMatchObject({ firstBad: { seq: 0 } });
    const beyond = `INSERT INTO audit.origin (first, name) VALUES (99999, 'other.example/log')`;
    expect((await found([beyond])).reason).toMatch(/not that of the head/);
  });

  it('a head without its name', async () => {
    expect((await found([`UPDATE audit.head SET origin = NULL`])).reason).toBe('its name is gone');
  });

  it('a rolled-back tail, by a checkpoint from elsewhere', async () => {
    const kept = notes.at(-1) ?? '';
    // A copy of the log as it was, such as an old backup, has nothing wrong in itself.
    const old = await startTestDatabase();
    const log = await openTestLog(old.superuserUrl, 'old', true);
    await log.stop();
    expect(await verifyLog(old.superuserUrl, { keys: [KEY] })).toMatchObject({ ok: true });
    const verdict = await verifyLog(old.superuserUrl, { keys: [KEY], trustedCheckpoint: kept });
    expect(verdict).toMatchObject({ ok: false, firstBad: { from: verdict.size, to: sizes.at(-1) } });
    await old.stop();
  });

  it('another log of the same length, by a checkpoint from elsewhere', async () => {
    const forged = signCheckpoint(ORIGIN, sizes[0] ?? 0, Buffer.alloc(32, 7), [noteSigner(ORIGIN, LOG_KEY)]);
    const options = { keys: [KEY], trustedCheckpoint: forged.note };
    const verdict = await verifyLog(database.superuserUrl, options);
    expect(verdict).toMatchObject({ ok: false, firstBad: { from: 0, to: sizes[0] } });
    expect(await verifyLog(database.superuserUrl, { ...options, from: 20, to: 40 })).toMatchObject({ ok: false });
  });

  it('a leaf and its tile rewritten in a part', async () => {
    const statement = `UPDATE audit.tile SET hashes = overlay(hashes placing sha256('other') from ${7 * 32 + 1}) WHERE level = 0 AND idx = 0`;
    expect(await found([statement], { from: 0, to: 5 })).toMatchObject({ ok: false });
    expect(await found([`DELETE FROM audit.tile WHERE level = 1`], { from: 260, to: 270 })).toMatchObject({
      ok: false,
    });
  });
});

describe('after a restore', () => {
  it('the log begins under a new name, whose first record names the old one', async () => {
    const url = await tampered();
    const running = await openTestLog(url, 'running', true);
    // What it still wrote under the old name could never be verified.
    await expect(beginOrigin(url, 'gatehouse.local/log-2', 'too soon', new SystemClock())).rejects.toThrow(
      'still runs',
    );
    await running.stop();
    expect(await verifyLog(url)).toMatchObject({ ok: true, origin: ORIGIN });
    const began = await beginOrigin(
      url,
      'gatehouse.local/log-2',
      'restored from the backup of monday',
      new SystemClock(),
    );
    expect(began.previous).toBe(ORIGIN);
    const verdict = await verifyLog(url);
    expect(verdict).toMatchObject({ ok: true, origin: 'gatehouse.local/log-2', size: began.first + 1 });
    await expect(beginOrigin(url, ORIGIN, 'back again', new SystemClock())).rejects.toThrow(TypeError);
    // What was proven under the old name is still held to.
    expect(await verifyLog(url, { trustedCheckpoint: notes[3] ?? '' })).toMatchObject({ ok: true });
    await withClient(url, async (superuser) => {
      await superuser.query('SET session_replication_role = replica');
      await superuser.query(`UPDATE audit.head SET origin = '${ORIGIN}'`);
    });
    expect(await verifyLog(url)).toMatchObject({ ok: false });
  });
});
