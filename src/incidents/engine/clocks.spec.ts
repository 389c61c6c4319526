import { describe, expect, it } from 'vitest';
import { clocksFor, type ClockEntity, type ClockIncident } from './clocks.js';

const ENTITY: ClockEntity = { homeState: 'ES', type: 'payment_institution' };
const NOW = '2026-03-10T09:00:00Z';
const AWARE = '2026-03-10T08:00:00Z';

function clocks(incident: Partial<ClockIncident>, now = NOW, entity = ENTITY) {
  return clocksFor({ awareAt: AWARE, submissions: [], ...incident }, entity, now);
}

describe('while nobody has decided', () => {
  it('shows one conservative clock, 24 hours from awareness', () => {
    expect(clocks({})).toEqual([
      {
        report: 'initial',
        limb: '5(1)(a) 24h limb',
        baseAt: '2026-03-11T08:00:00.000Z',
        dueAt: '2026-03-11T08:00:00.000Z',
        dueLocal: '2026-03-11T09:00:00+01:00',
        shifted: false,
        conservative: true,
        state: 'running',
      },
    ]);
  });

  it.each([
    [
      'four hours from a proposal that says major',
      true,
      '2026-03-10T08:30:00Z',
      '5(1)(a) 4h limb',
      '2026-03-10T12:30:00.000Z',
    ],
    [
      '24 hours where that is not earlier',
      true,
      '2026-03-11T05:00:00Z',
      '5(1)(a) 24h limb',
      '2026-03-11T08:00:00.000Z',
    ],
    ['24 hours under a late proposal', true, '2026-03-12T05:00:00Z', '5(1)(a) 24h limb', '2026-03-11T08:00:00.000Z'],
    [
      '24 hours where the proposal says not major',
      false,
      '2026-03-10T08:30:00Z',
      '5(1)(a) 24h limb',
      '2026-03-11T08:00:00.000Z',
    ],
  ])('%s', (_case, major, at, limb, dueAt) => {
    expect(clocks({ proposal: { major, at } })).toMatchObject([{ limb, dueAt, conservative: true }]);
  });

  it('does not wait for Monday', () => {
    const [clock] = clocks({ awareAt: '2026-03-06T10:00:00Z' });
    expect(clock).toMatchObject({ dueAt: '2026-03-07T10:00:00.000Z', shifted: false });
  });

  it('is missed once its limit passed, and not at the limit', () => {
    expect(clocks({}, '2026-03-11T08:00:00Z')[0]?.state).toBe('running');
    expect(clocks({}, '2026-03-11T08:00:00.001Z')[0]?.state).toBe('missed');
  });
});

describe('once somebody decided', () => {
  const decision = { major: true, at: '2026-03-10T10:00:00Z' };

  it('shows nothing for an incident that is not major', () => {
    expect(clocks({ decision: { major: false, at: NOW }, submissions: [{ report: 'initial', at: NOW }] })).toEqual([]);
  });

  it('shows the initial notification by the law, from the classification that was told', () => {
    expect(clocks({ decision })).toMatchObject([
      {
        report: 'initial',
        limb: '5(1)(a) 4h limb',
        dueAt: '2026-03-10T14:00:00.000Z',
        conservative: false,
        state: 'running',
      },
    ]);
    expect(clocks({ decision: { ...decision, classifiedAt: '2026-03-10T09:15:00Z' } })[0]?.dueAt).toBe(
      '2026-03-10T13:15:00.000Z',
    );
  });

  it('shows the four hours of Article 5(2) after a late decision', () => {
    expect(clocks({ decision: { major: true, at: '2026-03-12T10:00:00Z' } })).toMatchObject([
      { limb: '5(2) 4h from classification', dueAt: '2026-03-12T14:00:00.000Z' },
    ]);
  });

  it('survives an awareness that was corrected to after the classification', () => {
    expect(clocks({ awareAt: '2026-03-10T11:00:00Z', decision })[0]?.dueAt).toBe('2026-03-10T14:00:00.000Z');
  });

  it('waits for Monday only where the entity may', () => {
    const friday = { awareAt: '2026-03-06T20:00:00Z', decision: { major: true, at: '2026-03-06T21:00:00Z' } };
    expect(clocks(friday)[0]).toMatchObject({ shifted: true, dueLocal: '2026-03-09T12:00:00+01:00' });
    expect(clocks(friday, NOW, { ...ENTITY, type: 'credit_institution' })[0]?.shifted).toBe(false);
    expect(clocks(friday, NOW, { ...ENTITY, nis2: true })[0]?.shifted).toBe(false);
    expect(clocks(friday, NOW, { ...ENTITY, systemicNotice: '2026-01-01T00:00:00Z' })[0]?.shifted).toBe(false);
    expect(clocks(friday, NOW, { ...ENTITY, timeZone: 'America/New_York' })[0]?.shifted).toBe(false);
    expect(clocks(friday, NOW, { ...ENTITY, holidays: ['2026-03-09'] })[0]?.dueLocal).toBe('2026-03-10T12:00:00+01:00');
  });

  it('starts each later clock by the submission that it is counted from', () => {
    const initial = { report: 'initial' as const, at: '2026-03-10T12:00:00Z' };
    const intermediate = { report: 'intermediate' as const, at: '2026-03-12T12:00:00Z' };
    expect(
      clocks({ decision, submissions: [initial] }).map(({ report, state, dueAt }) => [report, state, dueAt]),
    ).toEqual([
      ['initial', 'met', '2026-03-10T14:00:00.000Z'],
      ['intermediate', 'running', '2026-03-13T12:00:00.000Z'],
    ]);
    expect(
      clocks({ decision, submissions: [intermediate, initial] }).map(({ report, state }) => [report, state]),
    ).toEqual([
      ['initial', 'met'],
      ['intermediate', 'met'],
      ['final', 'running'],
    ]);
  });

  it('counts the final month from the latest update', () => {
    const submissions = [
      { report: 'initial' as const, at: '2026-03-10T12:00:00Z' },
      { report: 'intermediate' as const, at: '2026-03-16T12:00:00Z' },
      { report: 'intermediate' as const, at: '2026-03-12T12:00:00Z' },
      { report: 'final' as const, at: '2026-04-16T10:00:00Z' },
    ];
    const all = clocks({ decision, submissions }, '2026-05-01T00:00:00Z');
    expect(all.map(({ report, state }) => [report, state])).toEqual([
      ['initial', 'met'],
      ['intermediate', 'met'],
      ['final', 'met'],
    ]);
    expect(all.at(-1)?.dueLocal).toBe('2026-04-16T13:00:00+02:00');
  });

  it('calls a submission at the limit met, and one after it missed', () => {
    const stateAt = (at: string) => clocks({ decision, submissions: [{ report: 'initial', at }] })[0]?.state;
    expect(stateAt('2026-03-10T14:00:00Z')).toBe('met');
    expect(stateAt('2026-03-10T14:00:00.001Z')).toBe('missed');
    expect(clocks({ decision }, '2026-03-10T14:00:01Z')[0]?.state).toBe('missed');
  });

  it('asks for an update once activities are recovered after the first intermediate report', () => {
    const submissions = [
      { report: 'initial' as const, at: '2026-03-10T12:00:00Z' },
      { report: 'intermediate' as const, at: '2026-03-11T12:00:00Z' },
    ];
    const updateOf = (restoredAt: string, more: ClockIncident['submissions'] = []) =>
      clocks({ decision, restoredAt, submissions: [...submissions, ...more] }).find(
        ({ report }) => report === 'updated-intermediate',
      );
    expect(updateOf('2026-03-11T12:00:00Z')).toBeUndefined();
    expect(updateOf('2026-03-11T18:00:00Z')).toMatchObject({
      baseAt: '2026-03-11T18:00:00.000Z',
      dueAt: null,
      dueLocal: null,
      state: 'running',
    });
    expect(updateOf('2026-03-11T18:00:00Z', [{ report: 'intermediate', at: '2026-03-11T19:00:00Z' }])?.state).toBe(
      'met',
    );
  });

  it('stops at a reclassification and keeps what was met or missed by then', () => {
    const submissions = [
      { report: 'initial' as const, at: '2026-03-10T15:00:00Z' },
      { report: 'reclassification' as const, at: '2026-03-11T10:00:00Z' },
    ];
    expect(
      clocks({ decision, submissions }, '2026-06-01T00:00:00Z').map(({ report, state }) => [report, state]),
    ).toEqual([['initial', 'missed']]);
  });
});
