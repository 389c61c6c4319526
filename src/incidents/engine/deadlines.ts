import { Temporal } from 'temporal-polyfill';
import type { DeadlineRequest } from './schemas.js';
import { CAPITAL_TIME_ZONES } from './states.js';
import { nextWorkingDay, workingCalendar } from './working-days.js';

/** The limb of Article 5 of Delegated Regulation (EU) 2025/301 that sets a limit. */
export type DeadlineLimb =
  '5(1)(a) 4h limb' | '5(1)(a) 24h limb' | '5(2) 4h from classification' | '5(1)(b)' | '5(1)(c)';

/** One step of the reasoning. */
interface DeadlineNote {
  readonly rule: string;
  readonly text: string;
  readonly article: string;
}

/** A reporting deadline. All three instants are null where the law gives no figure. */
export interface Deadline {
  readonly limb: DeadlineLimb;
  /** the limit before weekends and holidays, UTC */
  readonly baseAt: string | null;
  /** the last instant to submit, UTC: the limit, or noon of the next working day */
  readonly dueAt: string | null;
  /** `dueAt` in local ISO 8601 with offset */
  readonly dueLocal: string | null;
  readonly shifted: boolean;
  readonly timeZone: string;
  readonly explanation: readonly DeadlineNote[];
}

/** A limit before weekends and holidays are looked at. */
interface Limit {
  readonly limb: DeadlineLimb;
  readonly at: Temporal.Instant;
}

type DatedRequest = Exclude<DeadlineRequest, { report: 'updated-intermediate' }>;

const FOUR_HOURS = { hours: 4 };
const A_DAY = { hours: 24 };
const THREE_DAYS = { hours: 72 };
const NOON = Temporal.PlainTime.from('12:00');
const ALWAYS_EXCLUDED: readonly string[] = ['credit_institution', 'central_counterparty', 'trading_venue'];

/**
 * The deadline of a report by Article 5 of Delegated Regulation (EU) 2025/301. Hours are elapsed time; a month is the same
 * local date and clock time of the next month, cut to its last day. The weekend and holiday test looks at the local date of
 * the limit. `timeZone` replaces that of the capital.
 */
export function computeDeadline(request: DeadlineRequest, timeZone?: string): Deadline {
  const zone = timeZone ?? CAPITAL_TIME_ZONES[request.memberState];
  if (request.report === 'updated-intermediate') return updatedIntermediate(zone);
  const limit = limitOf(request, zone);
  const base = localise(limit.at, zone);
  const exclusion = exclusionOf(request, limit.at);
  const { due, notes } = exclusion === null ? shift(base, request) : { due: base, notes: [exclusion] };
  return {
    limb: limit.limb,
    baseAt: utcText(base),
    dueAt: utcText(due),
    dueLocal: localText(due),
    shifted: !due.equals(base),
    timeZone: zone,
    explanation: [LIMB_NOTES[limit.limb], ...notes],
  };
}

/**
 * Article 5(1)(a) and 5(2): four hours from classification and 24 from awareness, whichever is earlier, the four-hour limb named
 * where both fall together; four hours alone where the classification came later than 24 hours (at 24 hours is not later).
 */
export function initialLimit(awareAt: Temporal.Instant, classifiedAt: Temporal.Instant | null): Limit {
  const byAwareness: Limit = { limb: '5(1)(a) 24h limb', at: awareAt.add(A_DAY) };
  if (classifiedAt === null) return byAwareness;
  const at = classifiedAt.add(FOUR_HOURS);
  if (Temporal.Instant.compare(classifiedAt, byAwareness.at) > 0) return { limb: '5(2) 4h from classification', at };
  return Temporal.Instant.compare(at, byAwareness.at) <= 0 ? { limb: '5(1)(a) 4h limb', at } : byAwareness;
}

function limitOf(request: DatedRequest, zone: string): Limit {
  if (request.report === 'initial') {
    return initialLimit(Temporal.Instant.from(request.awareAt), optionalInstant(request.classifiedAt));
  }
  if (request.report === 'intermediate') {
    return { limb: '5(1)(b)', at: Temporal.Instant.from(request.initialSubmittedAt).add(THREE_DAYS) };
  }
  const submitted = Temporal.Instant.from(request.lastIntermediateSubmittedAt).toZonedDateTimeISO(zone);
  return { limb: '5(1)(c)', at: submitted.add({ months: 1 }).toInstant() };
}

/**
 * Article 5(5) and (6): who may not use the weekend rule, for the initial notification and the intermediate report only.
 * A notice under paragraph 6 counts for incidents reported after it: by the classification, or before there is one by the limit itself.
 */
function exclusionOf(request: DatedRequest, limit: Temporal.Instant): DeadlineNote | null {
  if (request.report === 'final') return null;
  const told = request.excludedFrom5_4;
  if (told === true)
    return note('5(5)', 'The weekend rule is not available: the request says that the entity is excluded.');
  if (told === false) return null;
  if (ALWAYS_EXCLUDED.includes(request.entityType)) {
    return note('5(5)', `The weekend rule is not available to the entity type ${request.entityType}.`);
  }
  if (request.nis2 === true) {
    return note('5(5)', 'The weekend rule is not available to essential or important entities of Article 3 of NIS 2.');
  }
  const reported = request.report === 'initial' ? request.classifiedAt : request.initialSubmittedAt;
  const notice = optionalInstant(request.systemicNotice);
  if (notice === null || Temporal.Instant.compare(notice, optionalInstant(reported) ?? limit) > 0) return null;
  return note('5(6)', 'The weekend rule was withdrawn by a notice of the competent authority before this report.');
}

/** Article 5(4): from a weekend day or bank holiday to noon of the next working day, both by the local calendar. */
function shift(
  base: Temporal.ZonedDateTime,
  { memberState, holidays }: DatedRequest,
): { due: Temporal.ZonedDateTime; notes: DeadlineNote[] } {
  const calendar = workingCalendar(memberState, holidays ?? null);
  const date = base.toPlainDate();
  const closed = calendar.closed(date);
  const sources = (years: readonly number[]) => years.map((year) => note('5(4)', calendar.describe(year)));
  if (closed === null) {
    return {
      due: base,
      notes: [note('5(4)', `The limit falls on a working day, ${date.toString()}.`), ...sources([date.year])],
    };
  }
  const day = nextWorkingDay(date, calendar);
  const text = `The limit falls on ${closed}, ${date.toString()}: noon of the next working day, ${day.toString()}, is in time.`;
  return {
    due: day.toZonedDateTime({ timeZone: base.timeZoneId, plainTime: NOON }),
    notes: [note('5(4)', text), ...sources(day.year === date.year ? [date.year] : [date.year, day.year])],
  };
}

function updatedIntermediate(zone: string): Deadline {
  const text =
    'An updated intermediate report is due without undue delay, and in any case when regular activities have been recovered: the law gives no figure.';
  return {
    limb: '5(1)(b)',
    baseAt: null,
    dueAt: null,
    dueLocal: null,
    shifted: false,
    timeZone: zone,
    explanation: [note('5(1)(b)', text)],
  };
}

/** What each limb says, in a sentence. */
const LIMB_NOTES: Readonly<Record<DeadlineLimb, DeadlineNote>> = {
  '5(1)(a) 4h limb': note('5(1)(a)', 'Four hours from the classification as major, within 24 hours of awareness.'),
  '5(1)(a) 24h limb': note(
    '5(1)(a)',
    '24 hours from awareness: four hours from a classification would not end before.',
  ),
  '5(2) 4h from classification': note(
    '5(2)',
    'Not classified within 24 hours of awareness: four hours from the later classification as major.',
  ),
  '5(1)(b)': note('5(1)(b)', '72 hours from the submission of the initial notification.'),
  '5(1)(c)': note(
    '5(1)(c)',
    'One month from the submission of the latest intermediate report, at the same local time.',
  ),
};

function note(rule: string, text: string): DeadlineNote {
  return { rule, text, article: `Delegated Regulation (EU) 2025/301, Article ${rule}` };
}

function optionalInstant(text: string | null | undefined): Temporal.Instant | null {
  return typeof text === 'string' ? Temporal.Instant.from(text) : null;
}

/** Whole milliseconds, cut and not rounded: a deadline never becomes later by its notation. */
export function localise(at: Temporal.Instant, zone: string): Temporal.ZonedDateTime {
  return at.round({ smallestUnit: 'millisecond', roundingMode: 'floor' }).toZonedDateTimeISO(zone);
}

/** ISO 8601 in UTC with milliseconds, as all instants of the API. */
export function utcText(at: Temporal.ZonedDateTime): string {
  return at.toInstant().toString({ fractionalSecondDigits: 3 });
}

/** Local ISO 8601 with the offset. */
export function localText(at: Temporal.ZonedDateTime): string {
  return at.toString({ timeZoneName: 'never' });
}
