import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { assessRecurrence } from './recurrence.js';
import type { RecurringIncident } from './schemas.js';

const entity = { home: 'ES', type: 'payment_institution' } as const;
const START = Temporal.PlainDate.from('2024-01-01');

const incident = fc.record({
  day: fc.nat(600),
  rootCause: fc.constantFrom('disk', ' Disk ', 'pool'),
  downtimeS: fc.nat(7200),
  affected: fc.nat(1000),
});

const incidents: fc.Arbitrary<RecurringIncident[]> = fc.array(incident, { maxLength: 12 }).map((sketches) =>
  sketches.map(({ day, rootCause, downtimeS, affected }, index) => ({
    id: `I${String(index)}`,
    occurredAt: `${START.add({ days: day }).toString()}T12:00:00Z`,
    rootCause,
    facts: {
      critical: { cif: true },
      clients: { affected, usingService: 9000, relevantAffected: false },
      time: { durationS: downtimeS, downtimeS, supportsCif: true },
    },
  })),
);

const causeOf = (one: RecurringIncident) => one.rootCause.trim().toLowerCase();
const dateOf = (one: RecurringIncident) => Temporal.PlainDate.from(one.occurredAt.slice(0, 10));
const fits = (some: readonly RecurringIncident[]) => {
  const dates = some.map(dateOf).sort((left, right) => Temporal.PlainDate.compare(left, right));
  const [first, last] = [dates.at(0), dates.at(-1)];
  return first !== undefined && last !== undefined && Temporal.PlainDate.compare(last, first.add({ months: 6 })) <= 0;
};

describe('recurring incidents', () => {
  it('does not depend on the order of the request', () => {
    const shuffled = incidents.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        const groupsOf = (some: RecurringIncident[]) =>
          assessRecurrence({ entity, incidents: some })
            .groups.map((group) => JSON.stringify(group))
            .sort();
        expect(groupsOf(other)).toEqual(groupsOf(list));
      }),
    );
  });

  it('makes groups of one cause that fit the window and cannot grow, and misses none', () => {
    fc.assert(
      fc.property(incidents, (list) => {
        const byId = new Map(list.map((one) => [one.id, one]));
        const { groups } = assessRecurrence({ entity, incidents: list });
        for (const { members } of groups) {
          const group = list.filter(({ id }) => members.includes(id));
          expect(group.length).toBeGreaterThanOrEqual(2);
          expect(new Set(group.map(causeOf)).size).toBe(1);
          expect(fits(group)).toBe(true);
          const cause = byId
            .get(members[0] ?? '')
            ?.rootCause.trim()
            .toLowerCase();
          const others = list.filter((one) => causeOf(one) === cause && !members.includes(one.id));
          for (const one of others) expect(fits([...group, one])).toBe(false);
        }
        for (const one of list) {
          for (const other of list) {
            if (one.id === other.id || causeOf(one) !== causeOf(other) || !fits([one, other])) continue;
            expect(groups.some(({ members }) => members.includes(one.id) && members.includes(other.id))).toBe(true);
          }
        }
      }),
    );
  });

  it('only grows more major by one more incident', () => {
    fc.assert(
      fc.property(incidents, (list) => {
        const before = assessRecurrence({ entity, incidents: list.slice(0, -1) }).recurringMajor;
        if (before) expect(assessRecurrence({ entity, incidents: list }).recurringMajor).toBe(true);
      }),
    );
  });
});
