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
import { Log } from '../../platform/index.js';
import type { Connection } from '../connection.js';
import { verifyLog } from '../verify/verify-log.js';
import { openCheckpoint, parseCheckpoint } from './checkpoint.js';
import { Checkpointer, ForkedLog } from './checkpointer.js';
import { KeptCheckpoint } from './kept-checkpoint.js';
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

function checkpointer(keys = [LOG_KEY], keptIn = dir): { checkpointer: Checkpointer; kept: KeptCheckpoint } {
  const { origin } = log.auditLog;
  const kept = new KeptCheckpoint(keptIn, origin);
  const signers = keys.map((key) => noteSigner(origin, key));
  return { kept, checkpointer: new Checkpointer({ store, kept, origin, signers, everyMs: 0, log: new Log('silent') }) };
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
