import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LEASE_MS } from '../idempotency/leases.js';
import { queueInstance, waiting } from '../testing/queue.js';
import { openSpecHouse, QUIET, type SpecHouse } from '../testing/spec-house.js';
import type { Fault } from '../testing/spec-vendor.js';
import { createWhole } from '../testing/whole-call.js';
import type { CreateBody } from '../verifications/schemas.js';
import { VerificationSearch } from '../verifications/verification-search.js';
import type { QueueRounds } from './queue-rounds.js';

const FAULTS: Record<string, Fault | undefined> = {
  well: undefined,
  refused: { problem: 'vendor-unavailable', outcome: 'none' },
  lost: { problem: 'vendor-timeout', outcome: 'unknown' },
  unheard: { problem: 'vendor-error', outcome: 'unknown', after: true },
  late: { problem: 'vendor-timeout', outcome: 'unknown', late: true },
};

type Step =
  /** The client asks, or asks again under the same key. */
  | { do: 'create'; n: number; fault: string }
  /** Instances send at once, some of them dying in the middle of a call to the vendor. */
  | { do: 'send'; instances: number; faults: string[]; dies: boolean }
  | { do: 'search' | 'catch-up' };

const fault = fc.constantFrom(...Object.keys(FAULTS));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), n: fc.nat(2), fault }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      instances: fc.integer({ min: 1, max: 2 }),
      faults: fc.array(fault, { maxLength: 3 }),
      dies: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('search' as const, 'catch-up' as const) }) },
);

describe('whatever breaks on the way to the vendor', () => {
  let house: SpecHouse;
  beforeAll(async () => {
    house = await openSpecHouse(`${QUIET}fallback: { pace: 1000000/s }\n`);
    await (await queueInstance(house)).onApplicationShutdown();
  });
  afterAll(() => house.stop());

  it('no accepted verification is lost, and none gets two sessions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
        const run = new Run(house, [await queueInstance(house), await queueInstance(house)]);
        for (const one of steps) await run.step(one);
        await run.settle();
        await run.check(steps.some((one) => JSON.stringify(one).includes('late')));
      }),
      { numRuns: 12 },
    );
  });
});

class Run {
  readonly client = randomUUID();
  readonly keys = [randomUUID(), randomUUID(), randomUUID()];
  /** Ids that were answered 2xx. */
  readonly accepted = new Set<string>();

  constructor(
    private readonly house: SpecHouse,
    private readonly instances: QueueRounds[],
  ) {
    house.vendor.sessions.length = 0;
    house.vendor.done.length = 0;
    house.vendor.before = undefined;
    house.vendor.fail('session.create');
  }

  async step(step: Step): Promise<void> {
    this.house.clock.advance(20_000);
    if (step.do === 'create') await this.create(step.n, step.fault);
    else if (step.do === 'send') await this.send(step);
    else if (step.do === 'catch-up') this.house.vendor.catchUp();
    else await this.house.get(VerificationSearch, { strict: false }).round();
  }

  /** The vendor is well again, and everybody has had the time to finish. */
  async settle(): Promise<void> {
    this.house.vendor.before = undefined;
    this.house.vendor.fail('session.create');
    this.house.vendor.catchUp();
    for (let n = 0; n < 3; n += 1) {
      this.house.clock.advance(20_000);
      for (const instance of this.instances) await instance.round();
    }
  }

  async check(late: boolean): Promise<void> {
    expect(await waiting(this.house)).toEqual([]);
    const rows = await this.house.database.query<{ id: string; status: string; session_id: string | null }>(
      'SELECT id, status, session_id FROM orchestration.verifications WHERE client_id = $1',
      [this.client],
    );
    for (const row of rows.filter(({ id }) => this.accepted.has(id))) {
      expect(row.status).toBe('pending');
      expect(this.house.vendor.sessions.filter((session) => session.session_id === row.session_id)).toHaveLength(1);
    }
    for (const made of [this.house.vendor.sessions.map((session) => session.vendor_data), this.house.vendor.done]) {
      // What the vendor does after everybody has looked can come a second time; it then gives the same session out again.
      if (late && made === this.house.vendor.done) continue;
      expect(new Set(made).size).toBe(made.length);
    }
  }

  private async create(n: number, name: string): Promise<void> {
    const body: CreateBody = { workflow: 'onboarding', subject: { reference: `s-${n}`, relationship: 'customer' } };
    const happens = FAULTS[name];
    this.house.vendor.fail('session.create', ...(happens === undefined ? [] : [happens]));
    const { status, body: view } = await createWhole(this.house, this.client, this.keys[n] ?? '', body);
    if (status < 300) this.accepted.add(view.id);
  }

  private async send({ instances, faults, dies }: Step & { do: 'send' }): Promise<void> {
    const happen = faults.flatMap((name) => FAULTS[name] ?? []);
    this.house.vendor.fail('session.create', ...happen);
    const rounds = () => this.instances.slice(0, instances).map((instance) => instance.round());
    if (!dies) {
      await Promise.all(rounds());
      return;
    }
    // The call to the vendor never comes back to the instance, which is another one from then on.
    let died = (): void => {};
    const death = new Promise<void>((resolve) => (died = resolve));
    this.house.vendor.before = () => (died(), new Promise(() => {}));
    await Promise.race([death, Promise.all(rounds())]);
    this.house.vendor.before = undefined;
    this.instances.splice(0, this.instances.length, await queueInstance(this.house), await queueInstance(this.house));
    this.house.clock.advance(2 * LEASE_MS);
  }
}
