import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Call, ProblemError } from '../../platform/index.js';
import { clientTag } from '../../vendors/index.js';
import { AuditedCommit } from '../call-commit.js';
import { LEASE_MS } from '../idempotency/leases.js';
import { Ownership } from '../ownership/ownership.js';
import { openSpecHouse, QUIET, REPLY, type SpecHouse } from '../testing/spec-house.js';
import type { CreateBody } from './schemas.js';
import { PATIENCE_MS, REST_MS, VerificationSearch } from './verification-search.js';
import { VerificationsController } from './verifications.controller.js';
import type { VerificationView } from './verification-views.js';

const bodyFor = (reference: string): CreateBody => ({
  workflow: 'onboarding',
  subject: { reference, relationship: 'customer' },
  callback: 'https://bank.example/done',
  language: 'es',
  metadata: { branch: 7 },
  expected: { firstName: 'Nuria', dateOfBirth: '1984-02-29', expectedDocumentTypes: ['P'] },
});

describe('making a verification', () => {
  let house: SpecHouse;
  let controller: VerificationsController;
  let client: string;

  beforeAll(async () => {
    house = await openSpecHouse(`${QUIET}workflows: { onboarding: { fallback: [] } }`);
    controller = house.get(VerificationsController, { strict: false });
  });
  afterAll(() => house.stop());
  beforeEach(() => {
    client = randomUUID();
  });
  afterEach(() => {
    house.vendor.sessions.length = 0;
    house.vendor.asked.length = 0;
    house.vendor.before = undefined;
  });

  /** A whole call, from its key to its commit, as the corridor would make it. */
  async function create(
    key: string,
    body: CreateBody,
  ): Promise<{ call: Call; view?: VerificationView; code?: string }> {
    const call = await house.write(client, key, body);
    const commit = house.get(AuditedCommit, { strict: false });
    try {
      const view = await controller.create(call, body, REPLY);
      const text = JSON.stringify(view);
      await commit.commit(call, { status: 201, headers: {}, body: text, bytesOut: text.length });
      return { call, view };
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      await commit.commit(call, { status: error.status, headers: {}, body: '{}', bytesOut: 2 });
      return { call, code: error.code };
    }
  }

  const kinds = async (id: string) =>
    (await house.records(id)).map((record) => {
      const { event } = (record['detail'] ?? {}) as { event?: string };
      return event === undefined ? record['kind'] : `${String(record['kind'])} ${event}`;
    });
  const search = () => house.get(VerificationSearch, { strict: false }).round();

  it('answers with the session, and asks the vendor in the namespace of the client', async () => {
    const { view } = await create('k', bodyFor('cust-42'));
    const session = house.vendor.session(view?.vendor.sessionId ?? null);
    expect(view).toMatchObject({
      status: 'pending',
      workflow: { name: 'onboarding', version: 1 },
      subject: { reference: 'cust-42', relationship: 'customer' },
      url: session.session_url,
      vendor: { name: 'didit', sessionId: session.session_id },
      expiresAt: new Date(house.clock.epochMs() + 7 * 86_400_000).toISOString(),
    });
    expect(view?.steps).toHaveLength(4);
    expect(session.vendor_data).toBe(`${clientTag(client)}:cust-42`);
    expect(house.vendor.asked[0]?.request.body).toMatchObject({
      json: {
        callback: 'https://bank.example/done',
        language: 'es',
        metadata: { branch: 7 },
        expected_details: { first_name: 'Nuria', date_of_birth: '1984-02-29', expected_document_types: ['P'] },
      },
    });
  });

  it('has intent and row durable before the vendor is asked, and tells each change', async () => {
    let before: unknown[] = [];
    house.vendor.before = async () => {
      const [row] = await house.database.query<{ id: string }>(
        'SELECT id FROM orchestration.verifications WHERE client_id = $1',
        [client],
      );
      before = await kinds(row?.id ?? '');
    };
    const { view } = await create('k', bodyFor('cust-1'));
    expect(before).toEqual(['vendor.intent']);
    expect((await kinds(view?.id ?? '')).map(String).sort()).toEqual([
      'call',
      'vendor.intent',
      'verification.transition session.attached',
    ]);
    expect(await house.get(Ownership, { strict: false }).ownerOf('session', view?.vendor.sessionId ?? '')).toBe(client);
  });

  it('keeps no reference and no link in the clear', async () => {
    const { view } = await create('k', bodyFor('very-personal-reference'));
    const [row] = await house.database.query<{ text: string }>(
      'SELECT v::text AS text FROM orchestration.verifications v WHERE id = $1',
      [view?.id],
    );
    const records = JSON.stringify(await house.records(view?.id ?? ''));
    for (const secret of ['very-personal-reference', view?.url ?? 'none']) {
      expect(row?.text).not.toContain(secret);
      expect(row?.text).not.toContain(Buffer.from(secret).toString('hex'));
      expect(records).not.toContain(secret);
    }
  });

  it.each([
    ['before', false],
    ['after', true],
  ])('makes one session when the vendor was lost %s it did its work', async (_, after) => {
    house.vendor.fail('session.create', { problem: 'vendor-timeout', outcome: 'unknown', after });
    expect(await create('k', bodyFor('cust-2'))).toMatchObject({ code: 'vendor-timeout' });
    const { view } = await create('k', bodyFor('cust-2'));
    expect(view?.url).toBe(house.vendor.sessions[0]?.session_url);
    expect(house.vendor.sessions).toHaveLength(1);
    expect(house.vendor.count('session.create')).toBe(after ? 1 : 2);
    expect(house.vendor.count('session.list')).toBe(1);
    const [rows] = await house.database.query<{ n: string }>(
      'SELECT count(*) AS n FROM orchestration.verifications WHERE client_id = $1',
      [client],
    );
    expect(rows?.n).toBe('1');
    expect(await house.signals('vendor.failed')).toContainEqual({
      kind: 'vendor.failed',
      subject: 'didit',
      detail: { operation: 'session.create', problem: 'vendor-timeout' },
    });
  });

  it('does not look when the vendor has certainly done nothing', async () => {
    house.vendor.fail('session.create', { problem: 'vendor-unavailable', outcome: 'none' });
    expect(await create('k', bodyFor('cust-3'))).toMatchObject({ code: 'vendor-unavailable' });
    const { view } = await create('k', bodyFor('cust-3'));
    expect(view?.status).toBe('pending');
    expect(house.vendor.count('session.list')).toBe(0);
  });

  it('goes on looking after a refusal that says nothing about the attempt before it', async () => {
    house.vendor.fail(
      'session.create',
      { problem: 'vendor-error', outcome: 'unknown' },
      { problem: 'vendor-unavailable', outcome: 'none' },
    );
    await create('k', bodyFor('cust-4'));
    await create('k', bodyFor('cust-4'));
    await create('k', bodyFor('cust-4'));
    expect(house.vendor.count('session.list')).toBe(2);
    expect(house.vendor.sessions).toHaveLength(1);
  });

  it('adopts a session that is finished by now, and no older one', async () => {
    const old = await create('old', bodyFor('cust-5'));
    house.vendor.session(old.view?.vendor.sessionId ?? null).status = 'Approved';
    house.clock.advance(3_600_000);
    house.vendor.fail('session.create', { problem: 'vendor-error', outcome: 'unknown', after: true });
    await create('new', bodyFor('cust-5'));
    const [made] = house.vendor.sessions;
    if (made) made.status = 'Declined';
    const { view } = await create('new', bodyFor('cust-5'));
    expect(view?.vendor.sessionId).toBe(made?.session_id);
    expect(view?.status).toBe('declined');
    expect(house.vendor.sessions).toHaveLength(2);
  });

  it('ends as failed when the vendor refuses the request, and says which member', async () => {
    house.vendor.refuse('session.create', 400, 'invalid-request', { callback: ['Enter a valid URL.'] });
    const { call, code } = await create('k', bodyFor('cust-6'));
    expect(code).toBe('unprocessable');
    expect(await kinds(call.verification ?? '')).toContain('verification.transition create.refused');
    const again = await house.write(client, 'k', bodyFor('cust-6')).catch((error: unknown) => error);
    expect(again).toMatchObject({ status: 422 });
  });

  it('is one verification for many at once, and one session', async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    house.vendor.before = () => gate;
    // Whichever of them takes the key waits at the gate until the six others were refused.
    let refused = 0;
    const outcomes = await Promise.all(
      Array.from({ length: 7 }, async () => {
        try {
          return await create('k', bodyFor('cust-7'));
        } catch (error) {
          refused += 1;
          if (refused === 6) open();
          return error;
        }
      }),
    );
    const made = outcomes.filter((outcome) => !(outcome instanceof Error));
    expect(made).toMatchObject([{ view: { status: 'pending' } }]);
    for (const other of outcomes.filter((outcome) => outcome instanceof Error)) {
      expect(other).toMatchObject({ code: 'idempotency-in-progress' });
    }
    expect(house.vendor.count('session.create')).toBe(1);
  });

  it('goes on after a crash between the intent and the end', async () => {
    const body = bodyFor('cust-8');
    house.vendor.before = () => new Promise(() => {});
    const dead = await house.write(client, 'k', body);
    void controller.create(dead, body, REPLY);
    while (house.vendor.count('session.create') === 0) await new Promise((resolve) => setImmediate(resolve));
    house.vendor.before = undefined;
    house.clock.advance(LEASE_MS);
    const { view } = await create('k', body);
    expect(view?.id).toBe(dead.verification);
    expect(house.vendor.count('session.list')).toBe(1);
  });

  it('gives an unfinished session of the same subject to a second verification', async () => {
    const one = await create('a', bodyFor('cust-9'));
    const session = house.vendor.session(one.view?.vendor.sessionId ?? null);
    session.status = 'In Progress';
    const two = await create('b', bodyFor('cust-9'));
    expect(two.view?.id).not.toBe(one.view?.id);
    expect(two.view?.vendor.sessionId).toBe(session.session_id);
    expect(two.view?.status).toBe('in-progress');
  });

  describe('whose caller never came back', () => {
    it('finds in the background what the vendor had made', async () => {
      house.vendor.fail('session.create', { problem: 'vendor-timeout', outcome: 'unknown', after: true });
      const { call } = await create('k', bodyFor('cust-10'));
      await search();
      expect(house.vendor.count('session.list')).toBe(0);
      house.clock.advance(REST_MS);
      await search();
      const read = await controller.read(house.call(client), call.verification ?? '', REPLY);
      expect(read).toMatchObject({ status: 'pending', vendor: { sessionId: house.vendor.sessions[0]?.session_id } });
      expect(await kinds(read.id)).toContain('vendor.call');
    });

    it('is failed once it was looked for often enough, and revived by a repeat', async () => {
      house.vendor.fail('session.create', { problem: 'vendor-timeout', outcome: 'unknown' });
      const { call } = await create('k', bodyFor('cust-11'));
      const status = async () => (await controller.read(house.call(client), call.verification ?? '', REPLY)).status;
      for (let round = 0; round < 5; round += 1) {
        expect(await status()).toBe('pending');
        house.clock.advance(REST_MS);
        await search();
      }
      expect(await status()).toBe('failed');
      const { view } = await create('k', bodyFor('cust-11'));
      expect(view).toMatchObject({ id: call.verification, status: 'pending' });
    });

    it('counts no search while the vendor cannot be asked', async () => {
      house.vendor.fail('session.create', { problem: 'vendor-timeout', outcome: 'unknown' });
      const { call } = await create('k', bodyFor('cust-12'));
      const trouble = Array.from({ length: 8 }, () => ({ problem: 'vendor-error', outcome: 'none' }) as const);
      house.vendor.fail('session.list', ...trouble);
      for (let round = 0; round < 8; round += 1) {
        house.clock.advance(REST_MS);
        await search();
      }
      expect((await controller.read(house.call(client), call.verification ?? '', REPLY)).status).toBe('pending');
    });

    it('is failed without a look when the vendor has certainly made nothing', async () => {
      house.vendor.fail('session.create', { problem: 'vendor-unavailable', outcome: 'none' });
      const { call } = await create('k', bodyFor('cust-13'));
      house.clock.advance(PATIENCE_MS);
      await search();
      expect((await controller.read(house.call(client), call.verification ?? '', REPLY)).status).toBe('failed');
    });
  });
});
