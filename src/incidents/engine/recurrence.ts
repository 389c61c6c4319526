import { Temporal } from 'temporal-polyfill';
import { aggregate } from './aggregation.js';
import { classify, type Classification, type ExplanationRow } from './classification.js';
import type { Entity, Facts, RecurrenceRequest, RecurringIncident } from './schemas.js';

const WINDOW: Temporal.DurationLike = { months: 6 };

/** Incidents of one cause within one window of six months, taken as one. */
interface RecurrenceGroup {
  readonly rootCause: string;
  /** ids in the order of occurrence */
  readonly members: readonly string[];
  /** UTC dates of the first and the last occurrence (fields 4.16 and 3.2 of the report ask for both) */
  readonly firstOccurredOn: string;
  readonly lastOccurredOn: string;
  readonly facts: Facts;
  readonly classification: Classification;
}

export interface Recurrence {
  readonly recurringMajor: boolean;
  readonly groups: readonly RecurrenceGroup[];
  readonly explanation: readonly ExplanationRow[];
}

/** An incident with what the assessment needs of it worked out. */
interface Candidate {
  readonly incident: RecurringIncident;
  readonly facts: Facts;
  readonly occurredAt: Temporal.Instant;
  readonly occurredOn: Temporal.PlainDate;
  readonly majorAlone: boolean;
}

/**
 * Assesses recurring incidents by Article 8(2) of Delegated Regulation (EU) 2024/1772: two or more within six months, of the
 * same apparent root cause, none of them major alone, together major. Each cause gives one group for every window that no
 * other window contains. The window runs from the first to the last UTC date of occurrence, at most six calendar
 * months, the same date included (the law names no anchor); incidents out of scope are no ICT-related incidents and join none.
 */
export function assessRecurrence(request: RecurrenceRequest): Recurrence {
  const { microenterprise, art16, home, type } = request.entity;
  if (microenterprise === true || art16 === true) {
    return { recurringMajor: false, groups: [], explanation: [exemptRow(microenterprise === true)] };
  }
  const entity: Entity = { home, type };
  const candidates = request.incidents.map((incident) => candidateOf(incident, entity, request));
  const eligible = candidates.filter(({ majorAlone, facts }) => !majorAlone && facts.ictRelatedIncident !== false);
  const windows = [...byCause(eligible).values()].flatMap(maximalWindows);
  const groups = windows.map((window) => groupOf(window, entity, request));
  return {
    recurringMajor: groups.some(({ classification }) => classification.major),
    groups,
    explanation: [
      ...leftOutRows(candidates),
      ...groups.flatMap(groupRows),
      ...(groups.length === 0 ? [noneRow()] : []),
    ],
  };
}

function candidateOf(incident: RecurringIncident, entity: Entity, { readings }: RecurrenceRequest): Candidate {
  const facts: Facts = { ...incident.facts, entity: incident.facts.entity ?? entity };
  const occurredAt = Temporal.Instant.from(incident.occurredAt);
  return {
    incident,
    facts,
    occurredAt,
    occurredOn: occurredAt.toZonedDateTimeISO('UTC').toPlainDate(),
    majorAlone: incident.majorAlone ?? classify(facts, readings).major,
  };
}

/** Sorted by cause and within it by occurrence, so that the order of the request plays no part. */
function byCause(candidates: readonly Candidate[]): Map<string, Candidate[]> {
  const causes = new Map<string, Candidate[]>();
  const sorted = [...candidates].sort(
    (left, right) => Temporal.Instant.compare(left.occurredAt, right.occurredAt) || compareIds(left, right),
  );
  for (const candidate of sorted) {
    const key = causeKey(candidate.incident.rootCause);
    causes.set(key, [...(causes.get(key) ?? []), candidate]);
  }
  return causes;
}

/** Upper case first: it maps letters such as ß to what they fold to, where lower case alone keeps them. */
function causeKey(rootCause: string): string {
  return rootCause.trim().normalize('NFC').toUpperCase().toLowerCase();
}

function compareIds(left: Candidate, right: Candidate): number {
  return left.incident.id < right.incident.id ? -1 : 1;
}

/** Of candidates in order, every longest run whose span fits and which no earlier run contains. */
function maximalWindows(candidates: readonly Candidate[]): Candidate[][] {
  const windows: Candidate[][] = [];
  let reached = 0;
  for (const [start, first] of candidates.entries()) {
    const lastDay = first.occurredOn.add(WINDOW);
    const beyond = candidates.findIndex((candidate) => Temporal.PlainDate.compare(candidate.occurredOn, lastDay) > 0);
    const end = beyond === -1 ? candidates.length : beyond;
    if (end > reached && end - start >= 2) windows.push(candidates.slice(start, end));
    reached = Math.max(reached, end);
  }
  return windows;
}

function groupOf(window: readonly Candidate[], entity: Entity, { readings }: RecurrenceRequest): RecurrenceGroup {
  const { facts, caveats } = aggregate(
    window.map((candidate) => candidate.facts),
    entity,
  );
  return {
    rootCause: window[0]?.incident.rootCause.trim() ?? '',
    members: window.map(({ incident }) => incident.id),
    firstOccurredOn: String(window[0]?.occurredOn),
    lastOccurredOn: String(window.at(-1)?.occurredOn),
    facts,
    classification: classify(facts, readings, caveats),
  };
}

const ACT = 'Delegated Regulation (EU) 2024/1772';

function exemptRow(micro: boolean): ExplanationRow {
  const who = micro ? 'a microenterprise' : 'an entity listed in Article 16(1) of Regulation (EU) 2022/2554';
  return {
    rule: '8(2)',
    met: false,
    inputs: { microenterprise: micro, art16: !micro },
    text: `Not met: paragraph 2 does not apply to ${who}.`,
    article: `${ACT}, Article 8(2), last subparagraph`,
  };
}

function leftOutRows(candidates: readonly Candidate[]): ExplanationRow[] {
  const idsOf = (some: readonly Candidate[]) => some.map(({ incident }) => incident.id);
  const major = idsOf(candidates.filter(({ majorAlone }) => majorAlone));
  const outside = idsOf(
    candidates.filter(({ majorAlone, facts }) => !majorAlone && facts.ictRelatedIncident === false),
  );
  return [
    ...(major.length === 0 ? [] : [leftOutRow(major, 'major on their own, reported as such')]),
    ...(outside.length === 0 ? [] : [leftOutRow(outside, 'no ICT-related incidents')]),
  ];
}

function leftOutRow(incidents: string[], reason: string): ExplanationRow {
  return {
    rule: '8(2)',
    met: false,
    inputs: { incidents },
    text: `Left out: ${incidents.join(', ')} (${reason}).`,
    article: `${ACT}, Article 8(2), first subparagraph`,
  };
}

function noneRow(): ExplanationRow {
  return {
    rule: '8(2)(a)',
    met: false,
    inputs: {},
    text: 'Not met: no two incidents that are not major alone share a specific root cause within six months.',
    article: `${ACT}, Article 8(2), points (a) and (b)`,
  };
}

function groupRows(group: RecurrenceGroup): ExplanationRow[] {
  const { rootCause, members, firstOccurredOn, lastOccurredOn, classification } = group;
  const span = `${firstOccurredOn} to ${lastOccurredOn}`;
  const together = classification.major ? `major by Article ${String(classification.limb)}` : 'not major';
  return [
    {
      rule: '8(2)(a)',
      met: true,
      inputs: { members, firstOccurredOn, lastOccurredOn },
      text: `Met: ${String(members.length)} incidents within six calendar months (${span}).`,
      article: `${ACT}, Article 8(2), point (a)`,
    },
    {
      rule: '8(2)(b)',
      met: true,
      inputs: { rootCause },
      text: `Met: the same apparent root cause, "${rootCause}".`,
      article: `${ACT}, Article 8(2), point (b)`,
    },
    {
      rule: '8(2)(c)',
      met: classification.major,
      inputs: { limb: classification.limb, otherThresholds: classification.otherThresholds },
      text: `${classification.major ? 'Met' : 'Not met'}: taken together they are ${together}. Durations, downtimes, transactions and costs are summed; clients and counterparts are summed up to the largest base, an estimate.`,
      article: `${ACT}, Article 8(2), point (c)`,
    },
  ];
}
