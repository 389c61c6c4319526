import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import { holidayTable } from './holidays.js';
import { MEMBER_STATES } from './states.js';

/** Easter Sunday by the Gregorian computus (Meeus, Jones and Butcher). */
function easter(year: number): Temporal.PlainDate {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const g = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - Math.floor(b / 4) - g + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 19 * l) / 433);
  const month = Math.floor((h + l - 7 * m + 90) / 25);
  return Temporal.PlainDate.from({ year, month, day: (h + l - 7 * m + 33 * month + 19) % 32 });
}

const SHIPPED = (['ES', 'FR', 'DE', 'IE', 'LU'] as const).flatMap((state) =>
  [2026, 2027].map((year) => ({ state, year })),
);

/** Good Friday, Easter Monday, Ascension and Whit Monday, in days from Easter Sunday. */
const MOVABLE = { ES: [-2], FR: [1, 39, 50], DE: [-2, 1, 39, 50], IE: [1], LU: [1, 39, 50] };

describe('the shipped calendars', () => {
  it.each(SHIPPED)(
    '$state $year: dates of that year, in order, with the movable feasts where Easter puts them',
    ({ state, year }) => {
      const days = holidayTable(state, year)?.days ?? [];
      expect([...days].sort()).toEqual(days);
      for (const day of days) expect(Temporal.PlainDate.from(day).year).toBe(year);
      const movable = MOVABLE[state].map((offset) => easter(year).add({ days: offset }).toString());
      expect(days).toEqual(expect.arrayContaining(movable));
      expect(days).toContain(`${String(year)}-01-01`);
      expect(holidayTable(state, year)?.source).toContain('unreviewed');
    },
  );

  it('put the Irish bank holidays that are Mondays on Mondays', () => {
    for (const day of [
      '2026-02-02',
      '2026-05-04',
      '2026-06-01',
      '2026-08-03',
      '2026-10-26',
      '2027-02-01',
      '2027-05-03',
      '2027-06-07',
      '2027-08-02',
      '2027-10-25',
    ]) {
      expect(holidayTable('IE', Number(day.slice(0, 4)))?.days).toContain(day);
      expect(Temporal.PlainDate.from(day).dayOfWeek).toBe(1);
    }
  });

  it('are absent elsewhere and in other years', () => {
    const with2026 = MEMBER_STATES.filter((state) => holidayTable(state, 2026) !== null);
    expect(with2026).toEqual(['DE', 'ES', 'FR', 'IE', 'LU']);
    expect(holidayTable('ES', 2025)).toBeNull();
    expect(holidayTable('ES', 2028)).toBeNull();
  });
});
