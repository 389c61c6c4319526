import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  appConnection,
  aRecord,
  LOG_KEY,
  openTestLog,
  sequenceAll,
  type TestLog,
  withClient,
} from '../../../test/support/audit.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import { APP_ROLE, Log } from '../../platform/index.js';
import type { Connection } from '../connection.js';
import { verifyLog } from '../verify/verify-log.js';
import { openCheckpoint, parseCheckpoint } from './checkpoint.js';
import { Checkpointer, ForkedLog, type RefusedNote } from './checkpointer.js';
import { KeptCheckpoint, keptLink } from './kept-checkpoint.js';
import { LogStore } from './log-store.js';
import { noteSigner } from './note.js';

let database: TestDatabase;
let connection: Connection;
let log: TestLog;
let store: LogStore;
let folder: string;
let dir: string;
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-kept-'));
  database = await startTestDatabase();
  connection = appConnection(database.superuserUrl);
  log = await openTestLog(database.superuserUrl);
  store = new LogStore(connection);
});
beforeEach(() => {
  runs += 1;
  dir = join(folder, String(runs));
});
afterAll(async () => {
  await connection.close();
  await log.stop();
  await database.stop();
  await rm(folder, { recursive: true, force: true });
});

const refuse = ({ n, size, note }: RefusedNote): Promise<void> =>
  log.auditLog.append(aRecord({ kind: 'log.checkpoint-refused', detail: { n, size, note } }));

function checkpointer(keys = [LOG_KEY], keptIn = dir): { checkpointer: Checkpointer; kept: KeptCheckpoint } {
  const { origin } = log.auditLog;
  const kept = new KeptCheckpoint(keptIn, origin);
  const signers = keys.map((key) => noteSigner(origin, key));
  return {
    kept,
    checkpointer: new Checkpointer({ store, kept, origin, signers, everyMs: 0, log: new Log('silent'), refuse }),
  };
}

async function grow(records: number): Promise<number> {
  await Promise.all(Array.from({ length: records }, () => log.auditLog.append(aRecord())));
  return sequenceAll(connection);
}

async function asSuperuser(...statements: string[]): Promise<void> {
  await withClient(database.superuserUrl, async (client) => {
    await client.query('SET session_replication_role = replica');
    for (const statement of statements) await client.query(statement);
  });
}

describe('a checkpoint', () => {
  it('is signed as the log grows, published, and kept beside the database', async () => {
    const { checkpointer: signing, kept } = checkpointer();
    await signing.open([]);
    const size = await grow(300);
    await signing.round();
    const tip = await store.tip();
    expect(tip?.checkpoint?.size).toBe(size);
    const { verifier } = noteSigner(log.auditLog.origin, LOG_KEY);
    const published = openCheckpoint(tip?.checkpoint?.note ?? '', log.auditLog.origin, [verifier]);
    expect(published.root).toEqual(tip?.root);
    expect(await readFile(kept.path, 'utf8')).toBe(published.note);
  });

  it('is not signed again while nothing has come', async () => {
    const { checkpointer: signing } = checkpointer();
    await signing.open([]);
    const before = await store.chain();
    await signing.round();
    await signing.round();
    expect(await store.chain()).toEqual(before);
  });

  it('of another instance becomes one’s own', async () => {
    const [one, other] = [checkpointer(), checkpointer([LOG_KEY], join(dir, 'other'))];
    await one.checkpointer.open([]);
    await other.checkpointer.open([]);
    const size = await grow(1);
    await one.checkpointer.round();
    await other.checkpointer.round();
    expect(other.checkpointer.last?.size).toBe(size);
    expect(await readFile(other.kept.path, 'utf8')).toBe(await readFile(one.kept.path, 'utf8'));
  });

  it('that was signed and not published before a crash is published by the next run', async () => {
    const { checkpointer: signing, kept } = checkpointer();
    await signing.open([]);
    await grow(1);
    const keep = store.keep.bind(store);
    store.keep = () => Promise.reject(new Error('the connection is gone'));
    await signing.round();
    store.keep = keep;
    const restarted = checkpointer().checkpointer;
    await restarted.open([]);
    expect((await store.tip())?.checkpoint?.size).toBeLessThan(kept.last?.size ?? 0);
    await restarted.round();
    expect((await store.tip())?.checkpoint?.size).toBe(kept.last?.size);
  });

  it('bears both signatures while the key is rotated', async () => {
    const next = generateKeyPairSync('ed25519').privateKey;
    const { checkpointer: signing } = checkpointer([next, LOG_KEY]);
    await signing.open([]);
    await grow(1);
    await signing.round();
    const note = (await store.tip())?.checkpoint?.note ?? '';
    for (const key of [next, LOG_KEY])
      expect(openCheckpoint(note, log.auditLog.origin, [noteSigner(log.auditLog.origin, key).verifier]).note).toBe(
        note,
      );
    expect(parseCheckpoint(note).parsed.signatures).toHaveLength(2);
  });

  it('is taken from nobody whose key is unknown', async () => {
    const { checkpointer: stranger } = checkpointer([generateKeyPairSync('ed25519').privateKey], join(dir, 'stranger'));
    await stranger.open([]);
    await grow(1);
    await stranger.round();
    const { checkpointer: signing, kept } = checkpointer();
    await signing.open([]);
    await signing.round();
    expect(kept.last).toBeUndefined();
    const size = await grow(1);
    await signing.round();
    expect(signing.last?.size).toBe(size);
  });

  it('whose signature is not good is refused, told in the log, and followed by a good one; no reader is given it', async () => {
    const { origin } = log.auditLog;
    const { verifier } = noteSigner(origin, LOG_KEY);
    const { checkpointer: signing } = checkpointer();
    await signing.open([]);
    await grow(1);
    await signing.round();
    const before = await store.published();
    const size = await grow(1);
    const root = (await store.tip())?.root ?? Buffer.alloc(0);
    const lines = (bytes: number): string =>
      `${origin}\n${size}\n${root.toString('base64')}\n\n— ${origin} ${Buffer.concat([Buffer.from(verifier.keyId, 'hex'), Buffer.alloc(bytes)]).toString('base64')}\n`;
    const readers = new LogStore(connection, [verifier]);
    // As whoever has the login of the gateway can.
    expect(await store.keep({ origin, size, root, note: lines(64) })).toBe(true);
    expect((await store.tip())?.checkpoint?.size).toBe(size);
    expect((await readers.published())?.note).toBe(before?.note);
    expect((await verifyLog(database.superuserUrl, { keys: [verifier.vkey] })).reason).toMatch(/no good signature/);
    await signing.round();
    await signing.round();
    expect(signing.refused).toEqual({ now: true, count: 1 });
    const after = await sequenceAll(connection);
    expect(after).toBe(size + 1);
    await signing.round();
    await signing.round();
    expect(signing.refused).toEqual({ now: false, count: 1 });
    expect((await readers.published())?.size).toBe(after);
    expect(await verifyLog(database.superuserUrl, { keys: [verifier.vkey] })).toMatchObject({ ok: true, size: after });
    expect(await verifyLog(database.superuserUrl, { keys: [verifier.vkey], from: 0, to: 10 })).toMatchObject({
      ok: true,
    });
  });

  it('is kept whatever locks a login holds', async () => {
    const { checkpointer: signing } = checkpointer();
    await signing.open([]);
    await withClient(database.superuserUrl, async (client) => {
      await client.query(`SET ROLE ${APP_ROLE}`);
      await client.query(`SELECT pg_advisory_lock(hashtextextended('audit.keep_checkpoint', 0))`);
      const size = await grow(1);
      await signing.round();
      expect((await store.tip())?.checkpoint?.size).toBe(size);
      await expect(client.query('SELECT FROM audit.origin FOR UPDATE')).rejects.toThrow(/permission denied/);
    });
  });

  it('that was published and taken out is missed, be it the newest: at once, by the next run and by verify', async () => {
    const keys = [noteSigner(log.auditLog.origin, LOG_KEY).verifier.vkey];
    const { checkpointer: signing, kept } = checkpointer();
    await signing.open([]);
    const sizes: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      sizes.push(await grow(1));
      await signing.round();
    }
    await signing.round();
    const link = keptLink(dir, log.auditLog.origin);
    expect(link).toMatchObject({ size: sizes[3] });
    expect(await verifyLog(database.superuserUrl, { keys, keptLink: link })).toMatchObject({ ok: true });
    await asSuperuser(`DELETE FROM audit.checkpoint WHERE size > ${sizes[1] ?? 0}`);
    expect(signing.missing).toBe(false);
    await signing.round();
    expect(signing.missing).toBe(true);
    // Grown and signed on as if nothing had been there.
    for (let n = 0; n < 3; n += 1) {
      await grow(1);
      await signing.round();
    }
    expect(await verifyLog(database.superuserUrl, { keys })).toMatchObject({ ok: true });
    expect(await verifyLog(database.superuserUrl, { keys, keptLink: link })).toMatchObject({
      ok: false,
      firstBad: { from: 0, to: sizes[3] },
      reason: 'their checkpoints are not those that were seen before',
    });
    const restarted = checkpointer().checkpointer;
    await restarted.open([]);
    await restarted.round();
    expect(restarted.missing).toBe(true);
    // Once a person has looked into it.
    await rm(kept.chainPath);
    const accepted = checkpointer().checkpointer;
    await accepted.open([]);
    await accepted.round();
    expect(accepted.missing).toBe(false);
  });

  it('is refused by the database beyond the head, and of another root', async () => {
    const tip = await store.tip();
    const size = tip?.size ?? 0;
    const note = 'x';
    await expect(store.keep({ origin: 'x', size: size + 1, root: Buffer.alloc(32), note })).rejects.toThrow(/beyond/);
    await expect(store.keep({ origin: 'x', size, root: Buffer.alloc(32), note })).rejects.toThrow(/beyond/);
  });
});

describe('nothing is signed', () => {
  it('at the start, when the file beside the database is none of ours', async () => {
    const { checkpointer: signing, kept } = checkpointer();
    await signing.open([]);
    await grow(1);
    await signing.round();
    await writeFile(kept.path, 'something else');
    await expect(checkpointer().checkpointer.open([])).rejects.toThrow(ForkedLog);
  });

  it('that does not extend what was signed: the log was rolled back, then rewritten', async () => {
    const { checkpointer: signing } = checkpointer();
    await signing.open([]);
    const before = await grow(1);
    await grow(5);
    await signing.round();
    const forked: string[] = [];
    signing.onForked = (reason) => forked.push(reason);
    const { rows } = await withClient(database.superuserUrl, (client) =>
      client.query<{ size: string; root: Buffer }>('SELECT size, root FROM audit.head'),
    );
    await asSuperuser(`UPDATE audit.head SET size = ${before}`, `DELETE FROM audit.checkpoint WHERE size > ${before}`);
    await signing.round();
    expect(forked).toEqual(['the log is shorter than it was when it was signed']);
    await expect(checkpointer().checkpointer.open([])).rejects.toThrow(ForkedLog);
    await signing.round();
    expect(forked).toHaveLength(1);
    await asSuperuser(`UPDATE audit.head SET size = ${rows[0]?.size ?? 0}`);
    // As long as before, with another record in its place.
    await asSuperuser(
      `UPDATE audit.tile SET hashes = overlay(hashes placing sha256('other') from ${(before % 256) * 32 + 1}) WHERE level = 0 AND idx = ${before >> 8}`,
    );
    await expect(checkpointer().checkpointer.open([])).rejects.toThrow(/do not give|not extend/);
    expect((await verifyLog(database.superuserUrl)).ok).toBe(false);
  });
});
