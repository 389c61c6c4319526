import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Call } from '../../platform/index.js';
import { CachedAnswers } from '../../vendors/index.js';
import { DropInCalls } from '../drop-in/drop-in-calls.js';
import { DropInSessions } from '../drop-in/drop-in-sessions.js';
import { Erasures } from '../erasure/erasures.js';
import { openSpecHouse, QUIET, REPLY, type SpecHouse } from '../testing/spec-house.js';
import type { SpecSession } from '../testing/spec-vendor.js';
import { createWhole } from '../testing/whole-call.js';
import { VerificationFollower } from '../verifications/verification-follower.js';
import { VerificationsController } from '../verifications/verifications.controller.js';

const LEAN = ['didit:sessions:read', 'verifications:read'];
const FULL = [...LEAN, 'pii:read'];
const MEDIA = [...FULL, 'didit:media'];
const AWAY = { problem: 'vendor-unavailable', outcome: 'none' } as const;
const SETTINGS = `${QUIET}
vendors: { didit: { cache: { staleIfError: 1h, maxEntries: 40, perEntryBytes: 8kb } } }
`;
const MODULES = {
  id_verifications: [
    { node_id: 'n', status: 'Approved', first_name: 'Nuria', front_image: 'https://media.vendor.test/front.jpg?sig=x' },
  ],
};

describe('a decision while the vendor is away', () => {
  let house: SpecHouse;
  let client: string;
  let session: SpecSession;
  let reference: string;

  beforeAll(async () => {
    house = await openSpecHouse(SETTINGS);
  });
  afterAll(() => house.stop());
  beforeEach(async () => {
    client = randomUUID();
    reference = randomUUID();
    house.vendor.fail('session.decision');
    const body = { workflow: 'onboarding', subject: { reference, relationship: 'customer' } } as const;
    const made = await createWhole(house, client, randomUUID(), body);
    session = house.vendor.session(made.body.vendor.sessionId);
    Object.assign(session, { status: 'Approved', modules: MODULES });
  });

  const kept = () =>
    house.database.query<{ client_id: string; bytes: number }>(
      'SELECT client_id, bytes FROM vendors.cached_answers WHERE resource = $1',
      [session.session_id],
    );
  const ask = async (scopes: string[] = LEAN, by = client) => {
    const call = house.call(by, scopes);
    const answer = await house.get(DropInSessions, { strict: false }).decision(call, session.session_id, {});
    return { call, ...(answer as { status: number; headers: Record<string, string>; body: Record<string, unknown> }) };
  };
  /** Asked once while the vendor was there, and kept. */
  const known = async (scopes: string[] = LEAN) => {
    const before = (await kept()).length;
    const answer = await ask(scopes);
    await vi.waitFor(async () => expect(await kept()).toHaveLength(before + 1));
    return answer;
  };
  const away = (times = 1) => house.vendor.fail('session.decision', ...Array.from({ length: times }, () => AWAY));

  it('is what the vendor said last, labelled with its age', async () => {
    const fresh = await known();
    expect(fresh.headers).toEqual({});
    house.clock.advance(90_000);
    away();
    const cached = await ask();
    expect(cached).toMatchObject({ status: 200, headers: { 'gatehouse-rung': 'cached', age: '90' } });
    expect(cached.body).toEqual(fresh.body);
    expect(cached.call.vendor).toMatchObject({ operation: 'session.decision', status: 0, rung: 'cached' });
  });

  it('is told on /v1 as well, with its age', async () => {
    const follower = house.get(VerificationFollower, { strict: false });
    await follower.followSession({ job: 'spec' }, session.session_id);
    house.clock.advance(30_000);
    const [row] = await house.database.query<{ id: string }>(
      'SELECT id FROM orchestration.verifications WHERE session_id = $1',
      [session.session_id],
    );
    const read = (scopes: string[]) =>
      house.get(VerificationsController, { strict: false }).read(house.call(client, scopes), row?.id ?? '', REPLY);
    away();
    // One who may see media has the vendor asked every time.
    expect(await read(MEDIA)).toMatchObject({ status: 'approved', answer: { rung: 'cached', age: 30 } });
    expect(await read(MEDIA)).toMatchObject({ status: 'approved', answer: { rung: 'fresh', age: 0 } });
  });

  it('is each caller’s own view: by client and by mask', async () => {
    await known(LEAN);
    await known(FULL);
    away(4);
    const [lean, full] = [await ask(LEAN), await ask(FULL)];
    expect(JSON.stringify(lean.body)).not.toContain('Nuria');
    expect(JSON.stringify(full.body)).toContain('Nuria');
    await expect(ask(LEAN, randomUUID())).rejects.toMatchObject({ code: 'not-found' });
    await expect(ask([...LEAN, 'verifications:link'])).rejects.toMatchObject({ code: 'vendor-unavailable' });
  });

  it('holds no links to media, which have expired', async () => {
    const fresh = await known(MEDIA);
    expect(JSON.stringify(fresh.body)).toContain('front.jpg');
    away();
    const cached = await ask(MEDIA);
    expect(JSON.stringify(cached.body)).not.toContain('front.jpg');
    expect(JSON.stringify(cached.body)).toContain('Nuria');
  });

  it('is kept sealed', async () => {
    await known(FULL);
    const rows = await house.database.query<{ sealed: Buffer }>(
      `SELECT sealed FROM platform.vault WHERE purpose = 'cached-answer'`,
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.some(({ sealed }) => sealed.includes('Nuria'))).toBe(false);
  });

  it('is no longer given when it is too old', async () => {
    await known();
    house.clock.advance(3_600_000);
    away();
    await expect(ask()).rejects.toMatchObject({ code: 'vendor-unavailable' });
  });

  it('goes when a webhook tells of a change, even if the vendor cannot be asked then', async () => {
    await known();
    const follower = house.get(VerificationFollower, { strict: false });
    away(2);
    await expect(follower.followSession({ job: 'spec' }, session.session_id, 'webhook')).rejects.toThrow();
    expect(await kept()).toEqual([]);
    await expect(ask()).rejects.toMatchObject({ code: 'vendor-unavailable' });
    await known();
  });

  it.each([
    [
      'a webhook',
      (follower: VerificationFollower, id: string) => follower.followSession({ job: 'spec' }, id, 'webhook'),
    ],
    ['its deletion', (follower: VerificationFollower, id: string) => follower.sessionDeleted({ job: 'spec' }, id)],
  ])('is not kept when it was asked for before %s', async (_, change) => {
    const keep = vi.spyOn(house.get(CachedAnswers, { strict: false }), 'keep');
    let answered = (): void => {};
    const early = { ...(await ask()).body };
    await vi.waitFor(() => expect(keep).toHaveBeenCalledTimes(1));
    session.status = 'Declined';
    keep.mockClear();
    const calls = house.get(DropInCalls, { strict: false });
    const forward = vi.spyOn(calls, 'forward').mockImplementationOnce(async () => {
      await new Promise<void>((resolve) => (answered = resolve));
      const headers = {};
      return {
        operation: 'session.decision',
        status: 200,
        headers,
        raw: Buffer.alloc(0),
        durationUs: 1,
        attempts: 1,
        body: early,
      };
    });
    const asked = ask();
    await vi.waitFor(() => expect(forward).toHaveBeenCalled());
    house.clock.advance(1);
    await change(house.get(VerificationFollower, { strict: false }), session.session_id);
    answered();
    expect((await asked).body['status']).toBe('Approved');
    await vi.waitFor(() => expect(keep).toHaveBeenCalledTimes(1));
    await keep.mock.results[0]?.value;
    expect(await kept()).toEqual([]);
    away();
    await expect(ask()).rejects.toMatchObject({ code: 'vendor-unavailable' });
    vi.restoreAllMocks();
  });

  it('goes with the session, and with the person', async () => {
    await known();
    await house.get(VerificationFollower, { strict: false }).sessionDeleted({ job: 'spec' }, session.session_id);
    expect(await kept()).toEqual([]);
    await known();
    const caller = { kind: 'administrator', id: randomUUID(), name: 'ana', roles: new Set(['security']), tokenId: 't' };
    const admin = { ...house.call(client), caller } as unknown as Call;
    house.clock.advance(10);
    const asked = { client, reference, reason: 'asked by letter', ground: 'request' } as const;
    await house.get(Erasures, { strict: false }).erase(admin, asked);
    expect(await kept()).toEqual([]);
    await ask();
    // What is asked for afterwards is not kept again.
    await vi.waitFor(async () => expect(await keptNothing()).toBe(true));
  });
  const keptNothing = async () => (await kept()).length === 0;

  it('is not written again as long as nothing changes', async () => {
    await known();
    const stored = async () =>
      house.database.query('SELECT stored_at, body FROM vendors.cached_answers WHERE resource = $1', [
        session.session_id,
      ]);
    const before = await stored();
    house.clock.advance(5_000);
    await ask();
    house.vendor.session(session.session_id).status = 'Declined';
    await ask();
    await vi.waitFor(async () => expect(await stored()).not.toEqual(before));
    away();
    expect((await ask()).body['status']).toBe('Declined');
  });

  it('is refused when it is too large, and the oldest go when there are too many', async () => {
    session.modules = { id_verifications: [{ node_id: 'n', status: 'Approved', first_name: 'x'.repeat(9_000) }] };
    await ask(FULL);
    const cache = house.get(CachedAnswers, { strict: false });
    for (let n = 0; n < 45; n += 1) {
      house.clock.advance(1);
      const key = { clientId: client, operation: 'session.decision', resource: `r-${n}`, variant: '' } as const;
      await house.database.transaction((tx) =>
        cache.keep(tx, key, 'client:spec', { askedAt: house.clock.now(), status: 200, headers: {}, body: String(n) }),
      );
    }
    await house.database.transaction((tx) => cache.trim(tx));
    const rows = await house.database.query<{ resource: string }>('SELECT resource FROM vendors.cached_answers');
    expect(rows).toHaveLength(40);
    expect(rows.some(({ resource }) => resource === 'r-4')).toBe(false);
    expect(await kept()).toEqual([]);
  });
});
