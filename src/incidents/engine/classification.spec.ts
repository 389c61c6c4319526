import { describe, expect, it } from 'vitest';
import { classify, ENGINE_VERSION, type Classification } from './classification.js';
import { RULES } from './rules.js';
import type { Facts, ReadingsInput } from './schemas.js';

type Parts = Omit<Facts, 'entity'>;

const ENTITY = { home: 'ES', type: 'payment_institution' } as const;

function classified(parts: Parts, readings?: ReadingsInput): Classification {
  return classify({ ...parts, entity: ENTITY }, readings);
}

function verdictOf(parts: Parts, rule: string, readings?: ReadingsInput): boolean | null | undefined {
  return classified(parts, readings).explanation.find((row) => row.rule === rule)?.met;
}

const OPEN_GATE = { critical: { cif: true } };

describe('each limit', () => {
  const below = false;
  const above = true;

  it.each<[string, string, Parts, boolean]>([
    ['9(1)(a)', 'below', { clients: { affected: 999, usingService: 10_000 } }, below],
    ['9(1)(a)', 'on', { clients: { affected: 1000, usingService: 10_000 } }, below],
    ['9(1)(a)', 'above', { clients: { affected: 1001, usingService: 10_000 } }, above],
    [
      '9(1)(a)',
      'above by a hair',
      { clients: { affected: 900_719_925_474_100, usingService: 9_007_199_254_740_991 } },
      above,
    ],
    ['9(1)(a)', 'of none, none', { clients: { affected: 0, usingService: 0 } }, below],
    ['9(1)(b)', 'below', { clients: { affected: 99_999 } }, below],
    ['9(1)(b)', 'on', { clients: { affected: 100_000 } }, below],
    ['9(1)(b)', 'above', { clients: { affected: 100_001 } }, above],
    ['9(1)(c)', 'below', { counterparts: { affected: 29, total: 100 } }, below],
    ['9(1)(c)', 'on', { counterparts: { affected: 30, total: 100 } }, below],
    ['9(1)(c)', 'above', { counterparts: { affected: 31, total: 100 } }, above],
    ['9(1)(d)', 'below', { transactions: { affected: 499, dailyAvgNumber: 5000 } }, below],
    ['9(1)(d)', 'on', { transactions: { affected: 500, dailyAvgNumber: 5000 } }, below],
    ['9(1)(d)', 'above', { transactions: { affected: 501, dailyAvgNumber: 5000 } }, above],
    ['9(1)(d)', 'above the base', { transactions: { affected: 9000, dailyAvgNumber: 5000 } }, above],
    ['9(1)(e)', 'below', { transactions: { affectedValue: '999.99', dailyAvgValue: '10000' } }, below],
    ['9(1)(e)', 'on', { transactions: { affectedValue: 1000, dailyAvgValue: '10000.00' } }, below],
    ['9(1)(e)', 'above', { transactions: { affectedValue: '1000.01', dailyAvgValue: 10_000 } }, above],
    [
      '9(1)(e)',
      'above past a double',
      { transactions: { affectedValue: '1000.00000000000000000001', dailyAvgValue: '10000' } },
      above,
    ],
    ['9(1)(f)', 'no', { clients: { relevantAffected: false }, counterparts: { relevantAffected: false } }, below],
    ['9(1)(f)', 'a client', { clients: { relevantAffected: true } }, above],
    ['9(1)(f)', 'a counterpart', { counterparts: { relevantAffected: true } }, above],
    ['9(2)(a)', 'no', { reputation: { media: false } }, below],
    ['9(2)(a)', 'yes', { reputation: { media: true } }, above],
    ['9(2)(b)', 'no', { reputation: { repetitiveComplaints: false } }, below],
    ['9(2)(b)', 'yes', { reputation: { repetitiveComplaints: true } }, above],
    ['9(2)(c)', 'no', { reputation: { regulatory: false } }, below],
    ['9(2)(c)', 'yes', { reputation: { regulatory: true } }, above],
    ['9(2)(d)', 'no', { reputation: { lossOfClientsMaterial: false } }, below],
    ['9(2)(d)', 'yes', { reputation: { lossOfClientsMaterial: true } }, above],
    ['9(3)(a)', 'below', { time: { durationS: 86_399 } }, below],
    ['9(3)(a)', 'on', { time: { durationS: 86_400 } }, below],
    ['9(3)(a)', 'above', { time: { durationS: 86_401 } }, above],
    ['9(3)(b)', 'below', { time: { downtimeS: 7199, supportsCif: true } }, below],
    ['9(3)(b)', 'on', { time: { downtimeS: 7200, supportsCif: true } }, below],
    ['9(3)(b)', 'above', { time: { downtimeS: 7201, supportsCif: true } }, above],
    ['9(3)(b)', 'above, no critical function', { time: { downtimeS: 90_000, supportsCif: false } }, below],
    ['9(4)', 'none', { memberStates: [] }, below],
    ['9(4)', 'home only', { memberStates: ['ES'] }, below],
    ['9(4)', 'one other only', { memberStates: ['FR'] }, below],
    ['9(4)', 'the same twice', { memberStates: ['FR', 'FR'] }, below],
    ['9(4)', 'home and one other', { memberStates: ['ES', 'FR'] }, above],
    ['9(4)', 'two others', { memberStates: ['FR', 'PT'] }, above],
    ['9(5)(a)', 'no impact', { data: { impact: [], adverse: true } }, below],
    ['9(5)(a)', 'no effect', { data: { impact: ['integrity'], adverse: false } }, below],
    ['9(5)(a)', 'availability', { data: { impact: ['availability'], adverse: true } }, above],
    ['9(5)(a)', 'authenticity', { data: { impact: ['authenticity'], adverse: true } }, above],
    ['9(5)(a)', 'integrity', { data: { impact: ['integrity'], adverse: true } }, above],
    ['9(5)(a)', 'confidentiality', { data: { impact: ['confidentiality'], adverse: true } }, above],
    ['9(5)(b)', 'no access', { data: { maliciousAccess: false, mayLoseData: true } }, below],
    ['9(5)(b)', 'no conceivable loss', { data: { maliciousAccess: true, mayLoseData: false } }, below],
    ['9(5)(b)', 'possible loss', { data: { maliciousAccess: true, mayLoseData: true } }, above],
    ['9(5)(b)', 'possible loss by default', { data: { maliciousAccess: true } }, above],
    ['9(6)', 'below', { costEur: '99999.99' }, below],
    ['9(6)', 'on', { costEur: '100000.00' }, below],
    ['9(6)', 'above', { costEur: '100000.000000000000000001' }, above],
    ['6(a)', 'no', { critical: { cif: false } }, below],
    ['6(a)', 'yes', { critical: { cif: true } }, above],
    ['6(b)', 'no', { critical: { authorisedService: false } }, below],
    ['6(b)', 'yes', { critical: { authorisedService: true } }, above],
    ['6(c)', 'no', { critical: { maliciousAccess: false } }, below],
    ['6(c)', 'yes', { critical: { maliciousAccess: true } }, above],
  ])('%s, %s', (rule, _case, parts, expected) => {
    expect(verdictOf(parts, rule)).toBe(expected);
    if (rule.startsWith('9')) expect(Object.hasOwn(classified(parts).sub, rule)).toBe(expected);
  });
});

describe('a base of zero', () => {
  it.each<[string, Parts]>([
    ['9(1)(a)', { clients: { affected: 1, usingService: 0 } }],
    ['9(1)(c)', { counterparts: { affected: 1, total: 0 } }],
    ['9(1)(d)', { transactions: { affected: 1, dailyAvgNumber: 0 } }],
    ['9(1)(e)', { transactions: { affectedValue: '0.01', dailyAvgValue: '0.00' } }],
  ])('counts as met by an estimate: %s', (rule, parts) => {
    const result = classified(parts);
    expect(result.sub).toEqual({ [rule]: true });
    expect(result.estimates).toEqual([rule]);
    expect(result.explanation.find((row) => row.rule === rule)).toMatchObject({ met: true, estimate: true });
  });

  it('is no estimate where nobody is affected', () => {
    expect(classified({ clients: { affected: 0, usingService: 0 } })).toMatchObject({ sub: {}, estimates: [] });
  });
});

describe('what is unknown', () => {
  it('leaves every rule unknown where nothing is told, and all of them able to tip', () => {
    const result = classified({});
    expect(result).toMatchObject({
      inScope: true,
      gateArt6: false,
      otherThresholds: 0,
      limb: null,
      major: false,
      sub: {},
    });
    expect(Object.values(result.criteria)).toEqual([false, false, false, false, false, false]);
    expect(result.explanation.map((row) => row.met)).toEqual(result.explanation.map(() => null));
    expect(result.unknowns).toEqual(RULES.map((rule) => rule.id));
  });

  it('treats null as absent', () => {
    const result = classified({
      ictRelatedIncident: null,
      critical: null,
      clients: { affected: null, usingService: null, relevantAffected: null },
      data: null,
      memberStates: null,
      costEur: null,
    });
    expect(result).toEqual(classified({}));
  });

  it('leaves the gate unmet without a word on critical services', () => {
    const result = classified({ reputation: { media: true }, costEur: '200000' });
    expect(result).toMatchObject({ gateArt6: false, otherThresholds: 2, limb: null, major: false });
    expect(result.unknowns).toEqual(['6(a)', '6(b)', '6(c)']);
  });

  it('decides 9(1)(b) and (f) without a base', () => {
    const result = classified({ clients: { affected: 100_001, relevantAffected: true } });
    expect(result.sub).toEqual({ '9(1)(b)': true, '9(1)(f)': true });
    expect(result.explanation.find((row) => row.rule === '9(1)(a)')?.met).toBeNull();
  });

  it('does not expect zero affected to exceed a base that is not known', () => {
    const none = { clients: { affected: 0, relevantAffected: false }, counterparts: { relevantAffected: false } };
    expect(verdictOf(none, '9(1)(a)')).toBeNull();
    expect(classified({ ...OPEN_GATE, ...none }).unknowns).not.toContain('9(1)(a)');
    expect(classified({ ...OPEN_GATE, clients: { affected: 1 } }).unknowns).toContain('9(1)(a)');
  });

  it.each<[string, Parts, boolean | null]>([
    ['9(3)(b)', { time: { downtimeS: 7201 } }, null],
    ['9(3)(b)', { time: { supportsCif: true } }, null],
    ['9(3)(b)', { time: { downtimeS: 7200 } }, false],
    ['9(3)(b)', { time: { supportsCif: false } }, false],
    ['9(5)(a)', { data: { impact: ['integrity'] } }, null],
    ['9(5)(a)', { data: { impact: [] } }, false],
    ['9(5)(a)', { data: { adverse: false } }, false],
    ['9(5)(b)', { data: { mayLoseData: true } }, null],
    ['9(5)(b)', { data: { mayLoseData: false } }, false],
    ['9(5)(b)', { critical: { maliciousAccess: true } }, null],
    ['9(1)(f)', { clients: { relevantAffected: false } }, null],
    ['6(c)', { data: { maliciousAccess: false } }, null],
  ])('%s of %j is %s', (rule, parts, expected) => {
    expect(verdictOf(parts, rule)).toBe(expected);
  });

  it('names only what could still tip the result', () => {
    const settled = {
      ...OPEN_GATE,
      clients: { affected: 5, usingService: 1000, relevantAffected: false },
      counterparts: { affected: 0, total: 10, relevantAffected: false },
      transactions: { affected: 0, dailyAvgNumber: 10, affectedValue: 0, dailyAvgValue: 10 },
      reputation: { media: true },
      time: { durationS: 60, downtimeS: 60, supportsCif: true },
      data: { impact: [], maliciousAccess: false },
      memberStates: ['ES' as const],
    };
    expect(classified(settled).unknowns).toEqual(['9(6)']);
    expect(classified({ ...settled, reputation: {} }).unknowns).toEqual([
      '9(2)(a)',
      '9(2)(b)',
      '9(2)(c)',
      '9(2)(d)',
      '9(6)',
    ]);
    expect(classified({ ...settled, costEur: '1', reputation: {} }).unknowns).toEqual([]);
  });

  it('names nothing once the incident is major, out of scope, or past the gate for good', () => {
    expect(classified({ ...OPEN_GATE, reputation: { media: true }, costEur: '200000' })).toMatchObject({
      major: true,
      unknowns: [],
    });
    expect(classified({ ictRelatedIncident: false }).unknowns).toEqual([]);
    expect(classified({ critical: { cif: false, authorisedService: false, maliciousAccess: false } }).unknowns).toEqual(
      [],
    );
  });
});

describe('malicious access', () => {
  it('told under the data losses opens the gate too, where that question was not answered', () => {
    expect(classified({ data: { maliciousAccess: true } })).toMatchObject({
      gateArt6: true,
      limb: '8(1)(a)',
      major: true,
    });
    expect(classified({ critical: { maliciousAccess: false }, data: { maliciousAccess: true } })).toMatchObject({
      gateArt6: false,
      limb: null,
      sub: { '9(5)(b)': true },
    });
  });

  it('told under the critical services says nothing of data losses', () => {
    const result = classified({ critical: { maliciousAccess: true } });
    expect(result).toMatchObject({ gateArt6: true, sub: {}, major: false });
    expect(result.unknowns).toContain('9(5)(b)');
  });

  const breach = {
    critical: { cif: true },
    data: { impact: ['confidentiality' as const], adverse: true, maliciousAccess: true },
  };

  it('with losses that meet point (a) stands by both points, read by purpose', () => {
    const result = classified(breach);
    expect(result.sub).toEqual({ '9(5)(a)': true, '9(5)(b)': true });
    expect(result).toMatchObject({ limb: '8(1)(a)', major: true, otherThresholds: 1, criteria: { dataLosses: true } });
  });

  it('with losses that meet point (a) stands by (a) alone, read literally, and needs a second threshold', () => {
    const literal = { nine5b: 'literal' } as const;
    const result = classified(breach, literal);
    expect(result.sub).toEqual({ '9(5)(a)': true });
    expect(result).toMatchObject({ limb: null, major: false, otherThresholds: 1, criteria: { dataLosses: true } });
    expect(classified({ ...breach, costEur: 100_001 }, literal)).toMatchObject({ limb: '8(1)(b)', major: true });
  });

  it('whose losses are not known yet is enough in both readings; read literally, the losses could turn it over', () => {
    const intrusion = { critical: { cif: true }, data: { maliciousAccess: true } };
    expect(classified(intrusion)).toMatchObject({ limb: '8(1)(a)', major: true, unknowns: [] });
    expect(classified(intrusion, { nine5b: 'literal' })).toMatchObject({
      limb: '8(1)(a)',
      major: true,
      unknowns: expect.arrayContaining(['9(5)(a)']),
    });
  });
});

describe('the geographical readings', () => {
  it.each<[NonNullable<Parts['memberStates']>, boolean]>([
    [['ES', 'FR'], false],
    [['FR'], false],
    [['FR', 'FR', 'ES'], false],
    [['FR', 'PT'], true],
    [['ES', 'FR', 'PT'], true],
    [['FR', 'IS'], true],
  ])('others_only: %j', (memberStates, expected) => {
    expect(verdictOf({ memberStates }, '9(4)', { geoRule: 'others_only' })).toBe(expected);
  });
});

describe('Article 8(1)', () => {
  it('counts a criterion once however many of its limits are met', () => {
    const result = classified({ ...OPEN_GATE, reputation: { media: true, regulatory: true }, costEur: '1' });
    expect(result).toMatchObject({ otherThresholds: 1, major: false });
  });

  it('needs two thresholds', () => {
    expect(classified({ ...OPEN_GATE, reputation: { media: true }, memberStates: ['ES', 'FR'] })).toMatchObject({
      otherThresholds: 2,
      limb: '8(1)(b)',
      major: true,
    });
  });

  it('shows (a) where both limbs hold', () => {
    const result = classified({
      data: { maliciousAccess: true },
      reputation: { media: true },
      memberStates: ['ES', 'FR'],
    });
    expect(result.limb).toBe('8(1)(a)');
    expect(result.explanation.filter((row) => row.rule.startsWith('8')).map((row) => row.met)).toEqual([true, true]);
  });

  it('needs the gate, and computes the rest without it', () => {
    const shut = { critical: { cif: false, authorisedService: false, maliciousAccess: false } };
    const result = classified({
      ...shut,
      reputation: { media: true },
      memberStates: ['ES', 'FR'],
      data: { maliciousAccess: true },
    });
    expect(result).toMatchObject({ gateArt6: false, otherThresholds: 2, limb: null, major: false });
    expect(result.sub).toEqual({ '9(2)(a)': true, '9(4)': true, '9(5)(b)': true });
  });

  it('needs an ICT-related incident, and computes the rest without it', () => {
    const result = classified({
      ...OPEN_GATE,
      ictRelatedIncident: false,
      reputation: { media: true },
      memberStates: ['ES', 'FR'],
    });
    expect(result).toMatchObject({ inScope: false, gateArt6: true, otherThresholds: 2, limb: null, major: false });
  });

  it('counts to six', () => {
    const result = classified({
      ...OPEN_GATE,
      clients: { relevantAffected: true },
      reputation: { media: true },
      time: { durationS: 100_000 },
      memberStates: ['ES', 'FR'],
      data: { impact: ['integrity'], adverse: true },
      costEur: 200_000,
    });
    expect(result.otherThresholds).toBe(6);
    expect(Object.values(result.criteria)).toEqual([true, true, true, true, true, true]);
  });
});

describe('the explanation', () => {
  it('has a row for every rule, with its inputs, a sentence and its article', () => {
    const result = classified({ clients: { affected: 1001, usingService: 10_000 }, costEur: 0.5 });
    expect(result.explanation.map((row) => row.rule)).toEqual([...RULES.map((rule) => rule.id), '8(1)(a)', '8(1)(b)']);
    expect(result.explanation.find((row) => row.rule === '9(1)(a)')).toEqual({
      rule: '9(1)(a)',
      met: true,
      inputs: { 'clients.affected': 1001, 'clients.usingService': 10_000 },
      text: 'Met: affected clients above 10 % of all clients using the affected service (1001 of 10000).',
      article: 'Delegated Regulation (EU) 2024/1772, Article 9(1), point (a), and Article 1(1)',
    });
    expect(result.explanation.find((row) => row.rule === '9(6)')?.inputs).toEqual({ costEur: '0.5' });
    expect(result.engineVersion).toBe(ENGINE_VERSION);
  });
});
