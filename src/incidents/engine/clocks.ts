import { Temporal } from 'temporal-polyfill';
import { computeDeadline, initialLimit, localise, localText, utcText, type DeadlineLimb } from './deadlines.js';
import type { EntityType } from './entity-types.js';
import type { DeadlineRequest } from './schemas.js';
import { CAPITAL_TIME_ZONES, type MemberState } from './states.js';

/** A reporting deadline of a ticket, running, met or missed. */
export interface Clock {
  readonly report: DeadlineRequest['report'];
  readonly limb: DeadlineLimb;
  /** the limit before weekends and holidays; of an updated intermediate report, which has no limit, the recovery that calls for it */
  readonly baseAt: string;
  readonly dueAt: string | null;
  readonly dueLocal: string | null;
  readonly shifted: boolean;
  /** the incident is not decided yet: the earliest limit that a decision could still bring about */
  readonly conservative: boolean;
  readonly state: 'running' | 'met' | 'missed';
}

/** What the clocks of a ticket hang on. All instants are ISO 8601 with offset. */
export interface ClockIncident {
  readonly awareAt: string;
  /** when regular activities were recovered */
  readonly restoredAt?: string | null | undefined;
  readonly proposal?: { readonly major: boolean; readonly at: string } | null | undefined;
  /** the person's decision; `classifiedAt` where it differs from the instant of deciding */
  readonly decision?:
    | { readonly major: boolean; readonly at: string; readonly classifiedAt?: string | null | undefined }
    | null
    | undefined;
  /** reports that were submitted, in any order; several intermediate ones are updates */
  readonly submissions: readonly {
    readonly report: 'initial' | 'intermediate' | 'final' | 'reclassification';
    readonly at: string;
  }[];
}

/** The settings of the entity that clocks depend on. `timeZone` and `holidays` replace those of the home state. */
export interface ClockEntity {
  readonly homeState: MemberState;
  readonly type: EntityType;
  readonly nis2?: boolean | null | undefined;
  readonly systemicNotice?: string | null | undefined;
  readonly timeZone?: string | null | undefined;
  readonly holidays?: readonly string[] | null | undefined;
}

/**
 * The clocks of a ticket at an instant `now`. Undecided: one conservative clock for the initial notification. Decided not
 * major: none. Decided major: the initial notification, and each later report once the submission that its limit is counted
 * from exists. After a reclassification nothing runs: only clocks that were met or missed by then remain.
 */
export function clocksFor(incident: ClockIncident, entity: ClockEntity, now: string): Clock[] {
  const { decision } = incident;
  if (decision?.major === false) return [];
  const submitted = submissionsOf(incident);
  if (decision === null || decision === undefined) return [conservativeClock(incident, entity, submitted, now)];
  const stoppedAt = submitted.reclassification.at(0) ?? null;
  const clocks = [
    datedClock(initialRequest(incident, decision, entity), entity, submitted.initial, stoppedAt ?? now),
    intermediateClock(entity, submitted, stoppedAt ?? now),
    updateClock(incident, entity, submitted),
    finalClock(entity, submitted, stoppedAt ?? now),
  ].filter((clock) => clock !== null);
  return stoppedAt === null ? clocks : clocks.filter(({ state }) => state !== 'running');
}

type Report = ClockIncident['submissions'][number]['report'];
/** The instants of submission of each report, earliest first. */
type Submitted = Readonly<Record<Report, readonly string[]>>;

function submissionsOf({ submissions }: ClockIncident): Submitted {
  const of = (report: Report) =>
    submissions
      .filter((submission) => submission.report === report)
      .map(({ at }) => at)
      .sort((left, right) => Temporal.Instant.compare(left, right));
  return {
    initial: of('initial'),
    intermediate: of('intermediate'),
    final: of('final'),
    reclassification: of('reclassification'),
  };
}

/**
 * Until somebody decides, the law has started no four hours; 24 hours from awareness stand, or four from the proposal where that
 * says major and ends earlier. Never shifted to a working day: whether the weekend rule will be open depends on the decision,
 * and the clock is there to bring that decision about.
 */
function conservativeClock(incident: ClockIncident, entity: ClockEntity, submitted: Submitted, now: string): Clock {
  const proposedAt = incident.proposal?.major === true ? Temporal.Instant.from(incident.proposal.at) : null;
  const awareAt = Temporal.Instant.from(incident.awareAt);
  const byAwareness = initialLimit(awareAt, null);
  const byProposal = proposedAt === null ? byAwareness : initialLimit(awareAt, proposedAt);
  const limit = Temporal.Instant.compare(byProposal.at, byAwareness.at) <= 0 ? byProposal : byAwareness;
  const due = localise(limit.at, zoneOf(entity));
  const dueAt = utcText(due);
  return {
    report: 'initial',
    limb: limit.limb,
    baseAt: dueAt,
    dueAt,
    dueLocal: localText(due),
    shifted: false,
    conservative: true,
    state: stateOf(dueAt, submitted.initial, now),
  };
}

function initialRequest(
  { awareAt }: ClockIncident,
  { at, classifiedAt }: NonNullable<ClockIncident['decision']>,
  entity: ClockEntity,
): DeadlineRequest {
  return { report: 'initial', ...requestMembers(entity), awareAt, classifiedAt: classifiedAt ?? at };
}

function intermediateClock(entity: ClockEntity, submitted: Submitted, now: string): Clock | null {
  const initialSubmittedAt = submitted.initial.at(0);
  if (initialSubmittedAt === undefined) return null;
  const request: DeadlineRequest = { report: 'intermediate', ...requestMembers(entity), initialSubmittedAt };
  return datedClock(request, entity, submitted.intermediate, now);
}

/** Each update starts the month of the final report anew. */
function finalClock(entity: ClockEntity, submitted: Submitted, now: string): Clock | null {
  const lastIntermediateSubmittedAt = submitted.intermediate.at(-1);
  if (lastIntermediateSubmittedAt === undefined) return null;
  const request: DeadlineRequest = { report: 'final', ...requestMembers(entity), lastIntermediateSubmittedAt };
  return datedClock(request, entity, submitted.final, now);
}

/** Article 5(1)(b), second sentence: a recovery after the first intermediate report calls for an update of it. */
function updateClock({ restoredAt }: ClockIncident, entity: ClockEntity, { intermediate }: Submitted): Clock | null {
  const first = intermediate.at(0);
  if (first === undefined || typeof restoredAt !== 'string' || !isBefore(first, restoredAt)) return null;
  const { limb, dueAt, dueLocal, shifted } = computeDeadline({
    report: 'updated-intermediate',
    ...requestMembers(entity),
  });
  const updated = intermediate.slice(1).some((at) => !isBefore(at, restoredAt));
  return {
    report: 'updated-intermediate',
    limb,
    baseAt: utcText(localise(Temporal.Instant.from(restoredAt), zoneOf(entity))),
    dueAt,
    dueLocal,
    shifted,
    conservative: false,
    state: updated ? 'met' : 'running',
  };
}

function datedClock(
  request: DeadlineRequest,
  entity: ClockEntity,
  submitted: readonly string[],
  now: string,
): Clock | null {
  const { limb, baseAt, dueAt, dueLocal, shifted } = computeDeadline(request, zoneOf(entity));
  if (baseAt === null || dueAt === null) return null;
  const state = stateOf(dueAt, submitted, now);
  return { report: request.report, limb, baseAt, dueAt, dueLocal, shifted, conservative: false, state };
}

/** At the limit is in time, for the submission and for the clock. */
function stateOf(dueAt: string, submitted: readonly string[], now: string): Clock['state'] {
  const first = submitted.at(0);
  if (first !== undefined) return isBefore(dueAt, first) ? 'missed' : 'met';
  return isBefore(dueAt, now) ? 'missed' : 'running';
}

function requestMembers({ homeState, type, nis2, systemicNotice, holidays }: ClockEntity) {
  return {
    memberState: homeState,
    entityType: type,
    nis2: nis2 ?? null,
    systemicNotice: systemicNotice ?? null,
    holidays: holidays === null || holidays === undefined ? null : [...holidays],
  };
}

function zoneOf({ homeState, timeZone }: ClockEntity): string {
  return timeZone ?? CAPITAL_TIME_ZONES[homeState];
}

function isBefore(left: string, right: string): boolean {
  return Temporal.Instant.compare(left, right) < 0;
}
