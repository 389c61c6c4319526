import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type IncidentHouse,
  type IncidentInstance,
  MAJOR,
  newIncident,
  officerCall as call,
  openIncidentHouse,
} from '../../test/support/incidents.js';
import type { IncidentView } from './views.js';

let house: IncidentHouse;
let start: Date;
const after = (ms: number): string => new Date(start.getTime() + ms).toISOString();
const instance = (): IncidentInstance => house.instance();

beforeAll(async () => {
  house = await openIncidentHouse();
});

beforeEach(async () => {
  house.clock.advance(3_600_000);
  start = house.clock.now();
  await house.forget();
});

afterAll(() => house.stop());

describe('an incident that the gateway notices by itself', () => {
  const fresh = async ({ incidents }: IncidentInstance): Promise<IncidentView[]> =>
    (await incidents.list({ limit: 200 })).items.filter(({ measurements }) => measurements !== undefined);

  async function fail(one: IncidentInstance, times: number): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      one.counts.count(false);
      await one.outbox.tell(house.database.source.manager, {
        at: house.clock.now(),
        kind: 'vendor.failed',
        subject: 'didit',
      });
      house.clock.advance(1_000);
    }
    await one.counts.tell();
  }

  async function succeed(one: IncidentInstance, times: number): Promise<void> {
    for (let n = 0; n < times; n += 1) one.counts.count(false);
    await one.counts.tell();
  }

  it('counts what an open breaker held back as calls that failed, and goes on counting it', async () => {
    const one = instance();
    await succeed(one, 10);
    await fail(one, 5);
    const hold = async (times: number): Promise<void> => {
      for (let n = 0; n < times; n += 1) one.counts.count(true);
      await one.counts.tell();
    };
    await hold(7);
    house.clock.advance(5_000);
    await one.detector.look();
    expect(await fresh(one)).toMatchObject([{ measurements: { failedCalls: 12, firstFailureAt: after(0) } }]);
    house.clock.advance(60_000);
    await hold(30);
    await one.detector.look();
    const second = Math.floor(house.clock.epochMs() / 1_000) * 1_000;
    const lastFailureAt = new Date(second).toISOString();
    expect(await fresh(one)).toMatchObject([{ measurements: { failedCalls: 42, lastFailureAt } }]);
  });

  it('is opened at five failures that are at least half of the calls', async () => {
    const one = instance();
    await succeed(one, 5);
    await fail(one, 5);
    house.clock.advance(5_000);
    await one.detector.look();
    const [incident, ...others] = await fresh(one);
    expect(others).toEqual([]);
    expect(incident).toMatchObject({
      state: 'assessing',
      openedBy: 'gateway',
      title: 'Calls to Didit fail',
      detectedAt: house.clock.now().toISOString(),
      occurredAt: after(0),
      facts: { ictRelatedIncident: { value: true, provenance: 'measured' } },
      measurements: {
        failedCalls: 5,
        firstFailureAt: after(0),
        lastFailureAt: after(4_000),
      },
      clocks: [{ conservative: true }],
    });
    expect(incident?.facts).not.toHaveProperty('time');
    expect(incident?.facts).not.toHaveProperty('critical');
    expect(await house.records(incident?.id ?? '')).toMatchObject([{ kind: 'incident.act', actor: 'gateway' }]);
  });

  it.each([
    ['too few failures', 4, 0],
    ['failures that are less than half', 5, 6],
  ])('is not opened for %s', async (_, failed, succeeded) => {
    const one = instance();
    await succeed(one, succeeded);
    await fail(one, failed);
    house.clock.advance(5_000);
    await one.detector.look();
    expect(await fresh(one)).toEqual([]);
  });

  it('waits until every instance had the time to tell its calls', async () => {
    const one = instance();
    await fail(one, 5);
    await one.detector.look();
    expect(await fresh(one)).toEqual([]);
    await succeed(await house.anotherInstance(), 20);
    house.clock.advance(5_000);
    await one.detector.look();
    expect(await fresh(one)).toHaveLength(1);
  });

  it('is one, however many instances look at once', async () => {
    const instances = [instance(), await house.anotherInstance(), await house.anotherInstance()];
    const [one] = instances;
    if (one === undefined) throw new Error('no instance');
    await fail(one, 8);
    house.clock.advance(5_000);
    await Promise.all(instances.map(({ detector }) => detector.look()));
    await Promise.all(instances.map(({ detector }) => detector.look()));
    expect(await fresh(one)).toHaveLength(1);
  });

  it('is joined by further failures, without a new version', async () => {
    const one = instance();
    await fail(one, 5);
    house.clock.advance(5_000);
    await one.detector.look();
    await fail(one, 20);
    await one.detector.look();
    const [incident] = await fresh(one);
    expect(incident).toMatchObject({ version: 1, measurements: { failedCalls: 25 } });
    const { items } = await one.incidents.timeline(incident?.id ?? '', { limit: 10 });
    expect(items.map(({ what, by }) => [what, by])).toEqual([
      ['opened', 'gateway'],
      ['joined', 'gateway'],
    ]);
    expect(items[1]?.detail).toMatchObject({ further: 20 });
    await one.detector.look();
    expect((await one.incidents.timeline(incident?.id ?? '', { limit: 10 })).items).toHaveLength(2);
  });

  it('is another one once the first was resolved, or when nothing failed for long', async () => {
    const one = instance();
    await fail(one, 5);
    house.clock.advance(5_000);
    await one.detector.look();
    const [first] = await fresh(one);
    await one.incidents.change(call(), first?.id ?? '', { resolvedAt: house.clock.now().toISOString() }, 1);
    house.clock.advance(1_000);
    await one.detector.look();
    expect(await fresh(one)).toHaveLength(1);
    await fail(one, 5);
    house.clock.advance(5_000);
    await one.detector.look();
    expect(await fresh(one)).toHaveLength(2);
    house.clock.advance(31 * 60_000);
    await one.detector.look();
    await fail(one, 5);
    house.clock.advance(5_000);
    await one.detector.look();
    expect((await fresh(one)).map(({ measurements }) => measurements?.failedCalls)).toEqual([5, 5, 5]);
  });

  it('looks again at a maintenance that has overrun', async () => {
    const one = instance();
    const maintenanceWindow = { from: after(-3_600_000), to: after(3_600_000) };
    const made = await one.incidents.open(call(), newIncident(house.clock, { facts: MAJOR, maintenanceWindow }));
    expect(made.proposal).toMatchObject({ inScope: false, major: false });
    house.clock.advance(2 * 3_600_000);
    await one.detector.look();
    expect((await one.incidents.get(made.id)).proposal).toMatchObject({ inScope: true, major: true });
    expect((await one.incidents.timeline(made.id, { limit: 10 })).items.at(-1)?.what).toBe('reassessed');
  });
});
