import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noteSigner } from '../../src/audit/checkpoints/note.js';
import { noteVerifier, verifySiem } from '../../src/audit/index.js';
import { verifySiemVerb } from '../../src/cli/verify-siem.js';
import { killUnderLoad } from '../support/crash-load.js';
import { startSystem, type System, until, WIDE_LIMITS } from '../support/system.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');

interface SinkView {
  name: string;
  kind: string;
  format: string;
  nextSeq: number;
  lag: number;
  lagSeconds: number;
  state: string;
  lastError: string | null;
  lastSentAt: string | null;
}

describe('what a SOC gets', () => {
  let dir: string;
  let system: System;
  let key: string;
  let yaml: string;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'gatehouse-soc-'));
    writeFileSync(join(dir, 'in-the-way'), '');
    yaml = `${WIDE_LIMITS}
siem:
  sinks:
    - { name: soc, kind: file, path: ${join(dir, 'soc.jsonl')}, batch: { records: 20 } }
    - { name: old-soc, kind: file, format: cef, path: ${join(dir, 'soc.cef')} }
    - { name: broken, kind: file, path: ${join(dir, 'in-the-way', 'x')} }
`;
    system = await startSystem({ yaml });
    const { body } = await system.admin<{ items: string[] }>('/audit/keys');
    key = body.items[0] ?? '';
  });
  afterAll(async () => {
    await system.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const sinks = async (): Promise<Map<string, SinkView>> => {
    const { body } = await system.admin<{ items: SinkView[] }>('/audit/sinks', { scope: 'operator' });
    return new Map(body.items.map((item) => [item.name, item]));
  };

  /** Until both files hold everything that had its number when this was asked. */
  const shipped = async (): Promise<number> => {
    const size = (await sinks()).get('soc');
    const upTo = (size?.nextSeq ?? 0) + (size?.lag ?? 0);
    await until(async () => {
      const now = await sinks();
      return ['soc', 'old-soc'].every((name) => (now.get(name)?.nextSeq ?? 0) >= upTo);
    });
    return upTo;
  };

  const verify = (...names: string[]) =>
    verifySiem(
      names.map((name) => join(dir, name)),
      [noteVerifier(key)],
    );
  /** As the SOC runs it. */
  const command = (name: string) =>
    spawnSync(process.execPath, [CLI, 'verify', '--siem', join(dir, name), '--key', key], {
      env: { PATH: process.env['PATH'] ?? '' },
      encoding: 'utf8',
    });

  const exported = (lines: readonly string[]): string => {
    writeFileSync(join(dir, 'export.log'), lines.join('\n'));
    return 'export.log';
  };
  const linesOf = (name: string): string[] => readFileSync(join(dir, name), 'utf8').trimEnd().split('\n');
  const isRecord = (line: string): boolean => line.includes('raw_data') || line.includes('rawEvent');

  it('is every record of the log, proven by the public key alone, in both formats', async () => {
    const body = { workflow: 'onboarding', subject: { reference: 'soc-1', relationship: 'customer' } };
    expect((await system.v1('/v1/verifications', { body })).status).toBe(201);
    expect((await system.call(`${system.credentials.publicUrl}/v1/verifications`)).status).toBe(401);
    const size = await shipped();
    for (const name of ['soc.jsonl', 'soc.cef']) {
      const verdict = await verify(name);
      expect(verdict).toMatchObject({ ok: true, first: 0, firstBad: null });
      expect(verdict.past).toBeGreaterThanOrEqual(size);
      expect(verdict.records).toBe(verdict.past);
    }
    expect(command('soc.jsonl')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^verified \d+ records, 0 to /) as string,
    });
    const classes = new Set(linesOf('soc.jsonl').map((line) => (JSON.parse(line) as { class_uid: number }).class_uid));
    for (const uid of [6003, 3002, 3004, 6002]) expect(classes).toContain(uid);
    expect(readFileSync(join(dir, 'soc.jsonl'), 'utf8')).not.toContain(system.credentials.apiKey);
  });

  it.each(['soc.jsonl', 'soc.cef'])('names the record that was taken out of %s or altered', async (name) => {
    await shipped();
    const lines = linesOf(name);
    const nth = lines.findIndex((line, n) => n > 3 && isRecord(line));
    const seq = lines.slice(0, nth).filter(isRecord).length;
    expect(await verify(exported(lines.toSpliced(nth, 1)))).toMatchObject({
      ok: false,
      firstBad: { seq },
      reason: expect.stringContaining('missing') as string,
    });
    const altered = lines.with(nth, (lines[nth] ?? '').replace(/"v(\\?)":1/, '"v$1":2'));
    expect(await verify(exported(altered))).toMatchObject({
      ok: false,
      firstBad: { seq },
      reason: expect.stringContaining('altered') as string,
    });
    if (name === 'soc.cef')
      expect(command('export.log')).toMatchObject({
        status: 1,
        stdout: expect.stringContaining(`NOT verified: record ${seq}: `) as string,
      });
  });

  it('is told how far each receiver is, and what kind of trouble one has', async () => {
    await shipped();
    const all = await until(async () => {
      const now = await sinks();
      return now.get('broken')?.state === 'failing' ? now : undefined;
    });
    expect(all.get('broken')).toMatchObject({
      nextSeq: 0,
      lastError: expect.stringMatching(/^E[A-Z]+$/) as string,
      lastSentAt: null,
    });
    expect(all.get('broken')?.lag).toBeGreaterThan(0);
    expect(all.get('soc')).toMatchObject({ kind: 'file', format: 'ocsf', lastError: null });
    expect((await system.admin('/audit/sinks', { scope: 'incident-manager' })).status).toBe(403);
    const metrics = await system.call(`${system.credentials.adminUrl}/metrics`, {
      headers: { authorization: `Bearer ${system.credentials.opsToken}` },
    });
    expect(metrics.text).toMatch(/^gatehouse_siem_lag_records\{[^}]*sink="broken"[^}]*\} [1-9]/m);
    expect(metrics.text).toMatch(/^gatehouse_siem_failing\{[^}]*sink="broken"[^}]*\} 1/m);
    expect(metrics.text).toMatch(/^gatehouse_siem_records_sent_total\{[^}]*sink="soc"[^}]*\} [1-9]/m);
  });

  it('has no gap after kill -9 in mid-load', async () => {
    const answered = await killUnderLoad(system, 60, 'soc');
    system = await startSystem({ dataDir: system.dataDir, yaml });
    const size = await until(async () => {
      const soc = (await sinks()).get('soc');
      return soc !== undefined && soc.nextSeq > answered.length ? shipped() : undefined;
    }, 30_000);
    for (const name of ['soc.jsonl', 'soc.cef']) {
      const verdict = await verify(name);
      expect(verdict).toMatchObject({ ok: true, first: 0, firstBad: null });
      expect(verdict.past).toBeGreaterThanOrEqual(size);
    }
    const seen = readFileSync(join(dir, 'soc.jsonl'), 'utf8');
    expect(answered.filter(({ record }) => !seen.includes(record))).toEqual([]);
  });
});

describe('verify --siem', () => {
  it('says what it lacks', async () => {
    const siem = [import.meta.filename];
    const key = ['a+b+c', '/nonexistent'];
    await expect(verifySiemVerb({ siem })).rejects.toThrow('--key: must be given');
    for (const one of key) await expect(verifySiemVerb({ siem, key: [one] })).rejects.toThrow('--key: is neither');
    const keys = ['one.example/log', 'two.example/log'].map((name) =>
      noteSigner(name, generateKeyPairSync('ed25519').privateKey),
    );
    await expect(verifySiemVerb({ siem, key: keys.map(({ verifier }) => verifier.vkey) })).rejects.toThrow(
      '--key: must all',
    );
    const good = { key: [keys[0]?.verifier.vkey ?? ''] };
    await expect(verifySiemVerb({ siem: ['/nonexistent'], ...good })).rejects.toThrow(
      '--siem: a file cannot be read (ENOENT)',
    );
  });
});
