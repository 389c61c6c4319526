import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { computeDeadline, type Deadline } from './deadlines.js';
import { ENTITY_TYPES } from './entity-types.js';
import { holidayTable } from './holidays.js';
import type { DeadlineRequest } from './schemas.js';
import { CAPITAL_TIME_ZONES, MEMBER_STATES } from './states.js';

const instant = fc
  .integer({ min: Date.UTC(2025, 10, 1) / 1000, max: Date.UTC(2028, 1, 1) / 1000 })
  .map((seconds) => Temporal.Instant.fromEpochMilliseconds(seconds * 1000));
const hours = fc.integer({ min: 0, max: 72 * 3600 }).map((seconds) => ({ seconds }));
const common = fc.record({
  memberState: fc.constantFrom(...MEMBER_STATES),
  entityType: fc.constantFrom(...ENTITY_TYPES),
  nis2: fc.boolean(),
});

const request: fc.Arbitrary<DeadlineRequest> = fc.oneof(
  fc.tuple(common, instant, fc.option(hours)).map(([rest, aware, later]) => ({
    ...rest,
    report: 'initial' as const,
    awareAt: aware.toString(),
    classifiedAt: later === null ? null : aware.add(later).toString(),
  })),
  fc
    .tuple(common, instant)
    .map(([rest, at]) => ({ ...rest, report: 'intermediate' as const, initialSubmittedAt: at.toString() })),
  fc
    .tuple(common, instant)
    .map(([rest, at]) => ({ ...rest, report: 'final' as const, lastIntermediateSubmittedAt: at.toString() })),
);

function dated(deadline: Deadline, zone: string) {
  const base = Temporal.Instant.from(deadline.baseAt ?? '').toZonedDateTimeISO(zone);
  const due = Temporal.Instant.from(deadline.dueAt ?? '').toZonedDateTimeISO(zone);
  return { base, due };
}

function isWorked(day: Temporal.ZonedDateTime, memberState: DeadlineRequest['memberState']): boolean {
  const holidays = holidayTable(memberState, day.year)?.days ?? [];
  return day.dayOfWeek <= 5 && !holidays.includes(day.toPlainDate().toString());
}

describe('deadlines', () => {
  it('are never before their base, and shifted ones are noon of the first working day after it', () => {
    fc.assert(
      fc.property(request, (given) => {
        const deadline = computeDeadline(given);
        const { base, due } = dated(deadline, CAPITAL_TIME_ZONES[given.memberState]);
        expect(Temporal.ZonedDateTime.compare(due, base)).toBe(deadline.shifted ? 1 : 0);
        if (!deadline.shifted) return;
        expect(due.toPlainTime().toString()).toBe('12:00:00');
        expect(isWorked(base, given.memberState)).toBe(false);
        expect(isWorked(due, given.memberState)).toBe(true);
        for (
          let day = base.add({ days: 1 }).startOfDay();
          Temporal.PlainDate.compare(day, due) < 0;
          day = day.add({ days: 1 })
        ) {
          expect(isWorked(day, given.memberState)).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('stay where they are on a working day, and for the excluded', () => {
    fc.assert(
      fc.property(request, (given) => {
        const deadline = computeDeadline(given);
        const { base } = dated(deadline, CAPITAL_TIME_ZONES[given.memberState]);
        const types: readonly string[] = ['credit_institution', 'central_counterparty', 'trading_venue'];
        const excluded = given.report !== 'final' && (given.nis2 === true || types.includes(given.entityType));
        expect(deadline.shifted).toBe(!excluded && !isWorked(base, given.memberState));
      }),
      { numRuns: 500 },
    );
  });

  it('say the same instant locally and in UTC', () => {
    fc.assert(
      fc.property(request, (given) => {
        const { dueAt, dueLocal } = computeDeadline(given);
        expect(Temporal.Instant.compare(dueAt ?? '', dueLocal ?? '')).toBe(0);
      }),
    );
  });

  it('of the initial notification are the earlier limb, by elapsed time, whatever the clocks on the wall do', () => {
    fc.assert(
      fc.property(common, instant, hours, (rest, aware, later) => {
        const classified = aware.add(later);
        const { baseAt } = computeDeadline({
          ...rest,
          report: 'initial',
          awareAt: aware.toString(),
          classifiedAt: classified.toString(),
        });
        const fourHours = classified.epochMilliseconds + 4 * 3_600_000;
        const day = aware.epochMilliseconds + 24 * 3_600_000;
        const expected = classified.epochMilliseconds > day ? fourHours : Math.min(fourHours, day);
        expect(Temporal.Instant.from(baseAt ?? '').epochMilliseconds).toBe(expected);
      }),
    );
  });

  it('of the final report fall in the next month, at the same local time where the clock has it', () => {
    fc.assert(
      fc.property(common, instant, (rest, submitted) => {
        const zone = CAPITAL_TIME_ZONES[rest.memberState];
        const from = submitted.toZonedDateTimeISO(zone);
        const { base } = dated(
          computeDeadline({ ...rest, report: 'final', lastIntermediateSubmittedAt: submitted.toString() }),
          zone,
        );
        expect(
          base
            .toPlainDate()
            .toPlainYearMonth()
            .equals(from.toPlainDate().toPlainYearMonth().add({ months: 1 })),
        ).toBe(true);
        expect(base.day).toBe(Math.min(from.day, base.daysInMonth));
        const skipped = base.startOfDay().hoursInDay === 23;
        if (!skipped) expect(base.toPlainTime().equals(from.toPlainTime())).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
