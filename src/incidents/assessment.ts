import { classify, type Classification } from './engine/classification.js';
import { type Entity, type Facts, plainFacts, type TicketFacts } from './engine/schemas.js';
import type { MaintenanceWindow } from './schemas.js';

/** The engine's proposal for an incident, as it is stored. */
export interface Proposal extends Classification {
  /** Since when the engine has been answering `major` as it does: the clock of an undecided incident counts from here. */
  at: string;
  /** When it was last worked out. */
  computedAt: string;
  /** Facts that nobody stated and that follow from the incident's own instants, by name, with how. */
  derived: Readonly<Record<string, string>>;
}

/** What a proposal is made of. */
export interface Assessed {
  facts: TicketFacts;
  detectedAt: Date;
  occurredAt: Date | null;
  restoredAt: Date | null;
  resolvedAt: Date | null;
  maintenanceWindow: MaintenanceWindow | null;
}

/** Classifies an incident as it is known now. A stated fact always wins over one that could be worked out. */
export function assess(incident: Assessed, entity: Entity, now: Date, previous?: Proposal): Proposal {
  const stated = plainFacts(incident.facts, entity);
  const { facts, derived } = withDerived(stated, incident, now);
  const classification = classify(facts);
  const at = previous !== undefined && previous.major === classification.major ? previous.at : now.toISOString();
  return { ...classification, at, computedAt: now.toISOString(), derived };
}

function withDerived(
  stated: Facts,
  incident: Assessed,
  now: Date,
): { facts: Facts; derived: Readonly<Record<string, string>> } {
  const start = incident.occurredAt ?? incident.detectedAt;
  const from = incident.occurredAt === null ? 'detectedAt' : 'occurredAt';
  const derived: Record<string, string> = {};
  const time = { ...stated.time };
  const facts: Facts = { ...stated, time };
  const durationS = secondsBetween(start, incident.resolvedAt);
  if (isUnknown(time.durationS) && durationS !== undefined) {
    time.durationS = durationS;
    derived['time.durationS'] = `${from} to resolvedAt`;
  }
  const downtimeS = secondsBetween(start, incident.restoredAt);
  if (isUnknown(time.downtimeS) && downtimeS !== undefined) {
    time.downtimeS = downtimeS;
    derived['time.downtimeS'] = `${from} to restoredAt`;
  }
  if (isUnknown(stated.ictRelatedIncident) && keepsWithin(incident, start, now)) {
    facts.ictRelatedIncident = false;
    derived['ictRelatedIncident'] = 'within the planned maintenance window';
  }
  return { facts, derived };
}

/** Upwards to whole seconds, since the thresholds of Article 9(3) are strict: a fraction above one is above it. */
function secondsBetween(start: Date, end: Date | null): number | undefined {
  if (end === null || end < start) return undefined;
  return Math.ceil((end.getTime() - start.getTime()) / 1_000);
}

function isUnknown(value: unknown): boolean {
  return value === undefined || value === null;
}

/** Planned work is no incident as long as it keeps to its plan; once it overruns, all of it is one. */
function keepsWithin(incident: Assessed, start: Date, now: Date): boolean {
  const window = incident.maintenanceWindow;
  if (window === null) return false;
  const end = incident.resolvedAt ?? incident.restoredAt ?? now;
  return new Date(window.from) <= start && end <= new Date(window.to);
}
