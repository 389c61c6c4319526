import type { MemberState } from './states.js';

/** The national bank holidays of one state in one year; regional ones are left out, as Article 5(4) names the Member State. */
interface HolidayTable {
  readonly days: readonly string[];
  /** where the dates come from, and whether somebody held them against the official calendar */
  readonly source: string;
}

const SOURCE_2026 = 'national holidays from memory, unreviewed';
const SOURCE_2027 = 'fixed dates and dates by Easter (28 March 2027) from memory, unreviewed';

/**
 * Calendars that ship. A holiday that is missing makes a deadline earlier than the law does; a wrong one would make it late.
 * So days that fall on a Sunday may be missing, and for a state or year without a table only weekends count.
 */
const TABLES: Readonly<Partial<Record<MemberState, Readonly<Record<number, HolidayTable>>>>> = {
  ES: {
    2026: days(2026, SOURCE_2026, '01-01 01-06 04-03 05-01 08-15 10-12 12-08 12-25'),
    2027: days(2027, SOURCE_2027, '01-01 01-06 03-26 05-01 10-12 11-01 12-06 12-08 12-25'),
  },
  FR: {
    2026: days(2026, SOURCE_2026, '01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-11 12-25'),
    2027: days(2027, SOURCE_2027, '01-01 03-29 05-01 05-06 05-08 05-17 07-14 08-15 11-01 11-11 12-25'),
  },
  DE: {
    2026: days(2026, SOURCE_2026, '01-01 04-03 04-06 05-01 05-14 05-25 10-03 12-25 12-26'),
    2027: days(2027, SOURCE_2027, '01-01 03-26 03-29 05-01 05-06 05-17 10-03 12-25 12-26'),
  },
  IE: {
    2026: days(2026, SOURCE_2026, '01-01 02-02 03-17 04-06 05-04 06-01 08-03 10-26 12-25 12-28'),
    2027: days(2027, SOURCE_2027, '01-01 02-01 03-17 03-29 05-03 06-07 08-02 10-25 12-25 12-27 12-28'),
  },
  LU: {
    2026: days(2026, SOURCE_2026, '01-01 04-06 05-01 05-09 05-14 05-25 06-23 08-15 12-25 12-26'),
    2027: days(2027, SOURCE_2027, '01-01 03-29 05-01 05-06 05-09 05-17 06-23 08-15 11-01 12-25 12-26'),
  },
};

/** The shipped calendar of a state and year, or null where there is none. */
export function holidayTable(state: MemberState, year: number): HolidayTable | null {
  return TABLES[state]?.[year] ?? null;
}

function days(year: number, source: string, monthDays: string): HolidayTable {
  return { source, days: monthDays.split(' ').map((monthDay) => `${String(year)}-${monthDay}`) };
}
