import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../../platform/index.js';
import { openSpecHouse, QUIET, REPLY, type SpecHouse } from '../testing/spec-house.js';
import { createWhole } from '../testing/whole-call.js';
import { VerificationFollower } from '../verifications/verification-follower.js';
import { VerificationsController } from '../verifications/verifications.controller.js';
import { ReviewsAdminController } from './reviews.admin.controller.js';

const AWAY = { problem: 'vendor-error', outcome: 'none' } as const;

describe('manual review', () => {
  let house: SpecHouse;
  let reviews: ReviewsAdminController;
  let client: string;

  beforeAll(async () => {
    house = await openSpecHouse(`${QUIET}workflows: { onboarding: { fallback: [manual] } }`);
    reviews = house.get(ReviewsAdminController, { strict: false });
  });
  afterAll(() => house.stop());
  beforeEach(async () => {
    client = randomUUID();
    house.vendor.fail('session.create');
    await house.database.query(`UPDATE orchestration.verifications SET status = 'failed' WHERE status = 'in-review'`);
  });

  const create = async (reference: string = randomUUID()) => {
    house.clock.advance(5);
    const body = { workflow: 'onboarding', subject: { reference, relationship: 'customer' } } as const;
    return createWhole(house, client, randomUUID(), body);
  };
  const toReview = async (reference?: string) => {
    house.vendor.fail('session.create', AWAY);
    return create(reference);
  };
  const person = (id = 'ana'): Call => {
    const caller = { kind: 'administrator', id, name: id, roles: new Set(['operator']), tokenId: 't' };
    return { ...house.call(client), caller } as unknown as Call;
  };
  const decide = (id: string, outcome: 'approved' | 'declined', by = 'ana') =>
    reviews.decide(person(by), id, { outcome, reason: 'saw Nuria and her passport at the branch' });
  const read = (id: string) =>
    house.get(VerificationsController, { strict: false }).read(house.call(client), id, REPLY);
  const transitions = async (id: string) =>
    (await house.records(id)).filter(({ kind }) => kind === 'verification.transition');

  it('takes what the vendor failed, and shows it to a person, oldest first', async () => {
    const made = [await toReview('cust-1'), await toReview('cust-2'), await toReview('cust-3')];
    expect(made[0]).toMatchObject({
      status: 202,
      headers: { 'gatehouse-rung': 'manual' },
      body: { status: 'in-review', rung: 'manual', url: null },
    });
    const first = await reviews.open({ limit: 2 });
    const second = await reviews.open({ limit: 2, cursor: first.nextCursor ?? '' });
    expect(first.items).toMatchObject([{ reference: 'cust-1', client, rung: 'manual' }, { reference: 'cust-2' }]);
    expect([second.items.map(({ reference }) => reference), second.nextCursor]).toEqual([['cust-3'], null]);
    await expect(reviews.open({ limit: 2, cursor: 'nonsense' })).rejects.toMatchObject({ code: 'invalid-cursor' });
  });

  it('is decided by a named person, once', async () => {
    const { body } = await toReview();
    expect(await decide(body.id, 'approved')).toMatchObject({ status: 'approved', reviewedBy: 'ana' });
    expect(await decide(body.id, 'approved')).toMatchObject({ status: 'approved' });
    await expect(decide(body.id, 'declined')).rejects.toMatchObject({ code: 'conflict' });
    await expect(decide(body.id, 'approved', 'ben')).rejects.toMatchObject({ code: 'conflict' });
    await expect(decide(randomUUID(), 'approved')).rejects.toMatchObject({ code: 'not-found' });
    expect(await read(body.id)).toMatchObject({
      status: 'approved',
      rung: 'manual',
      review: { at: expect.any(String) },
    });
    expect((await transitions(body.id)).at(-1)).toMatchObject({
      actor: 'ana',
      client,
      detail: { from: 'in-review', to: 'approved', event: 'review.approved', rung: 'manual' },
    });
    expect(await reviews.read(person(), body.id)).toMatchObject({ reason: expect.stringContaining('passport') });
    expect(JSON.stringify(await house.records(body.id))).not.toContain('passport');
  });

  it('takes what the vendor leaves to a person too, and the vendor’s later word does not undo it', async () => {
    const { body } = await create();
    const session = house.vendor.session(body.vendor.sessionId);
    const follower = house.get(VerificationFollower, { strict: false });
    const follow = () => follower.followSession({ job: 'webhooks.follow' }, session.session_id, 'webhook');
    session.status = 'In Review';
    await follow();
    expect((await reviews.open({ limit: 9 })).items).toMatchObject([
      { verification: body.id, rung: 'fresh', vendor: { status: 'In Review' } },
    ]);
    await decide(body.id, 'approved');
    session.status = 'Declined';
    await follow();
    await follow();
    expect(await read(body.id)).toMatchObject({ status: 'approved', result: { status: 'Declined' } });
    expect(
      (await transitions(body.id)).filter(({ detail }) => (detail as object) && 'withstood' in (detail as object)),
    ).toMatchObject([{ detail: { from: 'approved', to: 'approved', event: 'vendor.declined', withstood: 'review' } }]);
    expect(await house.signals('review.contradicted')).toMatchObject([
      { detail: { verification: body.id, reviewed: 'approved', vendorStatus: 'Declined' } },
    ]);
  });

  it('waits for nobody once its client has called it off', async () => {
    const { body } = await toReview();
    await house.get(VerificationsController, { strict: false }).cancel(house.call(client), body.id);
    await expect(decide(body.id, 'approved')).rejects.toMatchObject({ code: 'conflict' });
    expect((await reviews.open({ limit: 9 })).items).toEqual([]);
  });
});
