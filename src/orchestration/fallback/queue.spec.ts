import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../../platform/index.js';
import { clientTag, VendorFailure } from '../../vendors/index.js';
import { Erasures } from '../erasure/erasures.js';
import { queueInstance, waiting } from '../testing/queue.js';
import { openSpecHouse, QUIET, REPLY, type SpecHouse } from '../testing/spec-house.js';
import { createWhole } from '../testing/whole-call.js';
import type { CreateBody } from '../verifications/schemas.js';
import { VerificationsController } from '../verifications/verifications.controller.js';
import { VerificationSearch } from '../verifications/verification-search.js';
import { SEND_LEASE_MS } from './queue-book.js';
import type { QueueRounds } from './queue-rounds.js';

const HOUR_MS = 3_600_000;
const AWAY = { problem: 'vendor-unavailable', outcome: 'none' } as const;
const LOST = { problem: 'vendor-timeout', outcome: 'unknown' } as const;
const SETTINGS = `${QUIET}
workflows: { onboarding: { fallback: [queued, manual] } }
fallback: { queuePerClient: 3, queueTotal: 5, reviewsTotal: 2, pace: 1000000/s, queueFor: 2h }
`;

describe('creates while the vendor is away', () => {
  let house: SpecHouse;
  let sender: QueueRounds;
  let controller: VerificationsController;
  let client: string;

  beforeAll(async () => {
    house = await openSpecHouse(SETTINGS);
    sender = await queueInstance(house);
    controller = house.get(VerificationsController, { strict: false });
  });
  afterAll(() => house.stop());
  beforeEach(async () => {
    client = randomUUID();
    house.vendor.sessions.length = 0;
    house.vendor.asked.length = 0;
    house.vendor.before = undefined;
    house.vendor.fail('session.create');
    house.vendor.fail('session.list');
    // Whatever a spec left behind ends here.
    await house.database.query(`DELETE FROM orchestration.queued_creates`);
    await house.database.query(
      `UPDATE orchestration.verifications SET status = 'failed' WHERE status IN ('queued', 'in-review')`,
    );
    house.clock.advance(HOUR_MS);
  });

  const bodyFor = (reference: string): CreateBody => ({
    workflow: 'onboarding',
    subject: { reference, relationship: 'customer' },
    callback: 'https://bank.example/done',
    metadata: { branch: 7 },
    expected: { firstName: 'Nuria' },
  });
  const create = async (reference: string, key: string = randomUUID(), by = client) => {
    house.clock.advance(5);
    return createWhole(house, by, key, bodyFor(reference));
  };
  const away = (times: number) => house.vendor.fail('session.create', ...Array.from({ length: times }, () => AWAY));
  const read = (id: string) => controller.read(house.call(client), id, REPLY);
  const round = async () => {
    house.clock.advance(5_000);
    await sender.round();
  };
  const events = async (id: string) =>
    (await house.records(id)).flatMap(({ detail }) => (detail as { event?: string } | undefined)?.event ?? []);
  const created = () =>
    house.vendor.asked
      .filter(({ operation }) => operation === 'session.create')
      .map(({ request }) => (request.body as { json: { vendor_data: string } }).json.vendor_data.split(':')[1]);

  it('accepts, tells the rung, and sends what was asked for once the vendor is back', async () => {
    away(1);
    const key = randomUUID();
    const accepted = await create('q-1', key);
    expect(accepted).toMatchObject({
      status: 202,
      headers: { 'gatehouse-rung': 'queued' },
      body: { status: 'queued', rung: 'queued', url: null, vendor: { sessionId: null } },
    });
    expect(accepted.body.steps.every(({ rung }) => rung === 'queued')).toBe(true);
    expect(accepted.call?.vendor).toMatchObject({ operation: 'session.create', rung: 'queued', status: 0 });
    expect(await create('q-1', key)).toMatchObject({ status: 202, body: accepted.body });
    expect(await read(accepted.body.id)).toMatchObject({ status: 'queued', answer: { rung: 'queued', age: null } });
    house.vendor.asked.length = 0;
    await round();
    const sent = await read(accepted.body.id);
    expect(sent).toMatchObject({ status: 'pending', rung: 'queued', url: house.vendor.sessions[0]?.session_url });
    expect(house.vendor.asked.filter(({ operation }) => operation === 'session.create')).toMatchObject([
      {
        request: {
          body: {
            json: {
              vendor_data: `${clientTag(client)}:q-1`,
              callback: 'https://bank.example/done',
              metadata: { branch: 7 },
              expected_details: { first_name: 'Nuria' },
            },
          },
        },
      },
    ]);
    // Nothing was done at the vendor by the call, so that nobody needs to look.
    expect(house.vendor.count('session.list')).toBe(0);
    expect(await events(sent.id)).toEqual(['create.queued', 'session.attached']);
    const intent = (await house.records(sent.id)).filter(({ kind }) => kind === 'vendor.intent').at(-1);
    const end = (await house.records(sent.id)).find(({ id }) => id === intent?.['call']);
    expect(end).toMatchObject({ kind: 'vendor.call', vendor: { operation: 'session.create', status: 201 } });
    const kinds = async (kind: string) => (await house.signals(kind)).length;
    expect([await kinds('fallback.queue-began'), await kinds('fallback.queue-ended')]).toEqual([1, 1]);
  });

  it('keeps what was asked for sealed, and nothing of it once it is sent', async () => {
    const items = async () => {
      const rows = await house.database.query<{ sealed: Buffer }>(
        `SELECT sealed FROM platform.vault WHERE purpose = 'queued-create'`,
      );
      expect(rows.some(({ sealed }) => sealed.includes('Nuria'))).toBe(false);
      return rows.length;
    };
    const before = await items();
    away(1);
    await create('q-2');
    expect(await items()).toBe(before + 1);
    await round();
    expect(await items()).toBe(before);
  });

  it('sends those of a client in their order, and clients in turn', async () => {
    const other = randomUUID();
    away(5);
    await create('a-1');
    await create('a-2');
    await create('a-3');
    await create('b-1', randomUUID(), other);
    await create('b-2', randomUUID(), other);
    house.vendor.asked.length = 0;
    await round();
    expect(created()).toEqual(['a-1', 'b-1', 'a-2', 'b-2', 'a-3']);
  });

  it('holds the order when the vendor fails again in between, and asks it no more that round', async () => {
    away(3);
    for (const reference of ['c-1', 'c-2', 'c-3']) await create(reference);
    house.vendor.asked.length = 0;
    house.vendor.fail('session.create', AWAY);
    await round();
    expect(created()).toEqual(['c-1']);
    await sender.round();
    expect(created()).toEqual(['c-1']);
    await round();
    expect(created()).toEqual(['c-1', 'c-1', 'c-2', 'c-3']);
    expect(await waiting(house)).toEqual([]);
  });

  it.each([
    ['made nothing', false],
    ['made a session', true],
  ])('looks first when the call was lost and the vendor had %s', async (_, after) => {
    house.vendor.fail('session.create', { ...LOST, after });
    const { body, status } = await create('q-3');
    expect(status).toBe(202);
    await round();
    expect((await read(body.id)).vendor.sessionId).toBe(house.vendor.sessions[0]?.session_id);
    expect(house.vendor.sessions).toHaveLength(1);
    expect(house.vendor.count('session.list')).toBe(1);
    expect(house.vendor.count('session.create')).toBe(after ? 1 : 2);
  });

  it('leaves to the queue what is in it: neither a repeat nor the search asks for a session', async () => {
    away(1);
    const key = randomUUID();
    const { body } = await create('q-4', key);
    house.vendor.asked.length = 0;
    // The call died before its answer was kept, so that the key is free for a repeat.
    await house.database.query(
      `UPDATE orchestration.idempotency SET state = 'running', answer = NULL, lease_until = created_at WHERE key = $1`,
      [key],
    );
    expect(await create('q-4', key)).toMatchObject({ status: 202, body: { id: body.id, status: 'queued' } });
    house.clock.advance(HOUR_MS);
    await house.get(VerificationSearch, { strict: false }).round();
    expect(house.vendor.asked).toEqual([]);
  });

  it('is sent by one of two instances', async () => {
    away(3);
    for (const reference of ['d-1', 'd-2', 'd-3']) await create(reference);
    house.vendor.asked.length = 0;
    const another = await queueInstance(house);
    house.clock.advance(20_000);
    await Promise.all([sender.round(), another.round(), sender.round(), another.round()]);
    expect(created()).toEqual(['d-1', 'd-2', 'd-3']);
    expect(house.vendor.count('session.list')).toBe(0);
  });

  it('goes on after a sender that died in the middle, with a look', async () => {
    away(1);
    const { body } = await create('q-5');
    house.vendor.before = () => new Promise(() => {});
    house.clock.advance(5_000);
    void sender.round();
    while (house.vendor.count('session.create') < 2) await new Promise((resolve) => setImmediate(resolve));
    house.vendor.before = undefined;
    const another = await queueInstance(house);
    await another.round();
    expect((await read(body.id)).status).toBe('queued');
    house.clock.advance(2 * SEND_LEASE_MS);
    await another.round();
    expect(await read(body.id)).toMatchObject({ status: 'pending' });
    expect(house.vendor.count('session.list')).toBe(1);
    sender = another;
  });

  it('is never sent once it was called off or its subject was erased', async () => {
    away(3);
    const off = await create('e-1');
    await create('e-2');
    const last = await create('e-3');
    await controller.cancel(house.call(client), off.body.id);
    const caller = { kind: 'administrator', id: randomUUID(), name: 'ana', roles: new Set(['security']), tokenId: 't' };
    await house.get(Erasures, { strict: false }).erase({ ...house.call(client), caller } as unknown as Call, {
      client,
      reference: 'e-2',
      reason: 'asked by letter',
      ground: 'request',
    });
    house.vendor.asked.length = 0;
    await round();
    expect(created()).toEqual(['e-3']);
    expect(await waiting(house)).toEqual([]);
    expect((await read(off.body.id)).status).toBe('cancelled');
    expect((await read(last.body.id)).status).toBe('pending');
  });

  it('ends as failed when the vendor refuses the request itself, and lets the next one go', async () => {
    away(2);
    const bad = await create('f-1');
    const good = await create('f-2');
    house.vendor.refuse('session.create', 400, 'invalid-request', { callback: ['Enter a valid URL.'] });
    await round();
    expect((await read(bad.body.id)).status).toBe('failed');
    expect((await read(good.body.id)).status).toBe('pending');
    const ends = (await house.records(bad.body.id)).filter(({ kind }) => kind === 'vendor.call');
    expect(ends.at(-1)).toMatchObject({ vendor: { operation: 'session.create', status: 400 } });
  });

  it('goes to the next rung after its time', async () => {
    away(1);
    const { body } = await create('g-1');
    house.vendor.asked.length = 0;
    house.clock.advance(2 * HOUR_MS);
    await sender.round();
    expect(await read(body.id)).toMatchObject({ status: 'in-review', rung: 'manual', answer: { rung: 'manual' } });
    expect(house.vendor.asked).toEqual([]);
    expect(await events(body.id)).toEqual(['create.queued', 'review.requested']);
  });

  it('steps aside for the others when only it fails again and again', async () => {
    away(2);
    const poison = await create('h-1');
    const other = await create('h-2');
    for (let n = 0; n < 8; n += 1) {
      // Somebody else’s create goes through in between.
      house.vendor.fail('session.create');
      await create(`well-${n}`, randomUUID(), randomUUID());
      house.vendor.fail('session.create', { problem: 'vendor-error', outcome: 'none' });
      await round();
    }
    house.vendor.fail('session.create');
    await round();
    expect((await read(poison.body.id)).status).toBe('in-review');
    expect((await read(other.body.id)).status).toBe('pending');
  });

  it('keeps no client waiting for another’s that the vendor fails each time', async () => {
    const other = randomUUID();
    away(4);
    const poison = await create('k-1');
    for (const reference of ['l-1', 'l-2', 'l-3']) await create(reference, randomUUID(), other);
    house.vendor.asked.length = 0;
    house.vendor.before = async () => {
      if (created().at(-1) === 'k-1') throw new VendorFailure('vendor-error', { outcome: 'none', reason: 'spec' });
      return Promise.resolve();
    };
    for (let n = 0; n < 2; n += 1) await round();
    expect(await waiting(house)).toEqual([poison.body.id]);
    expect(created().filter((reference) => reference?.startsWith('l-'))).toEqual(['l-1', 'l-2', 'l-3']);
    expect((await house.database.query('SELECT strikes FROM orchestration.queued_creates'))[0]).toEqual({ strikes: 1 });
  });

  it('holds against nobody that the gateway itself let it not out, and lets the other clients’ go', async () => {
    const other = randomUUID();
    away(2);
    const mine = await create('m-1');
    await create('n-1', randomUUID(), other);
    house.vendor.asked.length = 0;
    for (let n = 0; n < 8; n += 1) {
      house.vendor.fail('session.create');
      await create(`fresh-${n}`, randomUUID(), randomUUID());
      house.vendor.fail('session.create', { problem: 'vendor-budget-exceeded', outcome: 'none', attempts: 0 });
      await round();
      expect(await waiting(house)).toEqual([mine.body.id]);
    }
    expect(await read(mine.body.id)).toMatchObject({ status: 'queued' });
    house.vendor.fail('session.create');
    await round();
    expect(await read(mine.body.id)).toMatchObject({ status: 'pending' });
    expect(house.vendor.count('session.list')).toBe(0);
  });

  it('has bounds for a client and in all, then the rung below, then the error', async () => {
    away(20);
    const outcome = async (by: string) => {
      const { status, body } = await create(`i-${randomUUID()}`, randomUUID(), by);
      return status === 202 ? body.status : body.code;
    };
    const [one, two] = [client, randomUUID()];
    expect([await outcome(one), await outcome(one), await outcome(one)]).toEqual(['queued', 'queued', 'queued']);
    expect(await outcome(one)).toBe('in-review');
    expect([await outcome(two), await outcome(two)]).toEqual(['queued', 'queued']);
    expect([await outcome(two), await outcome(two)]).toEqual(['in-review', 'vendor-unavailable']);
  });

  it.each(['vendor-credentials', 'vendor-credit', 'vendor-budget-exceeded', 'overloaded'] as const)(
    'answers %s as an error: no waiting mends it, or it is the gateway’s own',
    async (problem) => {
      house.vendor.fail('session.create', { problem, outcome: 'none' });
      expect(await create('j-1')).toMatchObject({ body: { code: problem } });
      expect(await waiting(house)).toEqual([]);
    },
  );
});
