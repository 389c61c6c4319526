import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSpecHouse, REPLY, type SpecHouse } from '../testing/spec-house.js';
import type { SpecSession } from '../testing/spec-vendor.js';
import { createWhole } from '../testing/whole-call.js';
import { VerificationFollower } from '../verifications/verification-follower.js';
import { VerificationsController } from '../verifications/verifications.controller.js';
import { nextCheck } from './check-times.js';
import { ReconciliationAdminController } from './reconciliation.admin.controller.js';
import { Sweep } from './sweep.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe('the sweep', () => {
  let house: SpecHouse;
  let sweep: Sweep;
  let follower: VerificationFollower;
  let client: string;

  beforeAll(async () => {
    house = await openSpecHouse('reconciliation: { every: 24h, after: 10m, atMost: 1h, perRound: 3 }');
    sweep = house.get(Sweep, { strict: false });
    follower = house.get(VerificationFollower, { strict: false });
  });
  afterAll(() => house.stop());
  beforeEach(async () => {
    client = randomUUID();
    house.vendor.fail('session.decision');
    house.vendor.asked.length = 0;
    await house.database.query('UPDATE orchestration.verifications SET check_at = NULL');
    await house.database.query('DELETE FROM platform.signals');
    house.clock.advance(DAY_MS);
  });

  async function begun(): Promise<{ id: string; session: SpecSession }> {
    const body = { workflow: 'onboarding', subject: { reference: randomUUID(), relationship: 'customer' } } as const;
    const made = await createWhole(house, client, randomUUID(), body);
    return { id: made.body.id, session: house.vendor.session(made.body.vendor.sessionId) };
  }
  const status = async (id: string) => {
    const [row] = await house.database.query<{ status: string }>(
      'SELECT status FROM orchestration.verifications WHERE id = $1',
      [id],
    );
    return row?.status;
  };
  const asked = () => house.vendor.count('session.decision');

  it('finds what no webhook told of, and says that they are silent', async () => {
    const { id, session } = await begun();
    session.status = 'Approved';
    expect(await sweep.round()).toEqual({ asked: 0, healed: 0 });
    house.clock.advance(10 * MINUTE_MS);
    expect(await sweep.round()).toEqual({ asked: 1, healed: 1 });
    expect(await status(id)).toBe('approved');
    expect(await house.signals('webhooks.silent')).toMatchObject([
      { subject: 'didit', detail: { asked: 1, healed: 1 } },
    ]);
    house.clock.advance(DAY_MS);
    expect(await sweep.round()).toEqual({ asked: 0, healed: 0 });
  });

  it('asks ever more rarely in vain, from the start when something is heard, and right after the session’s end', async () => {
    const { id, session } = await begun();
    const due = async () => {
      const [row] = await house.database.query<{ at: Date }>(
        'SELECT check_at AS at FROM orchestration.verifications WHERE id = $1',
        [id],
      );
      return ((row?.at.getTime() ?? 0) - house.clock.epochMs()) / MINUTE_MS;
    };
    const waits: number[] = [await due()];
    for (let n = 0; n < 4; n += 1) {
      house.clock.advance((waits.at(-1) ?? 0) * MINUTE_MS);
      await sweep.round();
      waits.push(await due());
    }
    expect(waits).toEqual([10, 20, 40, 60, 60]);
    session.status = 'In Progress';
    await follower.followSession({ job: 'webhooks.follow' }, session.session_id, 'webhook');
    expect(await due()).toBe(10);
    const now = new Date(0);
    const soon = new Date(5 * MINUTE_MS);
    expect(nextCheck({ after: 10 * MINUTE_MS, atMost: DAY_MS }, now, 0, soon)).toEqual(new Date(6 * MINUTE_MS));
  });

  it('is done by one of two at once, a bounded number a round', async () => {
    for (let n = 0; n < 5; n += 1) await begun();
    house.clock.advance(10 * MINUTE_MS);
    house.vendor.asked.length = 0;
    const two = await Promise.all([sweep.round(), sweep.round()]);
    expect(two.map((swept) => swept.asked)).toEqual(expect.arrayContaining([2, 3]));
    expect(asked()).toBe(5);
    expect(await sweep.round()).toEqual({ asked: 0, healed: 0 });
  });

  it('stops for this round when the vendor cannot be asked, and comes back to what it left', async () => {
    const made = [await begun(), await begun()];
    for (const { session } of made) session.status = 'Declined';
    house.clock.advance(10 * MINUTE_MS);
    house.vendor.fail('session.decision', { problem: 'vendor-error', outcome: 'unknown' });
    expect(await sweep.round()).toEqual({ asked: 1, healed: 0 });
    house.clock.advance(10 * MINUTE_MS);
    expect(await sweep.round()).toEqual({ asked: 2, healed: 2 });
  });

  it('ends one whose session the vendor no longer knows, once that would have ended', async () => {
    const { id, session } = await begun();
    house.vendor.sessions.splice(house.vendor.sessions.indexOf(session), 1);
    house.clock.advance(10 * MINUTE_MS);
    await sweep.round();
    expect(await status(id)).toBe('pending');
    house.clock.advance(8 * DAY_MS);
    expect(await sweep.round()).toEqual({ asked: 1, healed: 1 });
    expect(await status(id)).toBe('expired');
  });

  it('tells how complete the outcome is', async () => {
    const from = house.clock.now();
    const [told, healed, read, open, off] = [await begun(), await begun(), await begun(), await begun(), await begun()];
    for (const { session } of [told, healed, read]) session.status = 'Approved';
    await follower.followSession({ job: 'webhooks.follow' }, told.session.session_id, 'webhook');
    const controller = house.get(VerificationsController, { strict: false });
    await controller.cancel(house.call(client), off.id);
    house.clock.advance(10 * MINUTE_MS);
    await controller.read(house.call(client), read.id, REPLY);
    await sweep.round();
    const completeness = (query: { from?: Date; to?: Date }) =>
      house.get(ReconciliationAdminController, { strict: false }).completeness(query);
    expect(await completeness({ from })).toMatchObject({ expected: 4, decided: 3, notified: 1, healed: 2, overdue: 0 });
    // A webhook that comes later than the read has told of the decision all the same.
    await follower.followSession({ job: 'webhooks.follow' }, read.session.session_id, 'webhook');
    house.clock.advance(8 * DAY_MS);
    expect(await completeness({ from })).toMatchObject({ expected: 4, decided: 3, notified: 2, healed: 1, overdue: 1 });
    expect(await status(open.id)).toBe('pending');
    await expect(completeness({ from, to: from })).rejects.toMatchObject({ code: 'invalid-request' });
  });
});
