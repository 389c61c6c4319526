import { generateKeyPairSync, hash } from 'node:crypto';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OLD, type OldLog, type OldLogs, PARTITION, startOldLogs } from '../../../test/support/archive.js';
import { appConnection, LOG_KEY, withClient } from '../../../test/support/audit.js';
import { openCheckpoint, signCheckpoint } from '../checkpoints/checkpoint.js';
import { LogStore } from '../checkpoints/log-store.js';
import { noteSigner, noteVerifier } from '../checkpoints/note.js';
import { Receipts } from '../receipts/receipts.js';
import { verifyReceipt } from '../receipts/tlog-proof.js';
import { leafHash } from '../tree/merkle.js';
import { verifyInclusion } from '../tree/proofs.js';
import { TileTree } from '../tree/tile-tree.js';
import { ArchiveLogSource } from '../verify/archive-log-source.js';
import { verifyLog, verifySource } from '../verify/verify-log.js';
import { readArchive } from './archive-reader.js';
import type { Archivist } from './archivist.js';
import { BadArchive } from './errors.js';
import type { Manifest } from './manifest.js';

const NAME = 'log-000000000000';
const LOG_SQL = `SELECT log.*, recorded_at::text AS recorded FROM audit.log WHERE seq < ${PARTITION} ORDER BY seq`;

let logs: OldLogs;
let log: OldLog;
let receipts: Map<number, string>;

beforeAll(async () => {
  logs = await startOldLogs(async (url) => {
    receipts = await receiptsOf(url, [0, 255, 256, 511, 700]);
  });
});
afterAll(() => logs.stop());
beforeEach(async () => {
  log = await logs.another();
});

async function receiptsOf(url: string, numbers: readonly number[]): Promise<Map<number, string>> {
  const connection = appConnection(url);
  const found = await connection.rows<{ seq: string; bytes: Buffer }>({
    text: 'SELECT seq, bytes FROM audit.log WHERE seq = ANY ($1)',
    values: [numbers],
  });
  const records = found.map(({ seq, bytes }) => ({ seq: Number(seq), bytes }));
  const made = await new Receipts(new LogStore(connection)).of(records);
  await connection.close();
  return made;
}

const signer = noteSigner('gatehouse.local/log', LOG_KEY);
const { verifier } = signer;
const verifiers = [verifier];

describe('archiving', () => {
  it('takes whole old partitions off the log, in the layout of tlog-tiles, and tells it in the log', async () => {
    const before = await log.rows<{ bytes: Buffer }>(LOG_SQL);
    expect(await log.run()).toMatchObject([
      { first: 0, past: 512, dir: join(log.dir, NAME) },
      { first: 512, past: 1024 },
      { first: 1024, because: 'no checkpoint covers them all yet' },
    ]);
    expect(await log.attached()).toEqual([1024, 1536, 2048]);
    expect(await log.rows(`SELECT relname FROM pg_class WHERE relname ~ '^log_000000000(000|512)$'`)).toEqual([]);
    const archive = await readArchive(join(log.dir, NAME));
    const { checkpointSize, root, kinds } = archive.manifest;
    const files = await readdir(archive.dir, { recursive: true });
    for (const file of [
      'checkpoint',
      'checkpoints',
      'keys',
      'recorded-at',
      'tile/0/000',
      'tile/0/001',
      'tile/entries/000',
    ])
      expect(files).toContain(file);
    expect(files).toContain(`tile/1/000.p/${Math.floor(checkpointSize / 256)}`);
    expect(kinds).toMatchObject({
      'admin.act': { records: 1 },
      call: { records: 509, latest: OLD },
      'incident.act': { records: 1, earliest: OLD },
      'log.key': { records: 1 },
    });
    const entries: Buffer[] = [];
    for await (const { bytes } of archive.entries()) entries.push(bytes);
    expect(entries).toEqual(before.map(({ bytes }) => bytes));
    expect(await log.told('log.archived')).toMatchObject([
      { first: 0, past: 512, root, manifest: archive.manifestSha256 },
      { first: 512 },
    ]);
    expect(
      await log.rows(`SELECT first, past, encode(root, 'hex') AS root FROM audit.archived ORDER BY first`),
    ).toMatchObject([
      { first: '0', past: '512', root },
      { first: '512', past: '1024' },
    ]);
  });

  it('leaves every receipt good and every proof to be made, from the database and from the archive alone', async () => {
    await log.run();
    for (const [seq, receipt] of receipts) expect(verifyReceipt(receipt, [verifier.vkey])).toMatchObject({ seq });
    const archive = await readArchive(join(log.dir, 'log-000000000512'));
    const { size, root } = openCheckpoint(
      archive.checkpointNote,
      archive.manifest.origin,
      archive.keys.map(noteVerifier),
    );
    const [, second] = await log.rows<{ root: Buffer }>('SELECT root FROM audit.archived ORDER BY first');
    expect(await new TileTree(archive).root(1024)).toEqual(second?.root);
    const connection = appConnection(log.url);
    const trees = [new TileTree(new LogStore(connection)), new TileTree(archive)];
    for await (const { seq, bytes } of archive.entries()) {
      if (seq % 37 !== 0) continue;
      for (const tree of trees)
        expect(verifyInclusion(seq, size, leafHash(bytes), await tree.inclusion(seq, size), root)).toBe(true);
    }
    await connection.close();
    const sizes: number[] = [];
    for await (const note of archive.checkpoints())
      sizes.push(openCheckpoint(note, archive.manifest.origin, verifiers).size);
    expect(sizes.at(-1)).toBe(size);
    expect(sizes.every((one) => one > 512)).toBe(true);
    expect(sizes.length).toBe(
      (await log.rows('SELECT FROM audit.checkpoint WHERE size > 512 AND size <= $1', [size])).length,
    );
  });

  it('tells what it would do, and does nothing', async () => {
    const would = await log.as((archivist) => archivist.run({ dryRun: true }));
    expect(would.map(({ first, because }) => [first, because === undefined])).toEqual([
      [0, true],
      [512, true],
      [1024, false],
    ]);
    expect(await log.attached()).toEqual([0, 512, 1024, 1536, 2048]);
    expect(await readdir(log.dir)).toEqual([]);
  });

  it('takes a record that was archived for the one that it is when it is sent again', async () => {
    const [{ id, bytes } = { id: '', bytes: Buffer.alloc(0) }] = await log.rows<{ id: string; bytes: Buffer }>(LOG_SQL);
    await log.run();
    const connection = appConnection(log.url);
    const waiting = async () => (await log.rows('SELECT FROM audit.intake WHERE id = $1', [id])).length;
    const again = (given: Buffer) =>
      connection.query({ text: 'SELECT audit.append(ARRAY[$1::uuid], ARRAY[$2::bytea])', values: [id, given] });
    await again(bytes);
    expect(await waiting()).toBe(0);
    const other = Buffer.from(bytes.toString().replace('"kind":"', '"kind":"x'));
    await expect(again(other)).rejects.toThrow(/DELETE of audit.intake is refused/);
    await connection.close();
  });
});

describe('restoring', () => {
  it('brings the same records back, column by column, under the triggers of all partitions', async () => {
    const before = await log.rows(LOG_SQL);
    const { root } = await verifyLog(log.url);
    await log.run();
    await log.as((archivist) => archivist.restore(0));
    expect(await log.rows(LOG_SQL)).toEqual(before);
    expect(await log.rows('SELECT first FROM audit.away')).toEqual([{ first: '512' }]);
    expect(await log.told('log.restored')).toMatchObject([{ first: 0, past: 512 }]);
    await log.as((archivist) => archivist.restore(512));
    expect(await verifyLog(log.url)).toMatchObject({ ok: true, root });
    const triggers = await log.rows<{ name: string }>(
      `SELECT tgname AS name FROM pg_trigger WHERE tgrelid = 'audit.log_000000000000'::regclass ORDER BY 1`,
    );
    expect(triggers.map((trigger) => trigger.name)).toEqual(['no_change', 'no_truncate']);
  });

  it('lets them go again when it is told to, and not by itself', async () => {
    await log.run();
    await log.as((archivist) => archivist.restore(512));
    await log.run();
    expect(await log.attached()).toEqual([512, 1024, 1536, 2048]);
    await log.as((archivist) => archivist.release(512));
    expect(await log.attached()).toEqual([1024, 1536, 2048]);
    await expect(log.as((archivist) => archivist.release(512))).rejects.toThrow(/no attached partition/);
  });

  it('takes no record that is not the one in the tree', async () => {
    const [{ bytes } = { bytes: Buffer.alloc(0) }] = await log.rows<{ bytes: Buffer }>(LOG_SQL);
    await log.run();
    const { manifestSha256 } = await readArchive(join(log.dir, NAME));
    await log.asRole(async (query) => {
      await query('SELECT audit.begin_restore(0, $1)', [Buffer.from(manifestSha256, 'hex')]);
      const put = (seq: number, given: Buffer) =>
        query('SELECT audit.restore(0, $1, ARRAY[$2::bytea], ARRAY[now()])', [seq, given]);
      await expect(put(1, bytes)).rejects.toThrow(/record 1 is not the one in the tree/);
      await expect(put(512, bytes)).rejects.toThrow(/within/);
      await put(0, bytes);
      await expect(
        query('SELECT audit.end_restore(0, $1, gen_random_uuid(), $2)', [Buffer.from(manifestSha256, 'hex'), bytes]),
      ).rejects.toThrow(/not all records/);
    });
  });
});

describe('an archive that was changed', () => {
  const flip = async (file: string): Promise<void> => {
    const bytes = await readFile(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(file, bytes);
  };
  /** With a manifest that agrees. */
  const rehash = async (path: string): Promise<void> => {
    const file = join(log.dir, NAME, 'manifest.json');
    const manifest = JSON.parse(await readFile(file, 'utf8')) as Manifest;
    const bytes = await readFile(join(log.dir, NAME, path));
    const files = manifest.files.map((one) =>
      one.path === path ? { path, bytes: bytes.length, sha256: hash('sha256', bytes, 'hex') } : one,
    );
    await writeFile(file, JSON.stringify({ ...manifest, files }));
  };
  const changes: [what: string, change: () => Promise<void>, reason: RegExp][] = [
    [
      'an entry',
      () => flip(join(log.dir, NAME, 'tile/entries/001')),
      /tile\/entries\/001 is not the file of the manifest/,
    ],
    [
      'an entry and the manifest',
      async () => {
        const file = join(log.dir, NAME, 'tile/entries/001');
        const text = (await readFile(file, 'latin1')).replace('"outcome":"allow"', '"outcome":"alloW"');
        await writeFile(file, text, 'latin1');
        await rehash('tile/entries/001');
      },
      /record 256 is not the one in the tree/,
    ],
    [
      'a tile and the manifest',
      async () => {
        await flip(join(log.dir, NAME, 'tile/0/001'));
        await rehash('tile/0/001');
      },
      /tile 0\/1 is not the one of the log/,
    ],
    ['a file gone', () => rm(join(log.dir, NAME, 'tile/0/000')), /tile\/0\/000 is missing/],
    ['a file more', () => writeFile(join(log.dir, NAME, 'tile/0/002'), 'x'), /tile\/0\/002 is not in its manifest/],
    ['an instant', () => flip(join(log.dir, NAME, 'recorded-at')), /recorded-at is not the file/],
    [
      'the checkpoints',
      () => appendFile(join(log.dir, NAME, 'checkpoints'), 'x'),
      /checkpoints is not the file|end half-way/,
    ],
    [
      'the signature',
      async () => {
        const file = join(log.dir, NAME, 'checkpoint');
        const note = await readFile(file, 'utf8');
        await writeFile(
          file,
          note.replace(/(.)(=*\n)$/, (_, last: string, end: string) => `${last === 'A' ? 'Q' : 'A'}${end}`),
        );
        await rehash('checkpoint');
      },
      /signature|signed/,
    ],
    [
      'the counts',
      async () => {
        const file = join(log.dir, NAME, 'manifest.json');
        await writeFile(file, (await readFile(file, 'utf8')).replace('"records": 509', '"records": 508'));
      },
      /counts other records/,
    ],
  ];

  /** Each change on a copy: what is refused changes nothing. */
  const refused = async (work: (archivist: Archivist) => Promise<unknown>, recorded = /^$/): Promise<void> => {
    const good = log.dir;
    for (const [what, change, reason] of changes) {
      log.dir = await mkdtemp(`${good}-`);
      await cp(good, log.dir, { recursive: true });
      await change();
      const refusal = await log.as(work).catch((error: unknown) => error);
      expect(refusal, what).toBeInstanceOf(BadArchive);
      expect(
        [reason, recorded].some((one) => one.test(String(refusal))),
        `${what}: ${String(refusal)}`,
      ).toBe(true);
      await rm(log.dir, { recursive: true });
    }
    log.dir = good;
  };

  it('keeps its records in the log', async () => {
    await log.stopAt('verifying', 1);
    await refused((archivist) => archivist.run());
    expect(await log.attached()).toEqual([0, 512, 1024, 1536, 2048]);
    expect(await log.rows('SELECT FROM audit.archived')).toEqual([]);
  });

  it('brings no records back, be it changed after it was recorded or put in the place of the one that was', async () => {
    await log.run();
    await refused((archivist) => archivist.restore(0), /manifest is not the one that was recorded/);
    await rm(join(log.dir, NAME), { recursive: true });
    await cp(join(log.dir, 'log-000000000512'), join(log.dir, NAME), { recursive: true });
    await expect(log.as((archivist) => archivist.restore(0))).rejects.toThrow(BadArchive);
    expect(await log.attached()).toEqual([1024, 1536, 2048]);
  });
});

describe('verifying what was archived', () => {
  const keys = [verifier.vkey];
  const verifyArchive = async (dir: string) => {
    const source = new ArchiveLogSource(await readArchive(dir));
    return verifySource(source, { keys, from: source.span.first, to: source.span.past });
  };

  it('holds the database to the hashes of the records that are away, and the archive to its checkpoints', async () => {
    await log.run();
    expect(await verifyLog(log.url, { keys })).toMatchObject({ ok: true, archived: 1_024 });
    for (const name of await readdir(log.dir)) {
      const verdict = await verifyArchive(join(log.dir, name));
      expect(verdict).toMatchObject({ ok: true, firstBad: null });
      expect(verdict.checkpoints).toBeGreaterThan(0);
    }
    const other = {
      keys: [noteSigner('gatehouse.local/log', generateKeyPairSync('ed25519').privateKey).verifier.vkey],
    };
    const source = new ArchiveLogSource(await readArchive(join(log.dir, NAME)));
    expect(await verifySource(source, { ...other, from: 0, to: 512 })).toMatchObject({ ok: false });
  });

  it('compares a checkpoint from elsewhere where the archive reaches, and says where it does not', async () => {
    await log.run();
    const reader = await readArchive(join(log.dir, 'log-000000000512'));
    const past = new TileTree(reader);
    for (const size of [513, 700, 1_024]) {
      const { note } = signCheckpoint('gatehouse.local/log', size, await past.root(size), [signer]);
      expect(new ArchiveLogSource(reader).incomparable(size)).toBeUndefined();
      const options = { keys, from: 512, to: 1_024, trustedCheckpoint: note };
      expect(await verifySource(new ArchiveLogSource(reader), options)).toMatchObject({ ok: true });
    }
    const own = reader.manifest.checkpointSize;
    expect(new ArchiveLogSource(reader).incomparable(own)).toBeUndefined();
    expect(new ArchiveLogSource(reader).incomparable(own + 1)).toMatch(/^is newer than the archive/);
    expect(new ArchiveLogSource(reader).incomparable(12)).toMatch(/^is of another part of the log/);
  });

  it('finds a partition that left without a record', async () => {
    await withClient(log.url, async (superuser) => {
      await superuser.query('SET session_replication_role = replica');
      await superuser.query('ALTER TABLE audit.log DETACH PARTITION audit.log_000000000000');
    });
    expect(await verifyLog(log.url, { keys })).toMatchObject({ ok: false, firstBad: { seq: 0 } });
    await withClient(log.url, async (superuser) => {
      await superuser.query('SET session_replication_role = replica');
      await superuser.query(
        `INSERT INTO audit.archived (first, past, root, manifest_sha256, keep) VALUES (0, 512, sha256('x'), sha256('x'), '{}')`,
      );
    });
    expect(await verifyLog(log.url, { keys })).toMatchObject({ ok: false, firstBad: { from: 0, to: 512 } });
  });

  it('finds another root or manifest noted of an archive, be its records away or restored', async () => {
    await log.run();
    const noted = async (column: string): Promise<object> => {
      await withClient(log.url, async (superuser) => {
        await superuser.query('SET session_replication_role = replica');
        await superuser.query(`UPDATE audit.archived SET ${column} = sha256('x') WHERE first = 512`);
      });
      const verdict = await verifyLog(log.url, { keys });
      await withClient(log.url, async (superuser) => {
        await superuser.query('SET session_replication_role = replica');
        await superuser.query(`UPDATE audit.archived SET ${column} = $1 WHERE first = 512`, [good[column]]);
      });
      return verdict;
    };
    const [good = {}] = await log.rows<Record<string, Buffer>>(
      'SELECT root, manifest_sha256 FROM audit.archived WHERE first = 512',
    );
    const where = { ok: false, firstBad: { from: 512, to: 1_024 } };
    for (const column of ['root', 'manifest_sha256']) expect(await noted(column)).toMatchObject(where);
    await log.as((archivist) => archivist.restore(512));
    expect(await verifyLog(log.url, { keys })).toMatchObject({ ok: true, archived: 512 });
    for (const column of ['root', 'manifest_sha256']) expect(await noted(column)).toMatchObject(where);
  });

  it('finds a changed entry of an archive, even with its manifest mended', async () => {
    await log.run();
    const dir = join(log.dir, NAME);
    const path = 'tile/entries/001';
    const bundle = await readFile(join(dir, path));
    bundle[40] = (bundle[40] ?? 0) ^ 1;
    await writeFile(join(dir, path), bundle);
    expect(await verifyArchive(dir)).toMatchObject({ ok: false, firstBad: { from: 0, to: 512 } });
    const manifest = JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')) as Manifest;
    const file = manifest.files.find((one) => one.path === path);
    if (file) file.sha256 = hash('sha256', bundle, 'hex');
    await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest));
    expect(await verifyArchive(dir)).toMatchObject({ ok: false, firstBad: { seq: 256 } });
  });
});
