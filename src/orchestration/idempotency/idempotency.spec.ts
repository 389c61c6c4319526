import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../../test/support/database.js';
import {
  type Answer,
  type Call,
  type Config,
  type Database,
  Keyring,
  loadConfig,
  Log,
  ManualClock,
  ProblemError,
  ReplayedAnswer,
  Vault,
} from '../../platform/index.js';
import { AnswerKeeper } from './answer-keeper.js';
import { IdempotencyCheck } from './idempotency-check.js';
import { IdempotencyStore } from './idempotency-store.js';
import { LEASE_MS, Leases } from './leases.js';

const clock = new ManualClock();
const keyring = new Keyring(Buffer.alloc(32, 7));
const config: Config = loadConfig({});

function instance(database: Database) {
  const store = new IdempotencyStore(database);
  const leases = new Leases(store, clock, new Log('silent'));
  const answers = new AnswerKeeper(new Vault(keyring, clock), database, clock);
  const check = new IdempotencyCheck(store, leases, answers, clock, keyring, config);
  const finish = async (call: Call, answer: Answer): Promise<void> => {
    await database.transaction((tx) => check.finish(tx, call, answer));
    check.ended(call);
  };
  return { store, leases, check, finish };
}

function callBy(clientId: string, path = '/v1/verifications'): Call {
  const caller = { kind: 'client', id: clientId, name: 'bank', scopes: new Set() };
  return { id: randomUUID(), method: 'POST', path, caller } as unknown as Call;
}

const headers = (key: string) => ({ 'idempotency-key': key });
const created = (body: string): Answer => ({
  status: 201,
  headers: { 'content-type': 'application/json', 'set-cookie': 'never kept' },
  body,
  bytesOut: body.length,
});
const failed = (status: number): Answer => ({ status, headers: {}, body: '{}', bytesOut: 2 });

async function refusal(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => (error instanceof ProblemError ? error.code : error),
  );
}

describe('IdempotencyCheck', () => {
  let test: TestDatabase;
  let one: ReturnType<typeof instance>;
  let two: ReturnType<typeof instance>;

  beforeAll(async () => {
    test = await startTestDatabase();
    one = instance(test.database);
    two = instance(await test.another());
  });
  afterAll(() => test.stop());

  it.each([{}, headers(''), headers('two words'), headers('ñ'), headers('x'.repeat(256))])(
    'refuses a call without a usable key %#',
    async (given) => {
      const error = await one.check.begin(callBy(randomUUID()), given, {}).catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '' }] });
    },
  );

  it('gives the first answer again, on any instance, whatever the order of members', async () => {
    const client = randomUUID();
    const first = callBy(client);
    await one.check.begin(first, headers('k'), { a: 1, b: { c: [1.5, 'x'], d: null } });
    await one.finish(first, created('{"id":"1"}'));
    const again = callBy(client, '/v1/verifications/');
    const replay = await two.check
      .begin(again, headers('k'), { b: { d: null, c: [1.5, 'x'] }, a: 1 })
      .catch((error: unknown) => error);
    expect(replay).toBeInstanceOf(ReplayedAnswer);
    expect(replay).toMatchObject({
      status: 201,
      headers: { 'content-type': 'application/json', 'idempotency-replayed': 'true' },
    });
    expect((replay as ReplayedAnswer).headers).not.toHaveProperty('set-cookie');
    expect((replay as ReplayedAnswer).body.toString()).toBe('{"id":"1"}');
    expect(again.idempotency).toBeUndefined();
  });

  it('keeps nothing of the answer in the clear', async () => {
    const client = randomUUID();
    const call = callBy(client);
    await one.check.begin(call, headers('secret'), {});
    await one.finish(call, created('{"url":"https://hosted.example/very-secret"}'));
    const rows = await test.database.query<{ sealed: Buffer }>('SELECT sealed FROM platform.vault WHERE owner = $1', [
      `client:${client}`,
    ]);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.sealed.includes('very-secret')).toBe(false);
  });

  it('refuses the key with another body, done or running', async () => {
    const client = randomUUID();
    const call = callBy(client);
    await one.check.begin(call, headers('k'), { a: 1 });
    expect(await refusal(two.check.begin(callBy(client), headers('k'), { a: 2 }))).toBe('idempotency-key-reused');
    await one.finish(call, created('{}'));
    expect(await refusal(two.check.begin(callBy(client), headers('k'), { a: 2 }))).toBe('idempotency-key-reused');
  });

  it('knows a key by client, method and path', async () => {
    const [client, other] = [randomUUID(), randomUUID()];
    await one.check.begin(callBy(client), headers('k'), {});
    await one.check.begin(callBy(other), headers('k'), {});
    await one.check.begin(callBy(client, '/v1/verifications/1/cancel'), headers('k'), {});
    expect(await refusal(one.check.begin(callBy(client), headers('k'), {}))).toBe('idempotency-in-progress');
  });

  it('lets exactly one of many at once pass', async () => {
    const client = randomUUID();
    const results = await Promise.all(
      Array.from({ length: 24 }, (_, n) =>
        refusal((n % 2 === 0 ? one : two).check.begin(callBy(client), headers('race'), { n: 0 })),
      ),
    );
    expect(results.filter((result) => result === undefined)).toHaveLength(1);
    expect(results.filter((result) => result === 'idempotency-in-progress')).toHaveLength(23);
  });

  it('is taken over under the same id once the lease of a dead call is over', async () => {
    const client = randomUUID();
    const dead = callBy(client);
    await one.check.begin(dead, headers('k'), {});
    clock.advance(LEASE_MS - 1);
    expect(await refusal(two.check.begin(callBy(client), headers('k'), {}))).toBe('idempotency-in-progress');
    clock.advance(1);
    const results = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const call = callBy(client);
        return (await refusal(two.check.begin(call, headers('k'), {}))) ?? call.idempotency?.id;
      }),
    );
    expect(results.filter((result) => result === dead.idempotency?.id)).toHaveLength(1);
    expect(results.filter((result) => result === 'idempotency-in-progress')).toHaveLength(7);
  });

  it('stores no answer of a call that lost its key', async () => {
    const client = randomUUID();
    const slow = callBy(client);
    await one.check.begin(slow, headers('k'), {});
    clock.advance(LEASE_MS);
    const next = callBy(client);
    await two.check.begin(next, headers('k'), {});
    await one.finish(slow, created('{"late":true}'));
    await two.finish(next, created('{"late":false}'));
    const replay = await one.check.begin(callBy(client), headers('k'), {}).catch((error: unknown) => error);
    expect((replay as ReplayedAnswer).body.toString()).toBe('{"late":false}');
  });

  it('keeps the key of a long call taken for as long as it runs', async () => {
    const client = randomUUID();
    await one.check.begin(callBy(client), headers('k'), {});
    for (let round = 0; round < 6; round += 1) {
      clock.advance(LEASE_MS / 2);
      await one.leases.renew();
    }
    expect(await refusal(two.check.begin(callBy(client), headers('k'), {}))).toBe('idempotency-in-progress');
  });

  it.each([500, 502, 503, 504, 429])('lets a repeat go on under the same id after %i', async (status) => {
    const client = randomUUID();
    const first = callBy(client);
    await one.check.begin(first, headers('k'), { a: 1 });
    await one.finish(first, failed(status));
    const again = callBy(client);
    await two.check.begin(again, headers('k'), { a: 1 });
    expect(again.idempotency?.id).toBe(first.idempotency?.id);
  });

  it('forgets a key whose call was not valid, so that a corrected body may come', async () => {
    const client = randomUUID();
    const first = callBy(client);
    await one.check.begin(first, headers('k'), { a: 'wrong' });
    await one.finish(first, failed(400));
    const again = callBy(client);
    await one.check.begin(again, headers('k'), { a: 'right' });
    expect(again.idempotency?.id).not.toBe(first.idempotency?.id);
  });

  it.each([404, 409, 422])('keeps the refusal %i', async (status) => {
    const client = randomUUID();
    const first = callBy(client);
    await one.check.begin(first, headers('k'), {});
    await one.finish(first, failed(status));
    expect(await refusal(one.check.begin(callBy(client), headers('k'), {}))).toMatchObject({ status });
  });

  it('begins anew when the key has expired, and sweeps what has', async () => {
    const client = randomUUID();
    const first = callBy(client);
    await one.check.begin(first, headers('k'), { a: 1 });
    await one.finish(first, created('{}'));
    clock.advance(config.idempotency.keep);
    const again = callBy(client);
    await one.check.begin(again, headers('k'), { a: 2 });
    expect(again.idempotency?.id).not.toBe(first.idempotency?.id);
    clock.advance(config.idempotency.keep);
    await one.store.sweep(clock.now());
    const [row] = await test.database.query<{ n: string }>('SELECT count(*) AS n FROM orchestration.idempotency');
    expect(row?.n).toBe('0');
  });

  it('lends a free key to one background worker and never a held one', async () => {
    const client = randomUUID();
    const call = callBy(client);
    await one.check.begin(call, headers('k'), {});
    const id = call.idempotency?.id ?? '';
    expect(await two.leases.borrow(id)).toBeUndefined();
    await one.finish(call, failed(504));
    const back = await two.leases.borrow(id);
    expect(await one.leases.borrow(id)).toBeUndefined();
    expect(await refusal(one.check.begin(callBy(client), headers('k'), {}))).toBe('idempotency-in-progress');
    await back?.();
    expect(await refusal(one.check.begin(callBy(client), headers('k'), {}))).toBeUndefined();
  });
});
