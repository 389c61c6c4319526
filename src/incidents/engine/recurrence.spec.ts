import { describe, expect, it } from 'vitest';
import { assessRecurrence } from './recurrence.js';
import { recurrenceRequestSchema, type RecurrenceRequest } from './schemas.js';

interface Sketch {
  readonly id?: string;
  readonly at: string;
  readonly cause?: string;
  readonly facts?: object;
  readonly majorAlone?: boolean;
}

const CAUSE = 'stale connection pool after failover';

function requestOf(sketches: readonly Sketch[], rest: object = {}, entity: object = {}): RecurrenceRequest {
  return recurrenceRequestSchema.parse({
    entity: { home: 'ES', type: 'payment_institution', microenterprise: false, art16: false, ...entity },
    incidents: sketches.map(({ id, at, cause, facts, majorAlone }, index) => ({
      id: id ?? `I${String(index + 1)}`,
      occurredAt: at.includes('T') ? at : `${at}T09:00:00Z`,
      detectedAt: '2026-12-31T00:00:00Z',
      rootCause: cause ?? CAUSE,
      rootCauseCategory: 'system_failure',
      facts: facts ?? OUTAGE,
      majorAlone,
    })),
    ...rest,
  });
}

/** Not major alone (one threshold); two of them together stay two hours and a bit down. */
const OUTAGE = {
  critical: { cif: true },
  clients: { affected: 1200, usingService: 10_000 },
  time: { durationS: 4500, downtimeS: 4500, supportsCif: true },
  memberStates: ['ES'],
};

const membersOf = (request: RecurrenceRequest) => assessRecurrence(request).groups.map((group) => group.members);

describe('the window of six months', () => {
  it.each([
    ['the same date is inside', '2026-01-10', '2026-07-10T23:59:59Z', 1],
    ['the day after is outside', '2026-01-10', '2026-07-11T00:00:00Z', 0],
    ['a missing date is the last of the month', '2025-08-31', '2026-02-28', 1],
    ['beyond a missing date', '2025-08-31', '2026-03-01', 0],
    ['from a leap day', '2024-02-29', '2024-08-29', 1],
    ['beyond a leap day', '2024-02-29', '2024-08-30', 0],
    ['the date is that of UTC, inside', '2026-01-10T01:00:00+02:00', '2026-07-09T12:00:00Z', 1],
    ['the date is that of UTC, outside', '2026-01-10T01:00:00+02:00', '2026-07-10T12:00:00Z', 0],
    ['the date is that of UTC, at the end', '2026-01-10', '2026-07-11T01:00:00+02:00', 1],
  ])('%s', (_case, first, last, groups) => {
    const recurrence = assessRecurrence(requestOf([{ at: first }, { at: last }]));
    expect(recurrence.groups).toHaveLength(groups);
    expect(recurrence.recurringMajor).toBe(groups === 1);
  });

  it('slides: every window that no other contains is a group', () => {
    const request = requestOf([{ at: '2026-01-01' }, { at: '2026-03-01' }, { at: '2026-07-01' }, { at: '2026-09-01' }]);
    expect(membersOf(request)).toEqual([
      ['I1', 'I2', 'I3'],
      ['I2', 'I3', 'I4'],
    ]);
  });

  it('gives no group to a lone incident between windows', () => {
    const request = requestOf([{ at: '2025-01-01' }, { at: '2026-01-01' }, { at: '2026-02-01' }, { at: '2027-01-01' }]);
    expect(membersOf(request)).toEqual([['I2', 'I3']]);
  });

  it('orders members by occurrence, two of one instant by id', () => {
    const at = '2026-02-01';
    expect(
      membersOf(
        requestOf([
          { id: 'b', at },
          { id: 'a', at },
          { id: 'c', at: '2026-01-01' },
        ]),
      ),
    ).toEqual([['c', 'a', 'b']]);
  });
});

describe('the root cause', () => {
  it('is the same after trimming and case-folding', () => {
    const request = requestOf([
      { at: '2026-01-01', cause: '  Straße gesperrt ' },
      { at: '2026-02-01', cause: 'STRASSE GESPERRT' },
    ]);
    expect(assessRecurrence(request).groups.map((group) => group.rootCause)).toEqual(['Straße gesperrt']);
  });

  it('is the specific one and not its category', () => {
    expect(
      membersOf(
        requestOf([
          { at: '2026-01-01', cause: 'full disk' },
          { at: '2026-02-01', cause: 'full  disk' },
        ]),
      ),
    ).toEqual([]);
  });

  it('groups each cause by itself', () => {
    const request = requestOf([
      { at: '2026-01-01', cause: 'a' },
      { at: '2026-01-02', cause: 'b' },
      { at: '2026-02-01', cause: 'a' },
      { at: '2026-02-02', cause: 'b' },
    ]);
    expect(membersOf(request)).toEqual([
      ['I1', 'I3'],
      ['I2', 'I4'],
    ]);
  });
});

describe('who takes part', () => {
  const MAJOR = { ...OUTAGE, reputation: { media: true } };

  it('leaves out an incident that is major alone, as computed', () => {
    expect(membersOf(requestOf([{ at: '2026-01-01' }, { at: '2026-02-01', facts: MAJOR }]))).toEqual([]);
  });

  it('takes the word of the request for it', () => {
    const told = [{ at: '2026-01-01' }, { at: '2026-02-01', facts: MAJOR, majorAlone: false }];
    expect(membersOf(requestOf(told))).toEqual([['I1', 'I2']]);
    expect(membersOf(requestOf([{ at: '2026-01-01' }, { at: '2026-02-01', majorAlone: true }]))).toEqual([]);
  });

  it('computes it by the readings of the request', () => {
    const crossBorder = { ...OUTAGE, memberStates: ['ES', 'FR'] };
    const sketches = [
      { at: '2026-01-01', facts: crossBorder },
      { at: '2026-02-01', facts: crossBorder },
    ];
    expect(membersOf(requestOf(sketches))).toEqual([]);
    expect(membersOf(requestOf(sketches, { readings: { geoRule: 'others_only' } }))).toEqual([['I1', 'I2']]);
  });

  it('leaves out what is no ICT-related incident', () => {
    const outside = { ...OUTAGE, ictRelatedIncident: false };
    const recurrence = assessRecurrence(requestOf([{ at: '2026-01-01' }, { at: '2026-02-01', facts: outside }]));
    expect(recurrence).toMatchObject({ groups: [], recurringMajor: false });
    expect(JSON.stringify(recurrence.explanation)).toContain('no ICT-related incidents');
  });

  it.each([{ microenterprise: true }, { art16: true }])('exempts %j', (entity) => {
    const recurrence = assessRecurrence(requestOf([{ at: '2026-01-01' }, { at: '2026-02-01' }], {}, entity));
    expect(recurrence).toMatchObject({ recurringMajor: false, groups: [] });
    expect(recurrence.explanation).toHaveLength(1);
  });

  it('answers an empty request', () => {
    expect(assessRecurrence(requestOf([]))).toMatchObject({ recurringMajor: false, groups: [] });
  });
});

describe('the aggregate', () => {
  const joined = (one: object, other: object, rest: object = {}) => {
    const recurrence = assessRecurrence(
      requestOf(
        [
          { at: '2026-01-01', facts: one, majorAlone: false },
          { at: '2026-02-01', facts: other, majorAlone: false },
        ],
        rest,
      ),
    );
    const [group] = recurrence.groups;
    if (group === undefined) throw new Error('the two incidents make one group');
    return group;
  };
  const verdict = (group: ReturnType<typeof joined>, rule: string) =>
    group.classification.explanation.find((row) => row.rule === rule)?.met;

  it('sums times, transactions and costs exactly', () => {
    const one = {
      time: { durationS: 100, downtimeS: 50 },
      transactions: { affected: 3, dailyAvgNumber: 60, affectedValue: '0.10', dailyAvgValue: '5' },
      costEur: '60000.10',
    };
    const other = {
      time: { durationS: 11, downtimeS: 7 },
      transactions: { affected: 4, dailyAvgNumber: 50, affectedValue: 0.2, dailyAvgValue: '7.5' },
      costEur: 40_000,
    };
    expect(joined(one, other).facts).toMatchObject({
      time: { durationS: 111, downtimeS: 57 },
      transactions: { affected: 7, dailyAvgNumber: 60, affectedValue: '0.30', dailyAvgValue: '7.5' },
      costEur: '100000.10',
    });
  });

  it('sums clients and counterparts up to the largest base, as an estimate', () => {
    const one = { clients: { affected: 700, usingService: 1000 }, counterparts: { affected: 1, total: 10 } };
    const other = { clients: { affected: 800, usingService: 1200 }, counterparts: { affected: 2, total: 10 } };
    const group = joined(one, other);
    expect(group.facts).toMatchObject({
      clients: { affected: 1200, usingService: 1200 },
      counterparts: { affected: 3, total: 10 },
    });
    expect(group.classification.estimates).toEqual(['9(1)(a)', '9(1)(b)', '9(1)(c)']);
  });

  it('is not capped by a base of zero, nor below a single count', () => {
    const zero = { clients: { affected: 5, usingService: 0 } };
    expect(joined(zero, zero).facts.clients).toEqual({ affected: 10, usingService: 0 });
    const uncounted = { clients: { affected: 900 } };
    expect(joined({ clients: { affected: 1, usingService: 10 } }, uncounted).facts.clients).toEqual({
      affected: 900,
      usingService: 900,
    });
    expect(joined(uncounted, uncounted).facts.clients).toEqual({ affected: 1800 });
  });

  it('joins yes-or-no facts by or, and lists by union', () => {
    const one = {
      critical: { cif: true },
      reputation: { media: false },
      data: { impact: ['integrity'], adverse: false },
      memberStates: ['ES'],
    };
    const other = {
      critical: { cif: false },
      reputation: { media: false },
      data: { impact: ['availability'], adverse: true },
      memberStates: ['FR', 'ES'],
    };
    expect(joined(one, other).facts).toMatchObject({
      critical: { cif: true },
      reputation: { media: false },
      data: { impact: ['availability', 'integrity'], adverse: true },
      memberStates: ['ES', 'FR'],
    });
  });

  it('keeps a sum with an unknown part open, unless what is known is enough', () => {
    const half = { costEur: '60000', time: { durationS: 90_000 }, memberStates: ['ES'], reputation: { media: false } };
    const group = joined(half, {});
    expect(group.facts).toMatchObject({ costEur: '60000', time: { durationS: 90_000 } });
    expect(verdict(group, '9(6)')).toBeNull();
    expect(verdict(group, '9(4)')).toBeNull();
    expect(verdict(group, '9(2)(a)')).toBeNull();
    expect(verdict(group, '9(3)(a)')).toBe(true);
    expect(verdict(joined(half, { costEur: '0', memberStates: [] }), '9(6)')).toBe(false);
  });

  it('knows nothing where no incident does', () => {
    const { facts, classification } = joined({}, {});
    expect(facts).toEqual({ entity: { home: 'ES', type: 'payment_institution' }, ictRelatedIncident: true });
    expect(classification.explanation.map((row) => row.met)).toEqual(classification.explanation.map(() => null));
  });

  it('draws what malicious access implies for each incident before it joins them', () => {
    const denied = { critical: { maliciousAccess: false }, data: { maliciousAccess: true, mayLoseData: false } };
    const group = joined(denied, { data: { maliciousAccess: false } });
    expect(group.classification.sub).toEqual({});
    expect(verdict(group, '6(c)')).toBe(false);
    const assumed = joined(denied, { data: { maliciousAccess: true } });
    expect(assumed.classification).toMatchObject({ gateArt6: true, limb: '8(1)(a)' });
  });

  it('cuts sums that no integer holds', () => {
    const huge = { time: { durationS: Number.MAX_SAFE_INTEGER } };
    expect(joined(huge, huge).facts.time).toEqual({ durationS: Number.MAX_SAFE_INTEGER });
  });

  it('says why', () => {
    const group = joined(OUTAGE, OUTAGE);
    expect(group).toMatchObject({ firstOccurredOn: '2026-01-01', lastOccurredOn: '2026-02-01' });
    const rows = assessRecurrence(requestOf([{ at: '2026-01-01' }, { at: '2026-02-01' }])).explanation;
    expect(rows.map((row) => [row.rule, row.met])).toEqual([
      ['8(2)(a)', true],
      ['8(2)(b)', true],
      ['8(2)(c)', true],
    ]);
  });
});
