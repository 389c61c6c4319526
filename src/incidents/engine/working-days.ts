import { Temporal } from 'temporal-polyfill';
import { holidayTable } from './holidays.js';
import type { MemberState } from './states.js';

const SATURDAY = 6;

/** Which days are not worked in the entity's Member State, by local date. */
interface WorkingCalendar {
  /** why the day is not a working day, or null where it is one */
  readonly closed: (date: Temporal.PlainDate) => 'a weekend day' | 'a bank holiday' | null;
  /** which calendar a year's holidays come from */
  readonly describe: (year: number) => string;
}

/** The calendar of given holidays in place of the national one, or the shipped tables, year by year. */
export function workingCalendar(state: MemberState, holidays: readonly string[] | null): WorkingCalendar {
  const given = holidays === null ? null : new Set(holidays);
  const isHoliday = (date: Temporal.PlainDate): boolean => {
    const day = date.toString();
    return given?.has(day) ?? holidayTable(state, date.year)?.days.includes(day) ?? false;
  };
  return {
    closed: (date) => {
      if (date.dayOfWeek >= SATURDAY) return 'a weekend day';
      return isHoliday(date) ? 'a bank holiday' : null;
    },
    describe: (year) => (given === null ? describeShipped(state, year) : 'Bank holidays: those of the request.'),
  };
}

/** The first working day after a date; the lists of holidays are bounded, so there is one. */
export function nextWorkingDay(date: Temporal.PlainDate, calendar: WorkingCalendar): Temporal.PlainDate {
  let day = date.add({ days: 1 });
  while (calendar.closed(day) !== null) day = day.add({ days: 1 });
  return day;
}

function describeShipped(state: MemberState, year: number): string {
  const table = holidayTable(state, year);
  if (table !== null) return `Bank holidays: the calendar of ${state} for ${String(year)} (${table.source}).`;
  return `No calendar of bank holidays is shipped for ${state} ${String(year)}: only weekends shift the limit.`;
}
