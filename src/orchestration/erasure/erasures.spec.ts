import { randomUUID } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ErasureJournal, LegalHolds } from '../../audit/index.js';
import { type Answer, type Call, CONFIG, type Config, Database, Keyring } from '../../platform/index.js';
import { AuditedCommit } from '../call-commit.js';
import { withClient } from '../../../test/support/audit.js';
import { openSpecHouse, type SpecHouse } from '../testing/spec-house.js';
import type { CreateBody } from '../verifications/schemas.js';
import { SubjectSecrets } from '../verifications/subject-secrets.js';
import { VerificationStarter } from '../workflows/verification-starter.js';
import { VerificationFollower } from '../verifications/verification-follower.js';
import { VerificationReader } from '../verifications/verification-reader.js';
import { VerificationViews } from '../verifications/verification-views.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';
import { ErasureReplay } from './erasure-replay.js';
import { ErasureRounds } from './erasure-rounds.js';
import { ErasureRules, Erasures } from './erasures.js';
import { ErasureStore } from './erasure-store.js';
import { ErasureWriter } from './erasure-writer.js';

const BY = '0190a7b2-3333-7000-8000-000000000001';
const client = randomUUID();
const KEEP_MS = 1_827 * 86_400_000;

let house: SpecHouse;
beforeAll(async () => {
  house = await openSpecHouse();
});
afterAll(() => house.stop());

const get = <T>(token: abstract new (...args: never[]) => T): T => house.get(token, { strict: false });
const bodyFor = (reference: string): CreateBody => ({
  workflow: 'onboarding',
  subject: { reference, relationship: 'prospect' },
});
const answerOf = (body: string): Answer => ({ status: 201, headers: {}, body, bytesOut: body.length });

/** As room 10 ends a call: with its record, the key of its digests, and the answer kept under its Idempotency-Key. */
async function commit(call: Call, body: string): Promise<void> {
  await get(AuditedCommit).commit(call, answerOf(body));
}

async function create(reference: string, key: string = randomUUID()): Promise<VerificationEntity> {
  const call = await house.write(client, key, bodyFor(reference));
  const row = await get(VerificationStarter).create(call, bodyFor(reference));
  await commit(call, JSON.stringify({ reference }));
  house.clock.advance(10);
  return row;
}

/** Verified to the end: with the vendor's decision kept. */
async function verified(reference: string): Promise<VerificationEntity> {
  const row = await create(reference);
  house.vendor.session(row.sessionId).status = 'Approved';
  await get(VerificationFollower).followSession({ job: 'spec' }, row.sessionId ?? '');
  return row;
}

function admin(): Call {
  const caller = { kind: 'administrator', id: BY, name: 'ana', roles: new Set(['security']), tokenId: 'tok' };
  return { ...house.call(client), caller } as unknown as Call;
}

const erase = (reference: string, ground: 'request' | 'retention-over' = 'request') => {
  house.clock.advance(10);
  const erasing = get(Erasures).erase(admin(), { client, reference, reason: 'asked by letter', ground });
  return erasing.finally(() => house.clock.advance(10));
};

const one = async (sql: string, ...values: unknown[]): Promise<number> => {
  const [row] = await house.database.query<{ n: number }>(`SELECT count(*)::integer AS n FROM ${sql}`, values);
  return row?.n ?? -1;
};
/** What is left of a subject that a key opens. */
async function left(subject: string, ids: string[] = []): Promise<Record<string, number>> {
  return {
    keys: await one('platform.vault_keys WHERE owner = $1', `subject:${subject}`),
    items: await one('platform.vault WHERE owner = $1', `subject:${subject}`),
    digests: await one('audit.digest_about WHERE about = ANY($1)', [subject, ...ids]),
    sealed: await one(
      `orchestration.verifications WHERE subject = $1 AND (sealed_subject <> '' OR sealed_link IS NOT NULL OR decision IS NOT NULL)`,
      subject,
    ),
    answers: await one(
      'orchestration.idempotency i JOIN orchestration.verifications v ON v.idempotency_id = i.id WHERE v.subject = $1 AND i.answer IS NOT NULL',
      subject,
    ),
  };
}
const NOTHING = { keys: 0, items: 0, digests: 0, sealed: 0, answers: 0 };
const records = async (subject: string, kind = 'subject.erased'): Promise<Record<string, unknown>[]> => {
  const rows = await house.database.query<{ bytes: Buffer }>(
    `SELECT bytes FROM (SELECT id, bytes, kind, subject FROM audit.log UNION ALL SELECT id, bytes, kind, subject FROM audit.intake) r
      WHERE kind = $1 AND subject = $2 ORDER BY id`,
    [kind, subject],
  );
  return rows.map(({ bytes }) => JSON.parse(bytes.toString()) as Record<string, unknown>);
};
const lines = async (subject: string): Promise<string[]> => {
  const text = await readFile(get(ErasureJournal).path, 'utf8');
  return text.split('\n').filter((line) => line.includes(subject));
};
const view = async (id: string) => {
  const call = house.call(client, ['verifications:read', 'verifications:link', 'pii:read', 'didit:media']);
  return get(VerificationViews).decided(call, await get(VerificationReader).read(call, id));
};

describe('an erasure', () => {
  it('leaves nothing that a key opens, and tells it in the log and beside the database', async () => {
    const [first, second] = [await verified('ana-1'), await create('ana-1')];
    const other = await verified('ben-1');
    expect(await left(first.subject)).toEqual({ keys: 1, items: 1, digests: 2, sealed: 2, answers: 2 });
    const erasure = await erase('ana-1');
    expect(erasure).toMatchObject({
      subject: first.subject,
      repeated: false,
      erased: { digestKeys: 2, vaultItems: 3, vaultKeys: 1, verifications: 2 },
    });
    expect(await left(first.subject, [first.id, second.id])).toEqual(NOTHING);
    expect(await left(other.subject)).toEqual({ keys: 1, items: 1, digests: 1, sealed: 1, answers: 1 });
    const [record, ...more] = await records(first.subject);
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      id: erasure.recordId,
      actor: BY,
      client,
      subject: first.subject,
      detail: { erasure: erasure.id, ground: 'request', ...erasure.erased },
    });
    expect(JSON.stringify(record)).not.toMatch(/ana-1|letter/);
    const [line, ...others] = await lines(first.subject);
    expect(others).toEqual([]);
    expect(JSON.parse(line ?? '')).toMatchObject({ erasure: erasure.id, record: erasure.recordId, client });
    expect(line).not.toMatch(/ana-1|letter/);
  });

  it('is answered as the first time when the person has not come back, and done anew when they have', async () => {
    const row = await create('ana-2');
    const first = await erase('ana-2');
    const [again, meanwhile] = await Promise.all([erase('ana-2'), erase('ana-2', 'retention-over')]);
    for (const repeated of [again, meanwhile]) expect(repeated).toEqual({ ...first, repeated: true });
    expect(await records(row.subject)).toHaveLength(1);
    const back = await create('ana-2');
    expect(back.subject).toBe(row.subject);
    expect((await view(back.id)).subject.reference).toBe('ana-2');
    const second = await erase('ana-2');
    expect([second.id === first.id, second.repeated, second.erased.verifications]).toEqual([false, false, 1]);
    expect(await left(row.subject, [row.id, back.id])).toEqual(NOTHING);
  });

  it('of a reference that this client never gave is not known', async () => {
    await create('ana-3');
    await expect(erase('ana-33')).rejects.toMatchObject({ code: 'not-found', rule: 'subject.unknown' });
    const foreign = get(Erasures).erase(admin(), {
      client: randomUUID(),
      reference: 'ana-3',
      reason: 'x',
      ground: 'request',
    });
    await expect(foreign).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is told to whoever asks for the verification, beside one of the person who came back', async () => {
    const row = await verified('ana-4');
    expect(await view(row.id)).toMatchObject({ subject: { reference: 'ana-4' }, result: { status: 'Approved' } });
    await erase('ana-4');
    const back = await create('ana-4');
    expect(await view(row.id)).toMatchObject({
      status: 'approved',
      subject: { reference: null },
      url: null,
      result: null,
    });
    const call = house.call(client);
    const { rows } = await get(VerificationReader).page(call, { limit: 50, subject: 'ana-4' });
    const views = await get(VerificationViews).of(call, rows);
    expect(views.map(({ id, subject }) => [id, subject.reference])).toEqual([
      [back.id, 'ana-4'],
      [row.id, null],
    ]);
  });

  it('keeps a late repeat of the call from making the person known again', async () => {
    const key = randomUUID();
    await create('ana-5', key);
    await erase('ana-5');
    await expect(house.write(client, key, bodyFor('ana-5'))).rejects.toMatchObject({ rule: 'idempotency.erased' });
  });

  it('does not happen without its record, nor without its line in the journal', async () => {
    const row = await create('ana-6');
    const journal = vi.spyOn(get(ErasureJournal), 'add').mockRejectedValueOnce(new Error('the disk is full'));
    await expect(erase('ana-6')).rejects.toMatchObject({ code: 'audit-unavailable', rule: 'erasure.journal' });
    journal.mockRestore();
    expect(await left(row.subject)).toEqual({ keys: 1, items: 0, digests: 1, sealed: 1, answers: 1 });
    expect(await records(row.subject)).toEqual([]);
    await expect(erase('ana-6')).resolves.toMatchObject({ repeated: false });
  });
});

describe('what is under way at an erasure', () => {
  it('keeps no decision that the vendor was asked for before', async () => {
    const row = await create('bea-1');
    house.vendor.session(row.sessionId).status = 'Approved';
    house.vendor.before = async (operation) => {
      house.vendor.before = undefined;
      if (operation === 'session.decision') await erase('bea-1');
    };
    await get(VerificationFollower).followSession({ job: 'spec' }, row.sessionId ?? '');
    expect(await left(row.subject, [row.id])).toEqual(NOTHING);
    const { followers } = await get(VerificationFollower).followSession({ job: 'spec' }, row.sessionId ?? '');
    expect(followers).toBe(0);
  });

  it('keeps no link, no answer and, a round later, no digest of a call that was making a verification', async () => {
    const call = await house.write(client, randomUUID(), bodyFor('bea-2'));
    house.vendor.before = async () => {
      house.vendor.before = undefined;
      await erase('bea-2');
    };
    const row = await get(VerificationStarter).create(call, bodyFor('bea-2'));
    expect(row.sessionId).not.toBeNull();
    call.rawBody = Buffer.from(JSON.stringify(bodyFor('bea-2')));
    await commit(call, 'bea-2');
    expect(await left(row.subject, [row.id])).toEqual({ ...NOTHING, digests: 1 });
    await get(ErasureRounds).round();
    expect(await left(row.subject, [row.id])).toEqual(NOTHING);
    expect((await records(row.subject)).map(({ detail }) => detail)).toMatchObject([
      { verifications: 1 },
      { replayed: true, digestKeys: 1, verifications: 0 },
    ]);
    await get(ErasureRounds).round();
    expect(await records(row.subject)).toHaveLength(2);
  });

  it('waits for the erasure, and then begins under a key of its own', async () => {
    const row = await create('bea-3');
    const { promise: erasing, resolve: begin } = Promise.withResolvers<void>();
    const { promise: goOn, resolve: end } = Promise.withResolvers<void>();
    const add = vi.spyOn(get(ErasureJournal), 'add').mockImplementationOnce(async () => {
      begin();
      await goOn;
    });
    const erased = erase('bea-3');
    await erasing;
    const back = create('bea-3');
    await vi.waitFor(async () => {
      expect(await one(`pg_locks WHERE locktype = 'advisory' AND NOT granted`)).toBe(1);
    });
    end();
    await erased;
    add.mockRestore();
    expect((await view((await back).id)).subject.reference).toBe('bea-3');
    expect((await view(row.id)).subject.reference).toBeNull();
  });

  it('leaves what came after it to the person who came back', async () => {
    const row = await create('bea-4');
    await erase('bea-4');
    const back = await create('bea-4');
    await get(ErasureRounds).round();
    expect((await view(back.id)).subject.reference).toBe('bea-4');
    expect(await records(row.subject)).toHaveLength(1);
  });
});

describe('erasures, creates and looks at the vendor all at once', () => {
  it('end in nobody waiting for another, and in nothing kept of whoever was erased last', async () => {
    const row = await create('dan-1');
    const looks = async () => {
      for (const { session_id: session } of house.vendor.sessions.slice(0, 4))
        await get(VerificationFollower).followSession({ job: 'spec' }, session);
    };
    house.vendor.session(row.sessionId).status = 'Approved';
    for (let n = 0; n < 8; n += 1)
      await Promise.all([create('dan-1'), looks(), erase('dan-1'), create('dan-1'), looks(), erase('dan-1')]);
    await erase('dan-1');
    await get(ErasureRounds).round();
    expect(await left(row.subject)).toEqual(NOTHING);
  });
});

describe('an erasure is refused', () => {
  const asked = (rule: string) => expect.objectContaining({ code: 'conflict', rule }) as object;

  it('while a legal hold runs on the subject', async () => {
    const row = await create('carl-1');
    const hold = await get(LegalHolds).place(admin(), { scope: 'subject', value: row.subject, reason: 'suit' });
    await expect(erase('carl-1')).rejects.toEqual(asked('erasure.legal-hold'));
    expect(await left(row.subject)).toMatchObject({ keys: 1 });
    await get(LegalHolds).release(admin(), hold.id, 'settled');
    await expect(erase('carl-1')).resolves.toMatchObject({ repeated: false });
  });

  it('until what must be kept has been kept long enough, and says until when', async () => {
    const config = house.get<Config>(CONFIG, { strict: false });
    const keeping = { ...config, erasure: { keepAfterLastVerification: KEEP_MS } };
    const erasures = new Erasures(
      house.database,
      get(ErasureStore),
      new ErasureRules(get(LegalHolds), house.clock, keeping),
      get(ErasureWriter),
      get(SubjectSecrets),
    );
    const asking = { client, reference: 'carl-2', reason: 'x', ground: 'retention-over' } as const;
    const row = await verified('carl-2');
    const refused = await erasures.erase(admin(), asking).catch((error: unknown) => error);
    expect(refused).toEqual(asked('erasure.retention-duty'));
    const { detail } = refused as { detail: string };
    expect(detail).toMatch(/until 2031-03-1\dT\d\d:\d\d:\d\d\.\d{3}Z\.$/);
    expect(detail).not.toContain(row.subject);
    house.clock.advance(KEEP_MS);
    await expect(erasures.erase(admin(), asking)).resolves.toMatchObject({ repeated: false });
  });
});

describe('after a restore', () => {
  const TABLES = [
    'platform.vault_keys',
    'platform.vault',
    'orchestration.verifications',
    'orchestration.workflow_runs',
    'orchestration.workflow_steps',
    'orchestration.uploads',
    'orchestration.idempotency',
    'orchestration.erasures',
  ];

  /** Of what an erasure changes, but for the log. @returns what brings it back */
  async function backup(): Promise<() => Promise<void>> {
    const copy = (table: string) => `public.${table.replace('.', '_')}`;
    const run = (statements: string[]) =>
      withClient(house.superuserUrl, (superuser) => superuser.query(statements.join(';')));
    await run(
      TABLES.map((table) => `DROP TABLE IF EXISTS ${copy(table)}; CREATE TABLE ${copy(table)} AS TABLE ${table}`),
    );
    return async () => {
      await run([
        `TRUNCATE ${TABLES.join(', ')}`,
        ...TABLES.map((table) => `INSERT INTO ${table} SELECT * FROM ${copy(table)}`),
      ]);
    };
  }

  it('whoever was erased is erased again, and nobody else', async () => {
    const [row, other] = [await verified('dora-1'), await verified('dora-2')];
    const restore = await backup();
    const first = await erase('dora-1');
    await restore();
    expect(await left(row.subject)).toMatchObject({ keys: 1, items: 1, sealed: 1 });
    const before = await get(ErasureReplay).replay(get(ErasureJournal));
    expect(before).toMatchObject({ replayed: 1, held: 0, strange: 0 });
    expect(await left(row.subject, [row.id])).toEqual(NOTHING);
    expect(await left(other.subject)).toMatchObject({ keys: 1, items: 1, sealed: 1 });
    const [, again] = await records(row.subject);
    expect(again).toMatchObject({
      actor: 'gateway',
      detail: { erasure: first.id, replayed: true, first: first.recordId, verifications: 1, vaultKeys: 1 },
    });
    expect(await get(ErasureReplay).replay(get(ErasureJournal))).toMatchObject({ replayed: 0 });
    expect(await lines(row.subject)).toHaveLength(1);
  });

  it('a legal hold of today keeps it waiting', async () => {
    const row = await verified('dora-3');
    const restore = await backup();
    await erase('dora-3');
    await restore();
    const hold = await get(LegalHolds).place(admin(), { scope: 'subject', value: row.subject, reason: 'suit' });
    expect(await get(ErasureReplay).replay(get(ErasureJournal))).toMatchObject({ replayed: 0, held: 1 });
    expect(await left(row.subject)).toMatchObject({ keys: 1 });
    await get(LegalHolds).release(admin(), hold.id, 'settled');
    expect(await get(ErasureReplay).replay(get(ErasureJournal))).toMatchObject({ replayed: 1, held: 0 });
  });
});

describe('another instance', () => {
  it('takes erasures out of the log into its own journal, once', async () => {
    const row = await create('eve-1');
    await erase('eve-1');
    const { path } = get(ErasureJournal);
    await rename(path, `${path}.other`);
    const journal = new ErasureJournal(path, get(Keyring));
    const rounds = new ErasureRounds(
      get(ErasureReplay),
      journal,
      { since: () => Promise.resolve([]) } as never,
      get(Database),
      house.clock,
      { warn: () => {} } as never,
    );
    await rounds.round();
    await rounds.round();
    expect(await lines(row.subject)).toHaveLength(1);
    expect((await journal.read()).strange).toBe(0);
  });
});
