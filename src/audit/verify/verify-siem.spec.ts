import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aRecord, LOG_KEY } from '../../../test/support/audit.js';
import { signCheckpoint } from '../checkpoints/checkpoint.js';
import { noteSigner } from '../checkpoints/note.js';
import { recordBytes } from '../record.js';
import { type Format, recordLine, statementLine } from '../siem/lines.js';
import { leafHash, rootOf } from '../tree/merkle.js';
import { proveRange } from '../tree/range-proof.js';
import { TileTree } from '../tree/tile-tree.js';
import { describeSiemVerdict, type SiemVerdict, verifySiem } from './verify-siem.js';

const ORIGIN = 'gatehouse.local/log';
const SIGNER = noteSigner(ORIGIN, LOG_KEY);
const KEYS = [SIGNER.verifier];
const SIZE = 40;
const FOREIGN = ['', 'not ours', '{"a":1}', '{broken', 'CEF:0|Other|Product|1|2|3|4|cs1=x', '<13>1 - - - - - - hello'];

let dir: string;
let files = 0;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gatehouse-siem-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** The log had another name once, before a restore. */
const records = Array.from({ length: SIZE }, (_, n) => {
  const record = aRecord({ detail: { text: 'é=|\\ \u2028 🦊' } });
  return {
    id: record.id,
    bytes: recordBytes(record, { origin: n < 3 ? 'before.local/log' : ORIGIN, instance: 'spec' }),
  };
});
const leaves = records.map(({ bytes }) => leafHash(bytes));

/** One tile holds it all. */
const treeOf = (all: readonly Buffer[]): TileTree =>
  new TileTree({ tiles: () => Promise.resolve(new Map([['0/0', Buffer.concat(all)]])) });

async function batch(
  first: number,
  past: number,
  size: number,
  format: Format = 'ocsf',
  all = leaves,
): Promise<string[]> {
  const { note } = signCheckpoint(ORIGIN, size, rootOf(all.slice(0, size)), [SIGNER]);
  const statement = { first, past, checkpoint: note, ...(await proveRange(treeOf(all), first, past, size)) };
  return [
    ...records.slice(first, past).map((record, n) => recordLine(format, { ...record, seq: first + n }, ORIGIN).text),
    statementLine(format, statement, ORIGIN, new Date(0)).text,
  ];
}

/** All of it, in four batches under two checkpoints. */
const whole = async (format: Format = 'ocsf'): Promise<string[][]> => [
  await batch(0, 10, 23, format),
  await batch(10, 20, 23, format),
  await batch(20, 23, 23, format),
  await batch(23, SIZE, SIZE, format),
];

async function verify(...exports: string[][]): Promise<SiemVerdict> {
  const paths = await Promise.all(
    exports.map(async (lines) => {
      const path = join(dir, `export-${(files += 1)}.log`);
      await writeFile(path, lines.join('\n'));
      return path;
    }),
  );
  return verifySiem(paths, KEYS);
}

const GOOD = { ok: true, first: 0, past: SIZE, records: SIZE, batches: 4, firstBad: null, reason: null };

describe('an export', () => {
  it.each(['ocsf', 'cef'] as const)('of %s that is whole is proven', async (format) => {
    const verdict = await verify((await whole(format)).flat());
    expect(verdict).toMatchObject({ ...GOOD, doubles: 0, ignored: 0, origin: ORIGIN });
    expect(verdict.checkpoint).toEqual({ size: SIZE, root: rootOf(leaves).toString('hex') });
    expect(describeSiemVerdict(verdict)).toBe(
      `verified 40 records, 0 to 39 without a gap, root ${rootOf(leaves).toString('hex')} of 40`,
    );
  });

  it('may come in any order of files and lines, with doubles and the lines of others', async () => {
    const [a = [], b = [], c = [], d = []] = await whole();
    const verdict = await verify(d.toReversed(), [...FOREIGN, ...b, ...FOREIGN], [...a, ...a], c, b);
    // Empty lines are no lines.
    expect(verdict).toMatchObject({ ...GOOD, batches: 6, doubles: 20, ignored: 2 * (FOREIGN.length - 1) });
  });

  it('may hold a batch that was sent again with more records in it', async () => {
    const lines = [
      await batch(0, 10, 10),
      await batch(0, 23, 23),
      await batch(10, 23, 23),
      await batch(23, SIZE, SIZE),
    ];
    expect(await verify(lines.flat())).toMatchObject(GOOD);
  });

  it('may begin and end anywhere', async () => {
    const [, b = [], c = []] = await whole();
    expect(await verify(c, b)).toMatchObject({ ok: true, first: 10, past: 23, records: 13, batches: 2 });
  });

  it('may be wrapped as collectors wrap it', async () => {
    const [a = [], b = [], c = [], d = []] = await whole();
    const [e = []] = await whole('cef');
    const verdict = await verify(
      a.map((line) => JSON.stringify({ result: { _raw: line } })),
      b.map((line) => JSON.stringify({ time: 1, event: JSON.parse(line) as object })),
      c.map((line) => `<134>1 2026-03-10T08:00:00Z host gatehouse - - - \ufeff${line}\r`),
      d.map((line) => JSON.stringify({ body: { stringValue: line } })),
      e.map((line) => `<134>1 2026-03-10T08:00:00Z host gatehouse - - - ${line}\r`),
    );
    expect(verdict).toMatchObject({ ...GOOD, batches: 5, doubles: 10, ignored: 0 });
  });
});

describe('what is wrong is named:', () => {
  const expectBad = (verdict: SiemVerdict, firstBad: SiemVerdict['firstBad'], reason: RegExp): void => {
    expect(verdict).toMatchObject({ ok: false, firstBad, reason: expect.stringMatching(reason) as string });
    expect(describeSiemVerdict(verdict)).toMatch(/^NOT verified: /);
  };

  it.each(['ocsf', 'cef'] as const)('a record that is missing (%s)', async (format) => {
    const lines = (await whole(format)).flat();
    expectBad(await verify(lines.toSpliced(14, 1)), { seq: 13 }, /^missing/);
  });

  it('records in a row that are missing', async () => {
    const lines = (await whole()).flat();
    expectBad(await verify(lines.toSpliced(2, 3)), { from: 2, to: 5 }, /^missing/);
  });

  it('a whole batch that is missing', async () => {
    const [a = [], , c = [], d = []] = await whole();
    expectBad(await verify(a, c, d), { from: 10, to: 20 }, /^missing, with their batch/);
  });

  it('the statement of a batch that is missing', async () => {
    const [a = [], b = [], c = [], d = []] = await whole();
    expectBad(await verify(a, b.slice(0, -1), c, d), { from: 10, to: 20 }, /statement of their batch is missing/);
    expectBad(await verify(a, b, c, d.slice(0, -1)), { from: 23, to: SIZE }, /statement of their batch is missing/);
  });

  it.each(['ocsf', 'cef'] as const)('a record that was altered (%s)', async (format) => {
    const lines = (await whole(format)).flat();
    const altered = lines.with(5, (lines[5] ?? '').replaceAll('192.0.2.1', '192.0.2.9'));
    expectBad(await verify(altered), { seq: 5 }, /altered/);
  });

  it('the batch of a record that was altered together with its leaf hash', async () => {
    const other = recordBytes(aRecord(), { origin: ORIGIN, instance: 'spec' });
    const forged = recordLine(
      'ocsf',
      {
        id: (JSON.parse(other.toString()) as { id: string }).id,
        bytes: other,
        seq: 5,
      },
      ORIGIN,
    );
    const lines = (await whole()).flat();
    expectBad(await verify(lines.with(5, forged.text)), { from: 0, to: 10 }, /root of their checkpoint/);
    expectBad(await verify(lines, [forged.text]), { seq: 5 }, /two different records/);
  });

  it('records that changed places', async () => {
    const swapped = (await batch(0, 10, 10)).map((line) =>
      line
        .replace('"sequence":3,', '"sequence":33,')
        .replace('"sequence":4,', '"sequence":3,')
        .replace('"sequence":33,', '"sequence":4,'),
    );
    expectBad(await verify(swapped), { from: 0, to: 10 }, /root of their checkpoint/);
  });

  it('a record whose number was altered to one that no log reaches', async () => {
    const lines = (await whole()).flat().map((line) => line.replace('"sequence":7,', '"sequence":9007199254740991,'));
    expectBad(await verify(lines), { seq: 7 }, /^missing/);
  });

  it('a record whose id was altered', async () => {
    const lines = (await whole()).flat();
    const { id } = records[3] ?? { id: '' };
    const other = lines.with(3, (lines[3] ?? '').replace(`"uid":"${id}","sequence"`, `"uid":"other","sequence"`));
    expectBad(await verify(other), { seq: 3 }, /its id/);
  });

  it('a checkpoint that another key has signed', async () => {
    const stranger = noteSigner(ORIGIN, generateKeyPairSync('ed25519').privateKey);
    const path = join(dir, 'export.log');
    await writeFile(path, (await whole()).flat().join('\n'));
    expectBad(await verifySiem([path], [stranger.verifier]), { from: 0, to: 10 }, /not good/);
  });

  it('a checkpoint that was altered', async () => {
    const lines = (await whole()).flat().map((line) => line.replace('/log\\n23\\n', '/log\\n24\\n'));
    expectBad(await verify(lines), { from: 0, to: 10 }, /not good/);
  });

  it('two histories of the log, each of them signed', async () => {
    const forked = [leafHash(Buffer.from('another')), ...leaves.slice(1)];
    const [a = []] = await whole();
    expectBad(await verify(a, await batch(10, 20, 23, 'ocsf', forked)), { from: 10, to: 10 }, /does not go on/);
  });

  it('an export without any batch of this log', async () => {
    expectBad(await verify(FOREIGN), { from: 0, to: 0 }, /no batch/);
    const [a = []] = await whole();
    expectBad(await verify(a.slice(0, -1)), { from: 0, to: 10 }, /no batch/);
  });
});
