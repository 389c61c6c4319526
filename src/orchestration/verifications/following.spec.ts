import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Call, ProblemError } from '../../platform/index.js';
import { openSpecHouse, REPLY, type SpecHouse } from '../testing/spec-house.js';
import type { SpecSession } from '../testing/spec-vendor.js';
import { type CreateBody, listSchema } from './schemas.js';
import { VerificationFollower } from './verification-follower.js';
import { VerificationsController } from './verifications.controller.js';

const APPROVED = {
  id_verifications: [
    {
      node_id: 'feature_ocr',
      status: 'Approved',
      first_name: 'Nuria',
      document_number: 'AB1234567',
      date_of_birth: '1984-02-29',
      front_image: 'https://media.vendor.test/front.jpg?X-Amz-Signature=abc',
      warnings: [
        { feature: 'ID_VERIFICATION', risk: 'QR_NOT_DETECTED', log_type: 'information', node_id: 'feature_ocr' },
      ],
    },
  ],
  aml_screenings: [{ node_id: 'feature_aml', status: 'Approved', total_hits: 0, score: 0, hits: [], warnings: [] }],
};

const PLAIN = ['verifications:read'];
const PERSONAL = [...PLAIN, 'pii:read'];
const MEDIA = [...PERSONAL, 'didit:media'];

describe('following a session', () => {
  let house: SpecHouse;
  let controller: VerificationsController;
  let follower: VerificationFollower;
  let client: string;

  beforeAll(async () => {
    house = await openSpecHouse();
    controller = house.get(VerificationsController, { strict: false });
    follower = house.get(VerificationFollower, { strict: false });
  });
  afterAll(() => house.stop());
  beforeEach(() => {
    client = randomUUID();
    house.vendor.asked.length = 0;
    house.vendor.before = undefined;
  });

  async function begun(reference: string = randomUUID()): Promise<{ id: string; session: SpecSession; call: Call }> {
    const body: CreateBody = { workflow: 'onboarding', subject: { reference, relationship: 'prospect' } };
    const call = await house.write(client, randomUUID(), body);
    const { id, vendor } = await controller.create(call, body, REPLY);
    return { id, session: house.vendor.session(vendor.sessionId), call };
  }

  function decide(session: SpecSession, status: string, modules: Record<string, unknown> = APPROVED): void {
    session.status = status;
    session.modules = modules;
  }

  const read = (id: string, scopes = PLAIN) => controller.read(house.call(client, scopes), id, REPLY);
  const refusal = async (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: unknown) => (error instanceof ProblemError ? error.code : error),
    );
  const transitions = async (id: string) =>
    (await house.records(id)).flatMap(({ kind, detail }) => {
      const { from, to } = (detail ?? {}) as Record<string, string>;
      return kind === 'verification.transition' ? [`${from}>${to}`] : [];
    });

  it('answers what is known within two seconds, and asks after that', async () => {
    const { id, session } = await begun();
    decide(session, 'Approved');
    expect(await read(id)).toMatchObject({ status: 'pending', result: null, warnings: [] });
    house.clock.advance(1_999);
    expect((await read(id)).status).toBe('pending');
    house.clock.advance(1);
    const view = await read(id);
    expect(view.status).toBe('approved');
    expect(view.steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'id-verification passed',
      'passive-liveness skipped',
      'face-match skipped',
      'aml-screening passed',
    ]);
    expect(house.vendor.count('session.decision')).toBe(1);
    house.clock.advance(60_000);
    await read(id);
    expect(house.vendor.count('session.decision')).toBe(1);
  });

  it('asks once for many who want to know at the same time', async () => {
    const { id } = await begun();
    house.clock.advance(5_000);
    await Promise.all(Array.from({ length: 10 }, () => read(id)));
    expect(house.vendor.count('session.decision')).toBe(1);
  });

  it('shows each caller what it may see, without asking the vendor again', async () => {
    const { id, session } = await begun();
    decide(session, 'Declined');
    await follower.followSession({ job: 'spec' }, session.session_id);
    house.vendor.asked.length = 0;
    const plain = await read(id);
    expect(plain.url).toBeNull();
    expect(plain.result?.idVerifications[0]).toMatchObject({
      status: 'Approved',
      documentNumber: '4567',
      dateOfBirth: '1984',
    });
    expect(JSON.stringify(plain)).not.toContain('Nuria');
    expect(plain.warnings).toEqual([
      { feature: 'ID_VERIFICATION', risk: 'QR_NOT_DETECTED', logType: 'information', nodeId: 'feature_ocr' },
    ]);
    const personal = await read(id, PERSONAL);
    expect(personal.result?.idVerifications[0]).toMatchObject({ firstName: 'Nuria', documentNumber: 'AB1234567' });
    expect(JSON.stringify(personal)).not.toContain('X-Amz-Signature');
    expect(house.vendor.asked).toHaveLength(0);
    const media = await read(id, MEDIA);
    expect(JSON.stringify(media)).toContain('X-Amz-Signature');
    expect(house.vendor.count('session.decision')).toBe(1);
  });

  it('is not troubled by a vendor in trouble', async () => {
    const { id, session } = await begun();
    decide(session, 'In Review');
    await follower.followSession({ job: 'spec' }, session.session_id);
    const trouble = { problem: 'vendor-timeout', outcome: 'unknown' } as const;
    house.vendor.fail('session.decision', trouble, trouble);
    house.clock.advance(10_000);
    expect(await read(id)).toMatchObject({ status: 'in-review', result: { status: 'In Review' } });
    expect((await read(id, MEDIA)).result?.idVerifications[0]).toMatchObject({ firstName: 'Nuria' });
  });

  it('rewrites its kept decision only when more than links has changed', async () => {
    const { id, session } = await begun();
    const kept = async () => {
      await follower.followSession({ job: 'spec' }, session.session_id);
      const rows = await house.database.query<{ decision: string }>(
        'SELECT decision FROM orchestration.verifications WHERE id = $1',
        [id],
      );
      return rows[0]?.decision;
    };
    const [document] = APPROVED.id_verifications;
    const withImage = (front_image: string) => ({ ...APPROVED, id_verifications: [{ ...document, front_image }] });
    decide(session, 'In Review', withImage('https://media.vendor.test/a.jpg?X-Amz-Signature=1') as typeof APPROVED);
    const first = await kept();
    decide(session, 'In Review', withImage('https://media.vendor.test/a.jpg?X-Amz-Signature=2') as typeof APPROVED);
    expect(await kept()).toBe(first);
    decide(session, 'Approved');
    const second = await kept();
    expect(second).not.toBe(first);
    const vault = await house.database.query('SELECT id FROM platform.vault WHERE id = ANY($1)', [[first, second]]);
    expect(vault).toEqual([{ id: second }]);
  });

  it('moves every verification of the session, each with its record, and nothing when told again', async () => {
    const reference = randomUUID();
    const one = await begun(reference);
    const two = await begun(reference);
    expect(two.session).toBe(one.session);
    decide(one.session, 'Approved');
    const first = await follower.followSession({ job: 'spec' }, one.session.session_id);
    expect(first).toMatchObject({ followers: 2, moved: [one.id, two.id].sort() });
    const again = await follower.followSession({ job: 'spec' }, one.session.session_id);
    expect(again).toMatchObject({ followers: 2, moved: [] });
    for (const { id } of [one, two]) expect(await transitions(id)).toEqual(['pending>pending', 'pending>approved']);
    const [kept] = await house.database.query<{ n: string }>(
      `SELECT count(*) AS n FROM platform.vault v JOIN orchestration.verifications o ON o.decision = v.id WHERE o.id = $1`,
      [one.id],
    );
    expect(kept?.n).toBe('1');
  });

  it('follows an approved one back', async () => {
    const { id, session } = await begun();
    for (const status of ['In Progress', 'Approved', 'Resubmitted', 'In Progress', 'Approved', 'Kyc Expired']) {
      decide(session, status);
      await follower.followSession({ job: 'spec' }, session.session_id);
    }
    expect((await read(id)).status).toBe('expired');
    expect(await transitions(id)).toEqual([
      'pending>pending',
      'pending>in-progress',
      'in-progress>approved',
      'approved>resubmission',
      'resubmission>in-progress',
      'in-progress>approved',
      'approved>expired',
    ]);
  });

  it('does not go back to what an earlier look saw', async () => {
    const { id, session } = await begun();
    decide(session, 'In Review');
    let release = (): void => {};
    const late = new Promise<void>((resolve) => (release = resolve));
    const stale = { ...session };
    const answer = house.vendor.call.bind(house.vendor);
    house.vendor.call = async (operation, request) => {
      house.vendor.call = answer;
      const seen = { ...(await answer(operation, request)), body: { ...stale, ...APPROVED } };
      await late;
      return seen;
    };
    const early = follower.followSession({ job: 'spec' }, session.session_id);
    while (house.vendor.count('session.decision') === 0) await new Promise((resolve) => setImmediate(resolve));
    decide(session, 'Declined');
    await follower.followSession({ job: 'spec' }, session.session_id);
    release();
    expect(await early).toMatchObject({ moved: [] });
    expect((await read(id)).status).toBe('declined');
  });

  it('takes a status that nobody knows for no news, and tells of it', async () => {
    const { id, session } = await begun();
    decide(session, 'Quantum Approved');
    await follower.followSession({ job: 'spec' }, session.session_id);
    expect((await read(id)).status).toBe('pending');
    expect(await house.signals('vendor.unknown-status')).toContainEqual(
      expect.objectContaining({ detail: { status: 'Quantum Approved' } }),
    );
  });

  it('shows further modules once the session has them: steps, result and warnings, masked', async () => {
    const { id, session } = await begun();
    const warnings = [{ feature: 'PROOF_OF_ADDRESS', risk: 'POOR', log_type: 'warning', short_description: 'secret' }];
    const address = {
      node_id: 'feature_poa',
      status: 'In Review',
      issuing_state: 'ESP',
      poa_address: 'secret',
      warnings,
    };
    const further = {
      features: ['ID_VERIFICATION', 'AML', 'POA', 'QUESTIONNAIRE'],
      poa_verifications: [address],
      questionnaire_responses: null,
    };
    decide(session, 'In Review', { ...APPROVED, ...further });
    await follower.followSession({ job: 'spec' }, session.session_id);
    const plain = await read(id);
    expect(plain.steps.slice(4).map(({ name, status }) => [name, status])).toEqual([
      ['proof-of-address', 'review'],
      ['questionnaire', 'skipped'],
    ]);
    expect(plain.result?.poaVerifications).toMatchObject([{ status: 'In Review', issuingState: 'ESP' }]);
    expect(plain.result).not.toHaveProperty('questionnaireResponses');
    expect(plain.warnings).toContainEqual({ feature: 'PROOF_OF_ADDRESS', risk: 'POOR', logType: 'warning' });
    expect(JSON.stringify(plain)).not.toContain('secret');
    expect((await read(id, PERSONAL)).result?.poaVerifications?.[0]).toMatchObject({ poaAddress: 'secret' });
  });

  it('tells of a module’s status that nobody knows, and lets it pass', async () => {
    const { id, session } = await begun();
    decide(session, 'In Review', { ...APPROVED, nfc_verifications: [{ status: 'Chip Quantum' }] });
    await follower.followSession({ job: 'spec' }, session.session_id);
    const seen = await read(id);
    expect(seen.result?.nfcVerifications).toEqual([{ status: 'Chip Quantum' }]);
    expect(seen.steps.at(-1)).toMatchObject({ name: 'nfc-verification', status: 'review' });
    expect(await house.signals('vendor.unknown-status')).toContainEqual(
      expect.objectContaining({ detail: { path: 'nfc_verifications[].status', status: 'Chip Quantum' } }),
    );
  });

  it('asks nobody about a session that nobody follows', async () => {
    expect(await follower.followSession({ job: 'spec' }, randomUUID())).toMatchObject({ followers: 0 });
    expect(house.vendor.asked).toHaveLength(0);
  });

  it('keeps the late answer of a cancelled one and does not apply it', async () => {
    const { id, session } = await begun();
    const cancelled = await controller.cancel(house.call(client), id);
    expect(cancelled.status).toBe('cancelled');
    decide(session, 'Approved');
    await follower.followSession({ job: 'spec' }, session.session_id);
    expect(await read(id, PERSONAL)).toMatchObject({ status: 'cancelled', result: null });
    const [row] = await house.database.query<{ vendor_status: string; decision: string | null }>(
      'SELECT vendor_status, decision FROM orchestration.verifications WHERE id = $1',
      [id],
    );
    expect(row).toMatchObject({ vendor_status: 'Approved', decision: expect.any(String) as string });
    expect(await transitions(id)).toEqual(['pending>pending', 'pending>cancelled']);
  });

  it('cannot cancel what is decided', async () => {
    const { id, session } = await begun();
    decide(session, 'Approved');
    await follower.followSession({ job: 'spec' }, session.session_id);
    expect(await refusal(controller.cancel(house.call(client), id))).toBe('conflict');
  });

  it('drops its copy of a decision that the client deleted at the vendor', async () => {
    const decided = await begun();
    decide(decided.session, 'Approved');
    await follower.followSession({ job: 'spec' }, decided.session.session_id);
    const undecided = await begun();
    for (const { session } of [decided, undecided]) await follower.sessionDeleted({ job: 'spec' }, session.session_id);
    expect(await read(decided.id, PERSONAL)).toMatchObject({ status: 'approved', result: null });
    expect((await read(undecided.id)).status).toBe('cancelled');
  });

  it('says no more of a subject whose key was erased', async () => {
    const { id, session, call } = await begun('somebody');
    decide(session, 'Approved');
    await follower.followSession({ job: 'spec' }, session.session_id);
    await house.database.query('DELETE FROM platform.vault_keys WHERE owner = $1', [`subject:${call.subject}`]);
    const after = await read(id, [...PERSONAL, 'verifications:link']);
    expect(after).toMatchObject({ status: 'approved', subject: { reference: null }, url: null, result: null });
  });

  it.each([
    ['an unknown id', () => randomUUID()],
    ['no id', () => 'nonsense'],
    ['an id in upper case', (id: string) => id.toUpperCase()],
  ])('is not found under %s', async (_, other) => {
    const { id } = await begun();
    expect(await refusal(read(other(id)))).toBe('not-found');
    expect(await refusal(controller.cancel(house.call(client), other(id)))).toBe('not-found');
  });

  it('is nobody else’s', async () => {
    const { id } = await begun();
    client = randomUUID();
    expect(await refusal(read(id))).toBe('not-found');
    expect(await refusal(controller.cancel(house.call(client), id))).toBe('not-found');
  });

  describe('in lists', () => {
    const list = async (query: Record<string, unknown>, scopes = PLAIN) =>
      controller.list(house.call(client, scopes), listSchema.parse(query));

    it('pages through the own ones, newest first, whatever comes meanwhile', async () => {
      const made: string[] = [];
      for (let n = 0; n < 5; n += 1) {
        made.unshift((await begun()).id);
        house.clock.advance(1_000);
      }
      const first = await list({ limit: '2' });
      await begun();
      const second = await list({ limit: '2', cursor: first.nextCursor ?? '' });
      const third = await list({ limit: '2', cursor: second.nextCursor ?? '' });
      expect([first, second, third].flatMap((page) => page.items.map(({ id }) => id))).toEqual(made);
      expect(third.nextCursor).toBeNull();
      expect(first.items[0]).not.toHaveProperty('result');
      expect(first.items.every(({ url }) => url === null)).toBe(true);
      const linked = await list({}, [...PLAIN, 'verifications:link']);
      expect(linked.items.every(({ url }) => url?.startsWith('https://verify.vendor.test/'))).toBe(true);
    });

    it('filters', async () => {
      const early = await begun('cust-a');
      house.clock.advance(10_000);
      const now = house.clock.now().toISOString();
      const late = await begun('cust-b');
      decide(late.session, 'Approved');
      await follower.followSession({ job: 'spec' }, late.session.session_id);
      const ids = async (query: Record<string, unknown>) => (await list(query)).items.map(({ id }) => id);
      expect(await ids({ status: 'approved' })).toEqual([late.id]);
      expect(await ids({ subject: 'cust-a' })).toEqual([early.id]);
      expect(await ids({ createdFrom: now })).toEqual([late.id]);
      expect(await ids({ createdTo: early.call.at.toISOString() })).toEqual([early.id]);
      expect(await ids({ subject: 'cust-c' })).toEqual([]);
    });

    it('takes no cursor of another list', async () => {
      await begun();
      await begun();
      const { nextCursor } = await list({ limit: '1' });
      expect(await refusal(list({ limit: '1', cursor: nextCursor ?? '', status: 'pending' }))).toBe('invalid-cursor');
      client = randomUUID();
      expect(await refusal(list({ cursor: nextCursor ?? '' }))).toBe('invalid-cursor');
      expect(await refusal(list({ cursor: 'nonsense' }))).toBe('invalid-cursor');
    });
  });
});
