import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify } from './classification.js';
import type { Facts } from './schemas.js';
import { MEMBER_STATES } from './states.js';

const unknownOr = <T>(known: fc.Arbitrary<T>) => fc.option(known, { nil: null, freq: 4 });
const flag = unknownOr(fc.boolean());
const count = unknownOr(fc.oneof(fc.nat(50), fc.integer({ min: 99_990, max: 100_010 })));
const seconds = unknownOr(fc.oneof(fc.integer({ min: 7190, max: 7210 }), fc.integer({ min: 86_390, max: 86_410 })));
const amount = unknownOr(
  fc.oneof(
    fc.nat(50).map(String),
    fc
      .integer({ min: 9_999_900, max: 10_000_100 })
      .map((cents) => `${String(Math.trunc(cents / 100))}.${String(cents % 100).padStart(2, '0')}`),
  ),
);
const impacts = fc.subarray(['availability', 'authenticity', 'integrity', 'confidentiality'] as const);

const facts: fc.Arbitrary<Facts> = fc.record({
  ictRelatedIncident: flag,
  entity: fc.constant({ home: 'ES', type: 'payment_institution' } as const),
  critical: fc.record({ cif: flag, authorisedService: flag, maliciousAccess: flag }),
  clients: fc.record({ affected: count, usingService: count, relevantAffected: flag }),
  counterparts: fc.record({ affected: count, total: count, relevantAffected: flag }),
  transactions: fc.record({ affected: count, dailyAvgNumber: count, affectedValue: amount, dailyAvgValue: amount }),
  reputation: fc.record({ media: flag, repetitiveComplaints: flag, regulatory: flag, lossOfClientsMaterial: flag }),
  time: fc.record({ durationS: seconds, downtimeS: seconds, supportsCif: flag }),
  data: fc.record({ impact: unknownOr(impacts), adverse: flag, maliciousAccess: flag, mayLoseData: flag }),
  memberStates: unknownOr(fc.subarray([...MEMBER_STATES], { maxLength: 3 })),
  costEur: amount,
});

/** Worse or the same: a known "no" becomes "yes", a figure grows, a list gains, and so does an unknown that turns out badly. */
const worseFlag = (value: boolean | null | undefined) => fc.constantFrom(value ?? null, true);
const worseCount = (value: number | null | undefined) => fc.nat(1000).map((more) => (value ?? 0) + more);
const worseAmount = (value: string | number | null | undefined) =>
  fc.nat(1000).map((more) => {
    const [whole = '0', cents] = String(value ?? 0).split('.');
    return `${String(Number(whole) + more)}${cents === undefined ? '' : `.${cents}`}`;
  });
const worseList = <T>(value: readonly T[] | null | undefined, all: readonly T[]) =>
  fc.subarray([...all]).map((more) => [...new Set([...(value ?? []), ...more])]);

function worse(from: Facts): fc.Arbitrary<Facts> {
  const { critical, clients, counterparts, transactions, reputation, time, data } = from;
  return fc.record({
    ictRelatedIncident: worseFlag(from.ictRelatedIncident),
    entity: fc.constant(from.entity),
    critical: fc.record({
      cif: worseFlag(critical?.cif),
      authorisedService: worseFlag(critical?.authorisedService),
      maliciousAccess: worseFlag(critical?.maliciousAccess),
    }),
    clients: fc.record({
      affected: worseCount(clients?.affected),
      usingService: fc.constant(clients?.usingService ?? null),
      relevantAffected: worseFlag(clients?.relevantAffected),
    }),
    counterparts: fc.record({
      affected: worseCount(counterparts?.affected),
      total: fc.constant(counterparts?.total ?? null),
      relevantAffected: worseFlag(counterparts?.relevantAffected),
    }),
    transactions: fc.record({
      affected: worseCount(transactions?.affected),
      dailyAvgNumber: fc.constant(transactions?.dailyAvgNumber ?? null),
      affectedValue: worseAmount(transactions?.affectedValue),
      dailyAvgValue: fc.constant(transactions?.dailyAvgValue ?? null),
    }),
    reputation: fc.record({
      media: worseFlag(reputation?.media),
      repetitiveComplaints: worseFlag(reputation?.repetitiveComplaints),
      regulatory: worseFlag(reputation?.regulatory),
      lossOfClientsMaterial: worseFlag(reputation?.lossOfClientsMaterial),
    }),
    time: fc.record({
      durationS: worseCount(time?.durationS),
      downtimeS: worseCount(time?.downtimeS),
      supportsCif: worseFlag(time?.supportsCif),
    }),
    data: fc.record({
      impact: worseList(data?.impact, ['availability', 'authenticity', 'integrity', 'confidentiality'] as const),
      adverse: worseFlag(data?.adverse),
      maliciousAccess: worseFlag(data?.maliciousAccess),
      mayLoseData: worseFlag(data?.mayLoseData),
    }),
    memberStates: worseList(from.memberStates, MEMBER_STATES),
    costEur: worseAmount(from.costEur),
  });
}

const names = <T extends object>(booleans: T) =>
  Object.entries(booleans)
    .filter(([, met]) => met === true)
    .map(([name]) => name);

describe('classification by the default readings', () => {
  it('never falls when facts get worse', () => {
    fc.assert(
      fc.property(
        facts.chain((before) => fc.tuple(fc.constant(before), worse(before))),
        ([before, after]) => {
          const first = classify(before);
          const second = classify(after);
          expect(names(second.criteria)).toEqual(expect.arrayContaining(names(first.criteria)));
          expect(names(second.sub)).toEqual(expect.arrayContaining(names(first.sub)));
          expect(second.otherThresholds).toBeGreaterThanOrEqual(first.otherThresholds);
          if (first.major) expect(second.major).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('never falls when a base shrinks', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1000), fc.nat(1000), (affected, base, less) => {
        const shareMet = (usingService: number) =>
          classify({ entity: { home: 'ES', type: 'payment_institution' }, clients: { affected, usingService } }).sub[
            '9(1)(a)'
          ] ?? false;
        if (shareMet(base)) expect(shareMet(Math.max(0, base - less))).toBe(true);
      }),
    );
  });
});

describe('classification by any readings', () => {
  const readings = fc.record({
    geoRule: fc.constantFrom('home_counts', 'others_only'),
    nine5b: fc.constantFrom('purposive', 'literal'),
  });

  it('does not depend on the order of lists', () => {
    const shuffledPair = fc
      .tuple(facts, fc.subarray([...MEMBER_STATES], { maxLength: 5 }), impacts)
      .chain(([base, states, impact]) =>
        fc.record({
          base: fc.constant({ ...base, memberStates: states, data: { ...base.data, impact } }),
          states: fc.shuffledSubarray(states, { minLength: states.length }),
          impact: fc.shuffledSubarray(impact, { minLength: impact.length }),
        }),
      );
    fc.assert(
      fc.property(shuffledPair, readings, ({ base, states, impact }, chosen) => {
        const shuffled = classify({ ...base, memberStates: states, data: { ...base.data, impact } }, chosen);
        const { explanation: _one, ...expected } = classify(base, chosen);
        const { explanation: _other, ...answer } = shuffled;
        expect(answer).toEqual(expected);
      }),
    );
  });

  it('agrees with itself: limb, sub, count and explanation tell one story', () => {
    fc.assert(
      fc.property(facts, readings, (given, chosen) => {
        const result = classify(given, chosen);
        const rows = new Map(result.explanation.map((row) => [row.rule, row.met]));
        const metRules = [...rows].filter(([rule, met]) => rule.startsWith('9') && met === true).map(([rule]) => rule);
        expect(names(result.sub)).toEqual(metRules);
        expect(result.major).toBe(result.limb !== null);
        expect(result.major).toBe(rows.get('8(1)(a)') === true || rows.get('8(1)(b)') === true);
        expect(result.major && !(result.gateArt6 && result.inScope)).toBe(false);
        for (const rule of result.unknowns) expect(rows.get(rule)).toBeNull();
        const { dataLosses, ...others } = result.criteria;
        expect(result.otherThresholds).toBe(names(others).length + (result.sub['9(5)(a)'] === true ? 1 : 0));
        expect(dataLosses).toBe(result.sub['9(5)(a)'] === true || result.sub['9(5)(b)'] === true);
      }),
      { numRuns: 1000 },
    );
  });

  it('names no unknown where the result is settled: worse facts then change nothing but what was named', () => {
    fc.assert(
      fc.property(
        facts.chain((before) => fc.tuple(fc.constant(before), reputationKnown(before))),
        ([before, after]) => {
          const first = classify(before);
          const changes = classify(after).major !== first.major;
          if (changes) expect(first.unknowns.some((rule) => rule.startsWith('9(2)'))).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** The same facts, with what was unknown of the reputation now known one way or the other. */
function reputationKnown(from: Facts): fc.Arbitrary<Facts> {
  const settle = (value: boolean | null | undefined) =>
    typeof value === 'boolean' ? fc.constant(value) : fc.boolean();
  return fc
    .record({
      media: settle(from.reputation?.media),
      repetitiveComplaints: settle(from.reputation?.repetitiveComplaints),
      regulatory: settle(from.reputation?.regulatory),
      lossOfClientsMaterial: settle(from.reputation?.lossOfClientsMaterial),
    })
    .map((reputation) => ({ ...from, reputation }));
}
