import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSystem, type System, until, WIDE_BUDGET, WIDE_RATES } from '../support/system.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');

const PRICES = `
vendors:
  didit: { prices: { currency: EUR, operations: { session.create: "0.30" } }, ${WIDE_BUDGET} }
`;

interface Figures {
  calls: number;
  refusals: number;
  latency: { p50Us: number; p99Us: number } | null;
  time: { totalUs: number; vendorUs: number; ownUs: number };
  vendor: { calls: number; cost?: { amount: string; currency: string } };
}
interface Usage {
  counted: { size: number };
  items: (Figures & { client?: string | null; operation?: string; side?: string })[];
  total: Figures;
}
interface Line {
  seq: number;
  record: { id: string; kind: string; call?: string; detail?: Record<string, unknown> };
}
interface Page {
  items: { recordId: string; kind: string; at: string; http?: { route: string }; detail?: Record<string, unknown> }[];
  nextCursor: string | null;
}

let system: System;
let verification: { id: string; vendor: { sessionId: string } };

beforeAll(async () => {
  system = await startSystem({ yaml: `${WIDE_RATES}${PRICES}` });
  for (let n = 0; n < 3; n += 1) {
    const body = {
      workflow: 'onboarding',
      subject: { reference: `reading-${randomUUID()}`, relationship: 'prospect' },
    };
    const made = await system.v1<typeof verification>('/v1/verifications', { body });
    expect(made.status).toBe(201);
    verification = made.body;
  }
});
afterAll(() => system.stop());

const env = () => ({ PATH: process.env['PATH'] ?? '', GATEHOUSE_DATA_DIR: system.dataDir });

function cli(...args: string[]) {
  return spawnSync(process.execPath, [CLI, ...args], {
    env: env(),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

const lines = (text: string): Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

describe('usage', () => {
  const usage = async (query: string, scope = 'operator') =>
    (await system.admin<Usage>(`/usage?${query}`, { scope })).body;

  it('stands on records that tell what each answer cost, as it was priced then', async () => {
    const { body } = await system.admin<{ items: Line[] }>(`/audit/records?verification=${verification.id}`, {
      scope: 'auditor',
    });
    const vendors = body.items.flatMap(({ record }) => (record as { vendor?: object }).vendor ?? []);
    expect(vendors).toContainEqual(
      expect.objectContaining({ operation: 'session.create', status: 201, cost: { micros: 300_000, currency: 'EUR' } }),
    );
  });

  it('tells within seconds who called, how long it took, where the time went, and what the vendor costs', async () => {
    const client = system.credentials.clientId;
    const mine = await until(async () => {
      const found = (await usage('by=client')).items.find((item) => item.client === client);
      return found !== undefined && found.calls >= 3 ? found : undefined;
    }, 5_000);
    expect(mine).toMatchObject({
      calls: 3,
      refusals: 0,
      vendor: { cost: { amount: '0.90', currency: 'EUR', unpriced: 0 } },
    });
    expect(mine.latency?.p99Us).toBeGreaterThanOrEqual(mine.latency?.p50Us ?? Infinity);
    expect(mine.time.totalUs).toBe(mine.time.vendorUs + mine.time.ownUs);
    const { items } = await usage('by=operation', 'auditor');
    expect(items.map(({ operation, side }) => `${side} ${operation}`)).toEqual(
      expect.arrayContaining(['gateway POST /v1/verifications', 'vendor session.create']),
    );
  });

  it('counts refusals', async () => {
    await system.call(`${system.credentials.publicUrl}/v1/verifications`, { headers: { 'x-api-key': 'gk_nobody' } });
    await until(async () => (await usage('by=outcome')).total.refusals >= 1 || undefined, 5_000);
  });

  it('says what is wrong with a question, and answers only those who may ask', async () => {
    const wrong = await system.admin<{ code: string; errors: { pointer: string }[] }>(
      '/usage?by=person&from=2026-03-10T08:00:00Z&to=2026-03-10T07:00:00Z',
    );
    expect([wrong.status, wrong.body.code]).toEqual([400, 'invalid-request']);
    expect(wrong.body.errors[0]?.pointer).toBe('/by');
    const order = await system.admin<{ errors: { pointer: string }[] }>(
      '/usage?by=hour&from=2026-03-10T08:00:00Z&to=2026-03-10T07:00:00Z',
    );
    expect([order.status, order.body.errors.map(({ pointer }) => pointer)]).toEqual([400, ['/to']]);
    expect((await system.admin('/usage?by=hour', { scope: 'incident-manager' })).status).toBe(403);
  });

  it('is the same after a rebuild from the log beside the running gateway', () => {
    const run = cli('usage', 'rebuild');
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/^counted records 0 to \d+: the same figures as before\n$/);
  });
});

describe('the timeline of a verification', () => {
  it('tells of its making and of the webhook that moved it on, page by page', async () => {
    const { id, vendor } = verification;
    await system.sandbox(`sessions/${vendor.sessionId}/finish`, { body: { status: 'Approved' } });
    const page = (query: string) => system.admin<Page>(`/verifications/${id}/timeline${query}`, { scope: 'auditor' });
    const all = await until(async () => {
      const { body } = await page('');
      const moved = body.items.some(
        ({ kind, detail }) => kind === 'verification.transition' && detail?.['to'] === 'approved',
      );
      return moved && body.items.some(({ http }) => http?.route === '/webhooks/didit') ? body.items : undefined;
    });
    const kinds = all.map(({ kind }) => kind);
    expect(kinds).toEqual(
      expect.arrayContaining(['call', 'vendor.intent', 'webhook.received', 'vendor.call', 'verification.transition']),
    );
    expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).sort());
    const ids: string[] = [];
    let cursor = '';
    do {
      const { body } = await page(`?limit=2${cursor}`);
      ids.push(...body.items.map(({ recordId }) => recordId));
      cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
    } while (cursor !== '');
    // The vendor may have more to tell meanwhile.
    expect(ids.slice(0, all.length)).toEqual(all.map(({ recordId }) => recordId));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is not found for one that the log does not know, and not for everybody', async () => {
    expect((await system.admin(`/verifications/${randomUUID()}/timeline`)).status).toBe(404);
    const path = `/verifications/${verification.id}/timeline`;
    expect((await system.admin(path, { scope: 'incident-manager' })).status).toBe(403);
    expect((await system.admin(`${path}?cursor=x`)).status).toBe(400);
  });
});

describe('an export over HTTP', () => {
  it('is streamed, and told in the log by an act and by its call', async () => {
    const answer = await system.admin('/audit/export?format=jsonl&kind=verification.transition', { scope: 'auditor' });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
    expect(answer.headers['content-disposition']).toBe('attachment; filename="gatehouse-audit.jsonl"');
    const found = lines(answer.text);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(({ record }) => record.kind === 'verification.transition')).toBe(true);
    const call = String(answer.headers['gatehouse-record']);
    expect((await system.admin<Line>(`/audit/records/${call}`)).body.record).toMatchObject({
      kind: 'call',
      http: { route: '/admin/v1/audit/export', status: 200, bytesOut: Buffer.byteLength(answer.text) },
    });
    const acts = await system.admin<{ items: Line[] }>('/audit/records?kind=admin.act&limit=200');
    const act = acts.body.items.find(({ record }) => record.call === call);
    expect(act?.record.detail).toMatchObject({ act: 'audit.exported', format: 'jsonl', filters: ['kind'] });
  });

  it('is CSV with its head even where nothing is found', async () => {
    const { status, text } = await system.admin(`/audit/export?format=csv&client=${randomUUID()}`);
    expect([status, text.startsWith('seq,recorded_at,id,at,kind,'), text.endsWith('\r\n')]).toEqual([200, true, true]);
    expect(text.split('\r\n')).toHaveLength(2);
  });

  it('is refused where the question is wrong, and to those who may not read the log', async () => {
    for (const query of ['', '?format=pdf', '?format=csv&fromSeq=5&toSeq=5', '?format=csv&name=Ana'])
      expect((await system.admin(`/audit/export${query}`)).status, query).toBe(400);
    expect((await system.admin('/audit/export?format=csv', { scope: 'operator' })).status).toBe(403);
  });
});

describe('gatehouse export', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-export-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  it('writes every record from the first on, and tells how far it is', () => {
    const file = join(dir, 'log.jsonl');
    const run = cli('export', '--format', 'jsonl', '--out', file);
    expect([run.status, run.stdout]).toEqual([0, '']);
    const found = lines(readFileSync(file, 'utf8'));
    expect(found.map(({ seq }) => seq)).toEqual(found.map((_, n) => n));
    expect(run.stderr.trim().split('\n').at(-1)).toMatch(
      new RegExp(`^exported ${found.length} records in \\d+\\.\\d s, 100 %$`),
    );
    expect(existsSync(`${file}.part`)).toBe(false);
  });

  it('writes what is asked for to the standard output', () => {
    const run = cli('export', '--format', 'csv', '--kind', 'verification.transition', '--from-seq', '1');
    expect(run.status).toBe(0);
    const [head, ...rows] = run.stdout.trimEnd().split('\r\n');
    expect(head).toMatch(/^seq,recorded_at,id,/);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every((row) => row.includes(',verification.transition,'))).toBe(true);
  });

  it('fails where its output is a file that takes a part of it alone', () => {
    const command = 'ulimit -f 1; exec "$0" "$1" export --format jsonl > "$2"';
    const run = spawnSync('sh', ['-c', command, process.execPath, CLI, join(dir, 'cut.jsonl')], {
      encoding: 'utf8',
      env: env(),
    });
    expect([run.status, run.stderr]).toEqual([1, 'gatehouse: standard output: cannot be written (EFBIG)\n']);
  });

  it('puts no file in the place of what is none', () => {
    const link = join(dir, 'link');
    symlinkSync(join(dir, 'elsewhere'), link);
    const run = cli('export', '--format', 'jsonl', '--out', link);
    expect([run.status, run.stderr]).toEqual([1, 'gatehouse: --out: must be a plain file or none\n']);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it('says in one sentence what it cannot do', () => {
    const wrong = cli('export', '--format', 'jsonl', '--from-seq', 'x');
    expect([wrong.status, wrong.stdout, wrong.stderr]).toEqual([
      1,
      '',
      'gatehouse: --from-seq: must be the number of a record\n',
    ]);
    const nowhere = cli('export', '--format', 'csv', '--out', join(dir, 'no', 'such', 'folder.csv'));
    expect([nowhere.status, nowhere.stderr]).toEqual([1, 'gatehouse: --out: the file cannot be written (ENOENT)\n']);
  });
});
