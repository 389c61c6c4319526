import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpSource, verifyLog, verifyReceipt, verifySource } from '../../src/audit/index.js';
import { openCheckpoint } from '../../src/audit/checkpoints/checkpoint.js';
import { noteVerifier } from '../../src/audit/checkpoints/note.js';
import { withClient } from '../support/audit.js';
import { sharedSystem } from '../support/shared.js';
import { type Answer, until } from '../support/system.js';

const system = sharedSystem();
const CLI = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatehouse-log-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface ReceiptsAnswer {
  origin: string;
  items: { seq: number; recordId: string; kind: string; at: string; proof: string }[];
  nextCursor: string | null;
}

function log(path: string, headers: Record<string, string> = {}): Promise<Answer<string>> {
  const authorization = `Bearer ${system.credentials.opsToken}`;
  return system.call<string>(`${system.credentials.adminUrl}/log/${path}`, { headers: { authorization, ...headers } });
}

async function keys(): Promise<string[]> {
  return (await log('keys')).text.split('\n').filter(Boolean);
}

async function verification(reference: string): Promise<{ id: string; record: string }> {
  const created = await system.v1<{ id: string }>('/v1/verifications', {
    body: { workflow: 'onboarding', subject: { reference, relationship: 'customer' } },
  });
  expect(created.status).toBe(201);
  return { id: created.body.id, record: String(created.headers['gatehouse-record']) };
}

function receipts(id: string, query = ''): Promise<Answer<ReceiptsAnswer>> {
  return system.v1<ReceiptsAnswer>(`/v1/verifications/${id}/receipts${query}`);
}

function cli(args: string[], env: Record<string, string> = {}): { code: number; out: string } {
  const run = spawnSync(process.execPath, [CLI, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    encoding: 'utf8',
  });
  return { code: run.status ?? -1, out: run.stdout.trim() };
}

const keptFile = (): string | undefined =>
  readdirSync(join(system.dataDir, 'checkpoints')).find((name) => name.endsWith('.checkpoint'));

describe('receipts', () => {
  it('of a verification come within seconds and verify without the gateway', async () => {
    const { id, record } = await verification('log-receipts');
    const found = await until(async () => {
      const { status, body } = await receipts(id);
      expect(status).toBe(200);
      return body.items.some(({ recordId }) => recordId === record) && body;
    });
    expect(new Set(found.items.map(({ kind }) => kind))).toContain('call');
    const vkeys = await keys();
    for (const { seq, recordId, kind, at, proof } of found.items) {
      const proven = verifyReceipt(proof, vkeys);
      expect(proven).toMatchObject({ origin: found.origin, seq });
      expect(JSON.parse(proven.bytes.toString())).toMatchObject({ id: recordId, kind, at });
      expect(proof).not.toContain('log-receipts');
    }
  });

  it('come in pages', async () => {
    const { id } = await verification('log-pages');
    const all = await until(async () => {
      const { body } = await receipts(id);
      return body.items.length >= 3 && body.items;
    });
    const seen: number[] = [];
    for (let query = '?limit=2'; query !== '';) {
      const { body } = await receipts(id, query);
      seen.push(...body.items.map(({ seq }) => seq));
      query = body.nextCursor === null ? '' : `?limit=2&cursor=${body.nextCursor}`;
    }
    // Asking for receipts leaves records of its own.
    expect(seen.slice(0, all.length)).toEqual(all.map(({ seq }) => seq));
    expect(new Set(seen).size).toBe(seen.length);
    expect((await receipts(id, '?cursor=x')).body).toMatchObject({
      code: 'invalid-cursor',
      errors: [{ pointer: '/cursor' }],
    });
    expect((await receipts(id, '?limit=0')).body).toMatchObject({
      code: 'invalid-request',
      errors: [{ pointer: '/limit' }],
    });
  });

  it('are the client’s own', async () => {
    const { id } = await verification('log-own');
    const foreign = await system.v1(`/v1/verifications/${id}/receipts`, {}, system.credentials.otherClient);
    expect(foreign.status).toBe(404);
  });

  it('of one call are given to an auditor and checked on the command line', async () => {
    const { record } = await verification('log-one');
    const answer = await until(async () => {
      const { status, body } = await system.admin<{ seq: number; proof: string }>(`/audit/records/${record}/proof`);
      return status === 200 && body;
    });
    const [file, keyFile] = [join(dir, 'call.tlog-proof'), join(dir, 'keys')];
    writeFileSync(file, answer.proof);
    writeFileSync(keyFile, (await log('keys')).text);
    const good = cli(['verify-receipt', file, '--key', keyFile, '--json']);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.out)).toMatchObject({ ok: true, seq: answer.seq, record: { id: record } });
    const [first, ...rest] = answer.proof.split('\n');
    writeFileSync(file, [first, ...rest.map((line) => line.replace(/^index \d+/, 'index 0'))].join('\n'));
    expect(cli(['verify-receipt', file, '--key', keyFile])).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^NOT verified/) as string,
    });
    expect(cli(['verify-receipt', join(dir, 'missing'), '--key', keyFile]).code).toBe(1);
    expect(cli(['verify-receipt', file, '--key', 'nonsense']).code).toBe(1);
  });
});

describe('proofs for auditors', () => {
  it('are of the last checkpoint', async () => {
    await verification('log-consistency');
    const { body } = await system.admin<{ size: number; note: string }>('/audit/checkpoints/latest');
    expect(body.note).toMatch(/^gatehouse\.local\/log\n\d+\n/);
    const proof = await system.admin<{ from: number; to: number; proof: string[] }>(
      `/audit/consistency?from=1&to=${body.size}`,
    );
    expect(proof.body).toMatchObject({ from: 1, to: body.size });
    expect(proof.body.proof.length).toBeGreaterThan(0);
  });

  it.each([
    ['/audit/consistency?from=5&to=4', '/from'],
    ['/audit/consistency?from=-1', '/from'],
    ['/audit/consistency', '/from'],
    ['/audit/consistency?from=0&to=99999999', '/to'],
    ['/audit/consistency?from=0&other=1', '/other'],
  ])('are refused with a pointer: %s', async (path, pointer) => {
    const { status, body } = await system.admin(path);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid-request', errors: [{ pointer }] });
  });

  it('are refused for what can be no record', async () => {
    for (const path of ['/audit/records/x', '/audit/records/-1/proof', '/audit/records/01/proof'])
      expect(await system.admin(path)).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect((await system.admin('/audit/records/99999999/proof')).status).toBe(404);
    expect((await system.admin('/audit/checkpoints/latest', { scope: 'operator' })).status).toBe(403);
  });
});

describe('the log as tiles', () => {
  it('verifies over HTTPS from its entries to the signed root', async () => {
    const { adminUrl, opsToken } = system.credentials;
    await until(async () => (await log('checkpoint')).status === 200);
    const source = new HttpSource({ url: `${adminUrl}/log`, token: opsToken, ca: system.ca.toString() });
    const verdict = await verifySource(source, { keys: await keys() });
    expect(verdict).toMatchObject({ ok: true, checkpoints: 1, reason: null });
    const env = { GATEHOUSE_OPS_TOKEN: opsToken };
    const told = cli(
      ['verify', '--url', `${adminUrl}/log`, '--ca', system.credentials.caFile, '--key', ...(await keys())],
      env,
    );
    expect(told).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^verified \d+ records, root [0-9a-f]{64}$/) as string,
    });
  });

  it('may be kept by any cache, but for the checkpoint', async () => {
    const checkpoint = await log('checkpoint');
    expect(checkpoint.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
    });
    const tile = await log('tile/0/000.p/1');
    expect(tile.status).toBe(200);
    expect(tile.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-length': '32',
    });
  });

  it.each([
    'tile/0/0',
    'tile/9/000',
    'tile/0/000.p/0',
    'tile/entries/x999/999',
    'tile/0/x001/999',
    'tile/0/000.p/256',
    'nothing',
  ])('has no %s', async (path) => {
    expect((await log(path)).status).toBe(404);
  });

  it('is for those with the bearer alone, on the internal listener alone', async () => {
    expect((await log('checkpoint', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await system.call(`${system.credentials.publicUrl}/log/checkpoint`)).status).toBe(404);
  });
});

describe('a checkpoint that somebody with the login of the gateway forged', () => {
  it('is given to nobody, is told in the log, and is signed over', async () => {
    const [key = ''] = await keys();
    const [origin = '', keyId = ''] = key.split('+');
    const signature = Buffer.concat([Buffer.from(keyId, 'hex'), Buffer.alloc(64)]).toString('base64');
    const size = await withClient(system.credentials.appDatabaseUrl, (client) =>
      until(async () => {
        await verification('log-forged');
        const head = await client.query<{ size: string; root: Buffer }>('SELECT size, root FROM audit.head');
        const [tip] = head.rows;
        if (tip === undefined) return undefined;
        const note = `${origin}\n${tip.size}\n${tip.root.toString('base64')}\n\n— ${origin} ${signature}\n`;
        const sql = 'SELECT audit.keep_checkpoint($1, $2, $3) AS kept';
        // The gateway may have been quicker.
        const { rows } = await client
          .query<{ kept: boolean }>(sql, [tip.size, tip.root, note])
          .catch(() => ({ rows: [] }));
        return rows[0]?.kept === true ? Number(tip.size) : undefined;
      }),
    );
    const given = await until(async () => {
      const { text } = await log('checkpoint');
      expect(text).not.toContain(signature);
      return Number(text.split('\n')[1]) > size && text;
    });
    expect(openCheckpoint(given, origin, [noteVerifier(key)]).size).toBeGreaterThan(size);
    // The log says so once that record has its number.
    await until(async () => {
      const { body } = await system.admin<{ items: { seq: number | null; record: { detail: { size: number } } }[] }>(
        '/audit/records?kind=log.checkpoint-refused&limit=200',
      );
      return body.items.some(({ seq, record }) => seq !== null && record.detail.size === size);
    });
    const { adminUrl, databaseUrl, opsToken } = system.credentials;
    const source = new HttpSource({ url: `${adminUrl}/log`, token: opsToken, ca: system.ca.toString() });
    expect(await verifySource(source, { keys: [key] })).toMatchObject({ ok: true });
    expect(await verifyLog(databaseUrl, { keys: [key] })).toMatchObject({ ok: true });
  });
});

describe('verify on this machine', () => {
  it('believes its own key and the checkpoint kept beside the database', async () => {
    const file = await until(() => Promise.resolve(keptFile()));
    const kept = readFileSync(join(system.dataDir, 'checkpoints', file), 'utf8');
    const env = { GATEHOUSE_DATA_DIR: system.dataDir };
    const good = cli(['verify', '--json'], env);
    expect(JSON.parse(good.out)).toMatchObject({ ok: true, firstBad: null });
    expect(JSON.parse(good.out).checkpoints).toBeGreaterThan(0);
    const [origin, size, ...rest] = kept.split('\n');
    const ahead = join(dir, 'ahead');
    writeFileSync(ahead, [origin, String(Number(size) + 1_000_000), ...rest].join('\n'));
    // A changed checkpoint is no checkpoint of the key that is believed.
    expect(cli(['verify', '--trusted-checkpoint', ahead], env)).toMatchObject({ code: 1, out: '' });
    const empty = join(dir, 'no-keys');
    writeFileSync(empty, '\n');
    for (const args of [
      ['--from', 'x'],
      ['--from', '5', '--to', '3'],
      ['--from', '1000000'],
      ['--key', empty],
      ['--url', 'nowhere'],
      ['--trusted-checkpoint', join(dir, 'missing')],
      ['--key', 'nonsense'],
    ])
      expect(cli(['verify', ...args], env).code).toBe(1);
  });

  it('names the folder of a kept checkpoint that cannot be read', () => {
    const folder = join(dir, 'unreadable');
    mkdirSync(join(folder, 'checkpoints', keptFile() ?? ''), { recursive: true });
    const env = { PATH: process.env['PATH'] ?? '', GATEHOUSE_DATA_DIR: folder };
    const run = spawnSync(process.execPath, [CLI, 'verify'], { env, encoding: 'utf8' });
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expect(run.stderr).toMatch(/^gatehouse: .*checkpoints: the checkpoint kept there cannot be read \(EISDIR\)\n$/);
  });
});
