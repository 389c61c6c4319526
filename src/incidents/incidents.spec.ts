import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type IncidentHouse,
  type IncidentInstance,
  MAJOR,
  newIncident,
  OFFICER,
  officerCall as call,
  openIncidentHouse,
} from '../../test/support/incidents.js';
import { uuidv7 } from '../platform/index.js';
import type { NewIncident } from './schemas.js';
import type { Incidents } from './incidents.js';
import type { IncidentView } from './views.js';

let house: IncidentHouse;
const instance = (): IncidentInstance => house.instance();
const body = (members: object = {}): NewIncident => newIncident(house.clock, members);

beforeAll(async () => {
  house = await openIncidentHouse();
});

afterAll(() => house.stop());

it('has entities that say what the migration made', async () => {
  const { upQueries } = await house.database.source.driver.createSchemaBuilder().log();
  expect(upQueries.map(({ query }) => query)).toEqual([]);
});

describe('an incident entered by a person', () => {
  it('is kept with where its facts come from, the engine’s proposal and the conservative clock', async () => {
    const { incidents } = instance();
    const facts = { ...MAJOR, costEur: { value: '1200.50', provenance: 'estimated', method: 'finance' } };
    const made = await incidents.open(call(), body({ facts, description: 'Customers cannot log in.' }));
    expect(made).toMatchObject({
      reference: 'INC-2026-0001',
      state: 'assessing',
      openedBy: 'ana',
      version: 1,
      awareAt: made.detectedAt,
      decision: null,
      facts: {
        entity: { home: 'ES', type: 'credit_institution' },
        clients: { affected: { value: 20, provenance: 'entered' } },
        costEur: { value: '1200.50', provenance: 'estimated', method: 'finance' },
      },
      proposal: { major: true, limb: '8(1)(b)', at: house.clock.now().toISOString() },
      clocks: [{ report: 'initial', conservative: true, state: 'running', dueAt: '2026-03-10T12:00:00.000Z' }],
    });
    expect(await incidents.get(made.id)).toEqual(made);
  });

  it('leaves a record and an entry in its timeline with each act, and none of what people wrote', async () => {
    const { incidents } = instance();
    const made = await incidents.open(call(), body({ description: 'Zoë Müller called.' }));
    await incidents.change(call(), made.id, { description: 'Zoë again.', facts: { clients: { affected: 3 } } }, 1);
    await incidents.decide(call(), made.id, { major: false, reason: 'Zoë was the only one.' }, 2);
    const written = await house.records(made.id);
    expect(written.map(({ kind, actor, detail }) => [kind, actor, (detail as { act: string }).act])).toEqual([
      ['incident.act', OFFICER, 'opened'],
      ['incident.act', OFFICER, 'changed'],
      ['incident.act', OFFICER, 'classified'],
    ]);
    expect(JSON.stringify(written)).not.toContain('Zoë');
    const { items } = await incidents.timeline(made.id, { limit: 100 });
    expect(items.map(({ what, by, recordId }) => [what, by, recordId])).toEqual(
      written.map((record) => [(record['detail'] as { act: string }).act, 'ana', record['id']]),
    );
    expect(items[1]?.detail['changes']).toEqual([
      { member: '/description' },
      { member: '/facts/clients/affected', after: '{"value":3,"provenance":"entered"}' },
    ]);
    expect(items[2]?.detail).toMatchObject({ major: false, reason: 'Zoë was the only one.' });
  });

  it('is numbered within its year by however many at once, and listed newest first', async () => {
    const { incidents } = instance();
    const made = await Promise.all(Array.from({ length: 5 }, () => incidents.open(call(), body())));
    expect(new Set(made.map(({ reference }) => reference)).size).toBe(5);
    const first = await incidents.list({ limit: 2, state: 'assessing' });
    expect(first.items).toHaveLength(2);
    const second = await incidents.list({ limit: 2, state: 'assessing', cursor: first.nextCursor ?? '' });
    const ids = [...first.items, ...second.items].map(({ id }) => id);
    expect(ids).toEqual([...ids].sort().reverse());
    await expect(incidents.list({ limit: 2, cursor: 'nonsense' })).rejects.toThrow('invalid-cursor');
  });

  it('takes a merge patch: what is null goes, what is absent stays, and the proposal follows', async () => {
    const { incidents } = instance();
    const made = await incidents.open(call(), body({ facts: MAJOR, occurredAt: '2026-03-10T06:00:00Z' }));
    house.clock.advance(60_000);
    const patched = await incidents.change(
      call(),
      made.id,
      {
        occurredAt: null,
        facts: { reputation: null, clients: { affected: { value: 30 } } },
        awareAt: '2026-03-10T08:30:00+00:00',
      },
      1,
    );
    expect(patched).not.toHaveProperty('occurredAt');
    expect(patched.facts).not.toHaveProperty('reputation');
    expect(patched.facts.clients).toEqual({
      affected: { value: 30, provenance: 'entered' },
      usingService: { value: 100, provenance: 'entered' },
    });
    expect(patched).toMatchObject({
      version: 2,
      awareAt: '2026-03-10T08:30:00.000Z',
      proposal: { major: false, at: '2026-03-10T08:01:00.000Z' },
      clocks: [{ limb: '5(1)(a) 24h limb', dueAt: '2026-03-11T08:30:00.000Z' }],
    });
  });

  it('stays as it is by a patch that changes nothing', async () => {
    const { incidents } = instance();
    const made = await incidents.open(call(), body({ facts: MAJOR }));
    expect((await incidents.change(call(), made.id, { title: made.title, facts: { clients: {} } }, 1)).version).toBe(1);
    expect(await house.records(made.id)).toHaveLength(1);
  });

  it.each([
    [{ facts: { clients: { affected: 200 } } }, '/facts/clients/affected'],
    [{ title: null }, '/title'],
    [{ nonsense: 1 }, '/nonsense'],
    [{ facts: { clients: { affected: -1 } } }, '/facts/clients/affected'],
    [{ occurredAt: '2026-03-10T08:00:00Z', restoredAt: '2026-03-10T07:00:00Z' }, '/restoredAt'],
    [{ detectedAt: '2026-03-10' }, '/detectedAt'],
    [{ state: 'gone' }, '/state'],
  ])('refuses the patch %j', async (patch, pointer) => {
    const { incidents } = instance();
    const made = await incidents.open(call(), body({ facts: MAJOR }));
    await expect(incidents.change(call(), made.id, patch, 1)).rejects.toMatchObject({
      code: 'invalid-request',
      errors: [expect.objectContaining({ pointer })],
    });
  });

  it('is changed from the version that was read, and by one of two at once', async () => {
    const { incidents } = instance();
    const made = await incidents.open(call(), body());
    await expect(incidents.change(call(), made.id, { title: 'x' }, 2)).rejects.toMatchObject({
      code: 'version-conflict',
    });
    await expect(incidents.decide(call(), made.id, { major: true, reason: 'x' }, undefined)).rejects.toMatchObject({
      code: 'version-conflict',
    });
    const both = await Promise.allSettled(
      ['one', 'two'].map((title) => incidents.change(call(), made.id, { title }, 1)),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('is not found under another id', async () => {
    const { incidents } = instance();
    await expect(incidents.get('nonsense')).rejects.toMatchObject({ code: 'not-found' });
    await expect(incidents.change(call(), uuidv7(), {}, 1)).rejects.toMatchObject({ code: 'not-found' });
    await expect(incidents.timeline(uuidv7(), { limit: 1 })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a person’s decision', () => {
  const decided = async (...majors: boolean[]): Promise<{ incidents: Incidents; view: IncidentView }> => {
    const { incidents } = instance();
    let view = await incidents.open(call(), body());
    for (const major of majors)
      view = await incidents.decide(call(), view.id, { major, reason: 'because' }, view.version);
    return { incidents, view };
  };

  it('starts the clock of the initial notification at the classification', async () => {
    const { incidents } = instance();
    const made = await incidents.open(call(), body());
    house.clock.advance(3_600_000);
    const classifiedAt = '2026-03-10T08:20:00+00:00';
    const view = await incidents.decide(call(), made.id, { major: true, reason: 'many', classifiedAt }, 1);
    expect(view).toMatchObject({
      state: 'major',
      version: 2,
      decision: { major: true, by: 'ana', at: '2026-03-10T08:20:00.000Z', reason: 'many' },
      clocks: [{ report: 'initial', conservative: false, limb: '5(1)(a) 4h limb', dueAt: '2026-03-10T12:20:00.000Z' }],
    });
    expect(await incidents.clocks(made.id)).toEqual({ items: view.clocks });
  });

  it('misses the clock when nothing was submitted in time', async () => {
    const { incidents, view } = await decided(true);
    house.clock.advance(4 * 3_600_000 + 1);
    expect((await incidents.get(view.id)).clocks).toMatchObject([{ report: 'initial', state: 'missed' }]);
  });

  it('reclassifies what was major, and stops its clocks', async () => {
    const { view } = await decided(true, false);
    expect(view).toMatchObject({ state: 'reclassified', clocks: [] });
  });

  it('leaves no clock when it says not major, and may still be major later', async () => {
    expect((await decided(false)).view).toMatchObject({ state: 'not-major', clocks: [] });
    expect((await decided(false, true)).view.state).toBe('major');
  });

  it('is not made twice the same way, nor before anybody knew', async () => {
    const { incidents, view } = await decided(true);
    await expect(incidents.decide(call(), view.id, { major: true, reason: 'x' }, 2)).rejects.toMatchObject({
      code: 'conflict',
    });
    const made = await incidents.open(call(), body());
    const early = { major: true, reason: 'x', classifiedAt: '2026-03-10T07:59:59Z' };
    await expect(incidents.decide(call(), made.id, early, 1)).rejects.toMatchObject({
      errors: [{ pointer: '/classifiedAt' }],
    });
  });

  it('comes before the end: an undecided incident is not closed, a closed one not changed', async () => {
    const { incidents, view } = await decided(false);
    await expect(incidents.change(call(), view.id, { state: 'major' }, 2)).rejects.toMatchObject({ code: 'conflict' });
    const closed = await incidents.change(call(), view.id, { state: 'closed', title: 'Done' }, 2);
    expect(closed).toMatchObject({ state: 'closed', title: 'Done', version: 3 });
    await expect(incidents.change(call(), view.id, { title: 'Again' }, 3)).rejects.toMatchObject({ code: 'conflict' });
    const open = await incidents.open(call(), body());
    await expect(incidents.change(call(), open.id, { state: 'closed' }, 1)).rejects.toMatchObject({ code: 'conflict' });
  });
});
