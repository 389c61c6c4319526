import { spawnSync } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProvenRecord, verifyReceipt } from '../../src/audit/receipts/tlog-proof.js';
import { withClient } from '../support/audit.js';
import { type Answer, startSystem, type System, until } from '../support/system.js';
import { verify } from '../support/verify.js';

interface Verification {
  id: string;
  status: string;
  url: string | null;
  subject: { reference: string | null };
  vendor: { sessionId: string };
  result: object | null;
}
interface Erasure {
  id: string;
  subject: string;
  recordId: string;
  at: string;
  erased: Record<string, number>;
  replayedAt: string | null;
}
interface Found {
  items: { record: { id: string; client: string; subject: string; kind: string; detail: Record<string, unknown> } }[];
}
type Problem = { code: string; detail: string };

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
const REFERENCE = 'kunde-Zoë-4711';

let system: System;
let backup: string;
let client: string;
let made: Verification;
let receipt: string;
let erasure: Erasure;

const body = (reference: string) => ({ workflow: 'onboarding', subject: { reference, relationship: 'customer' } });
const read = (id: string) => system.v1<Verification>(`/v1/verifications/${id}`, {}, system.credentials.piiClient);
const erase = <T = Erasure>(over: object = {}, scope = 'security'): Promise<Answer<T>> =>
  system.admin<T>('/erasures', {
    scope,
    body: { client, reference: REFERENCE, reason: 'asked by letter', ground: 'request', ...over },
  });
const recordsOf = async (query: string): Promise<Found['items']> =>
  (await system.admin<Found>(`/audit/records?${query}`)).body.items;
const count = (sql: string, ...values: unknown[]): Promise<number> =>
  withClient(system.credentials.databaseUrl, async (database) => {
    const { rows } = await database.query<{ n: number }>(`SELECT count(*)::integer AS n FROM ${sql}`, values);
    return rows[0]?.n ?? -1;
  });
const proven = async (text: string): Promise<ProvenRecord> => {
  const { body: keys } = await system.admin<{ items: string[] }>('/audit/keys');
  return verifyReceipt(text, keys.items);
};
const proofOf = (record: string): Promise<string> =>
  until(async () => (await system.admin<{ proof?: string }>(`/audit/records/${record}/proof`)).body.proof);
const keptWebhooks = (): Promise<number> =>
  count('platform.vault WHERE owner = $1', `didit-session:${made.vendor.sessionId}`);
const digestKeys = (): Promise<number> =>
  count(
    `audit.digest_keys k JOIN (SELECT id, subject FROM audit.log UNION SELECT id, subject FROM audit.intake) r ON r.id = k.record_id
      WHERE r.subject = (SELECT subject FROM orchestration.verifications WHERE id = $1)`,
    made.id,
  );

const copy = (from: string, to: string): void => {
  // With owners and modes: the cluster in it belongs to another user.
  expect(spawnSync('cp', ['-a', from, to]).status).toBe(0);
};

beforeAll(async () => {
  system = await startSystem();
  backup = `${system.dataDir}-backup`;
  const { piiClient } = system.credentials;
  const created = await system.v1<Verification>('/v1/verifications', { body: body(REFERENCE) }, piiClient);
  made = created.body;
  await system.sandbox(`sessions/${made.vendor.sessionId}/finish`, { body: { status: 'Approved' } });
  await until(async () => (await read(made.id)).body.status === 'approved');
  await until(async () => (await keptWebhooks()) > 0);
  const [first] = await recordsOf(`verification=${made.id}&kind=verification.transition&limit=1`);
  client = first?.record.client ?? '';
  receipt = await proofOf(String(created.headers['gatehouse-record']));
  const { dataDir } = system;
  await system.stop(false);
  copy(dataDir, backup);
  system = await startSystem({ dataDir });
});
afterAll(async () => {
  await system.stop();
  rmSync(backup, { recursive: true, force: true });
});

describe('POST /admin/v1/erasures', () => {
  it('is for those who answer for security, and names what is wrong', async () => {
    for (const scope of ['auditor', 'operator', 'incident-manager'])
      expect((await erase<Problem>({}, scope)).body.code).toBe('forbidden-scope');
    const wrong = await erase<{ errors: { pointer: string }[] }>({ client: 'x', ground: 'whim', reason: '', more: 1 });
    expect(wrong.status).toBe(400);
    expect(wrong.body.errors.map(({ pointer }) => pointer).sort()).toEqual(['/client', '/ground', '/more', '/reason']);
    expect((await erase<Problem>({ reference: 'nobody' })).body.code).toBe('not-found');
  });

  it('is refused while a legal hold runs, with its rule in the record', async () => {
    const hold = await system.admin<{ id: string }>('/audit/holds', {
      scope: 'security',
      body: { scope: 'verification', value: made.id, reason: 'a suit' },
    });
    expect(hold.status).toBe(201);
    const refused = await erase<Problem>();
    expect([refused.status, refused.body.code]).toEqual([409, 'conflict']);
    expect(refused.text).not.toContain(REFERENCE);
    const [record] = await recordsOf('rule=erasure.legal-hold');
    expect(record?.record.id).toBe(refused.headers['gatehouse-record']);
    await system.admin(`/audit/holds/${hold.body.id}/release`, { scope: 'security', body: { reason: 'settled' } });
  });

  it('erases all that a key opens: the decision, the webhooks, the answers and the digests', async () => {
    expect(await keptWebhooks()).toBeGreaterThan(0);
    expect(await digestKeys()).toBeGreaterThan(1);
    const answer = await erase();
    erasure = answer.body;
    expect([answer.status, answer.headers['location']]).toEqual([201, `/admin/v1/erasures/${erasure.id}`]);
    expect(erasure.erased['verifications']).toBe(1);
    expect(erasure.erased['vaultKeys']).toBe(2);
    expect(erasure.erased['vaultItems']).toBeGreaterThan(2);
    expect(erasure.erased['digestKeys']).toBeGreaterThan(1);
    expect([await keptWebhooks(), await digestKeys()]).toEqual([0, 0]);
    expect(await count('platform.vault_keys WHERE owner = $1', `subject:${erasure.subject}`)).toBe(0);
    // Nor is anything of the request that asked for it left in the log, or to be recomputed from it.
    const { body: told } = await system.admin<{ record: object }>(
      `/audit/records/${String(answer.headers['gatehouse-record'])}`,
    );
    expect(told.record).not.toHaveProperty('http.requestDigest');
    const text = await withClient(system.credentials.databaseUrl, async (database) => {
      const { rows } = await database.query<{ bytes: Buffer }>(
        'SELECT bytes FROM audit.log UNION ALL SELECT bytes FROM audit.intake',
      );
      return rows.map(({ bytes }) => bytes.toString()).join('\n');
    });
    expect(text).toContain(erasure.subject);
    expect(text).not.toContain(REFERENCE);
    expect(text).not.toContain('letter');
  });

  it('answers the same again, and shows it to auditors', async () => {
    const again = await erase();
    expect([again.status, again.body]).toEqual([200, erasure]);
    const { body: list } = await system.admin<{ items: Erasure[]; nextCursor: null }>('/erasures', {
      scope: 'auditor',
    });
    expect(list).toEqual({ items: [erasure], nextCursor: null });
    expect((await system.admin(`/erasures/${erasure.id}`, { scope: 'auditor' })).body).toEqual(erasure);
    for (const id of ['x', made.id])
      expect((await system.admin(`/erasures/${id}`, { scope: 'auditor' })).status).toBe(404);
    expect((await system.admin<Problem>('/erasures?cursor=x')).body.code).toBe('invalid-cursor');
  });

  it('leaves the verification to its client, without the person', async () => {
    const { status, body: seen } = await read(made.id);
    expect([status, seen.status, seen.subject.reference, seen.url, seen.result]).toEqual([
      200,
      'approved',
      null,
      null,
      null,
    ]);
    const list = await system.v1<{ items: Verification[] }>(
      `/v1/verifications?subject=${encodeURIComponent(REFERENCE)}`,
      {},
      system.credentials.piiClient,
    );
    expect(list.body.items.map(({ id, subject }) => [id, subject.reference])).toEqual([[made.id, null]]);
  });

  it('is proven by a certificate that is checked offline', async () => {
    const certificate = await until(async () => {
      const answer = await system.admin(`/erasures/${erasure.id}/certificate`, { scope: 'auditor' });
      expect([200, 404]).toContain(answer.status);
      return answer.status === 200 ? answer : undefined;
    });
    expect(certificate.headers['content-type']).toBe('text/plain; charset=utf-8');
    const { bytes } = await proven(certificate.text);
    expect(JSON.parse(bytes.toString())).toMatchObject({
      id: erasure.recordId,
      kind: 'subject.erased',
      subject: erasure.subject,
      detail: { erasure: erasure.id, ground: 'request', ...erasure.erased },
    });
  });
});

describe('after an erasure', () => {
  it('every proof holds: the log, and receipts from before', async () => {
    expect(verify(system.dataDir)).toMatchObject({ ok: true, exit: 0, firstBad: null });
    const { bytes } = await proven(receipt);
    expect(JSON.parse(bytes.toString())).toMatchObject({ kind: 'call', verification: made.id });
  });

  it('what the vendor still tells of the person is not kept', async () => {
    const { diditWebhookUrl, diditWebhookSecret } = system.credentials;
    const event = JSON.stringify({
      event_id: randomUUID(),
      session_id: made.vendor.sessionId,
      status: 'Approved',
      timestamp: Math.floor(Date.now() / 1_000),
      webhook_type: 'status.updated',
      decision: { id_verifications: [{ first_name: 'Zoë' }] },
    });
    const signature = createHmac('sha256', diditWebhookSecret).update(event).digest('hex');
    const answer = await system.call(diditWebhookUrl, {
      body: Buffer.from(event),
      headers: {
        'content-type': 'application/json',
        'x-timestamp': String(Math.floor(Date.now() / 1_000)),
        'x-signature': signature,
      },
    });
    expect(answer.status).toBe(200);
    const { body: told } = await system.admin<{ record: { http: object } }>(
      `/audit/records/${String(answer.headers['gatehouse-record'])}`,
    );
    expect(told.record).toMatchObject({ subject: erasure.subject, verification: made.id });
    expect(told.record.http).not.toHaveProperty('requestDigest');
    const [received] = await recordsOf(`kind=webhook.received&subject=${erasure.subject}&limit=1`);
    expect(received?.record.detail).toMatchObject({ session: made.vendor.sessionId, duplicate: false });
    expect(await count('webhooks.inbox WHERE session_id = $1 AND raw IS NOT NULL', made.vendor.sessionId)).toBe(0);
    expect(
      await count(
        `webhooks.inbox WHERE session_id = $1 AND digest <> decode(repeat('00', 32), 'hex')`,
        made.vendor.sessionId,
      ),
    ).toBe(0);
    expect([await keptWebhooks(), (await read(made.id)).body.result]).toEqual([0, null]);
  });

  it('who comes back begins anew', async () => {
    const back = await system.v1<Verification>(
      '/v1/verifications',
      { body: body(REFERENCE) },
      system.credentials.piiClient,
    );
    expect(back.status).toBe(201);
    expect((await read(back.body.id)).body.subject.reference).toBe(REFERENCE);
    expect((await read(made.id)).body.subject.reference).toBeNull();
  });
});

describe('after a restore from before it', () => {
  it('the person is erased again before anybody is let in, and every proof holds', async () => {
    const { dataDir } = system;
    const journal = join(dataDir, 'erasures.jsonl');
    await system.stop(false);
    copyFileSync(journal, `${backup}.jsonl`);
    rmSync(dataDir, { recursive: true });
    copy(backup, dataDir);
    copyFileSync(`${backup}.jsonl`, journal);
    rmSync(`${backup}.jsonl`);
    system = await startSystem({ dataDir });
    const { status, body: seen } = await read(made.id);
    expect([status, seen.subject.reference, seen.result]).toEqual([200, null, null]);
    expect([await keptWebhooks()]).toEqual([0]);
    const { body: again } = await system.admin<Erasure>(`/erasures/${erasure.id}`);
    expect(again).toMatchObject({ subject: erasure.subject, at: erasure.at });
    expect(again.replayedAt).not.toBeNull();
    const [record] = await recordsOf('kind=subject.erased');
    expect(record?.record).toMatchObject({
      id: again.recordId,
      subject: erasure.subject,
      detail: { replayed: true, first: erasure.recordId, erasure: erasure.id, erasedAt: erasure.at },
    });
    expect((await erase()).body.id).toBe(erasure.id);
    expect(verify(dataDir)).toMatchObject({ ok: true, exit: 0 });
    await proven(receipt);
  });

  it('the same is done by hand, from a journal that is named', async () => {
    const { dataDir, credentials } = system;
    const journal = join(dataDir, 'erasures.jsonl');
    await withClient(credentials.databaseUrl, (database) =>
      database.query(`UPDATE orchestration.verifications SET erased_at = NULL, sealed_subject = 'x' WHERE id = $1`, [
        made.id,
      ]),
    );
    const run = (file: string) =>
      spawnSync(process.execPath, [CLI, 'replay-erasures', '--journal', file], {
        env: { PATH: process.env['PATH'] ?? '', GATEHOUSE_DATA_DIR: dataDir },
        encoding: 'utf8',
      });
    const first = run(journal);
    expect([first.stdout, first.status]).toEqual(['replayed 1 of 1 erasures, 0 held, 0 strange lines\n', 0]);
    expect(run(journal).stdout).toBe('replayed 0 of 1 erasures, 0 held, 0 strange lines\n');
    expect(run(`${journal}.none`).stderr).toContain('there is no such file');
    expect((await read(made.id)).body.subject.reference).toBeNull();
    expect(await recordsOf(`kind=subject.erased&subject=${erasure.subject}`)).toHaveLength(2);
  });
});
