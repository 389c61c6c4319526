import { type Clock as ReportingClock, clocksFor } from './engine/clocks.js';
import type { Entity, TicketFacts } from './engine/schemas.js';
import type { IncidentDecision, Incident, Measurements } from './entities/incident.entity.js';
import type { TimelineEntryEntity } from './entities/timeline-entry.entity.js';
import type { EntitySettings } from './entity-settings.js';
import type { Proposal } from './assessment.js';
import type { MaintenanceWindow } from './schemas.js';
import type { IncidentState } from './transitions.js';

export interface IncidentView {
  id: string;
  reference: string;
  state: IncidentState;
  title: string;
  description?: string;
  openedBy: string;
  detectedAt: string;
  awareAt: string;
  occurredAt?: string;
  restoredAt?: string;
  resolvedAt?: string;
  facts: TicketFacts & { entity: Entity };
  maintenanceWindow?: MaintenanceWindow;
  measurements?: Measurements;
  proposal: Proposal;
  decision: IncidentDecision | null;
  clocks: ReportingClock[];
  version: number;
  createdAt: string;
  updatedAt: string;
}

export interface TimelineEntryView {
  at: string;
  what: string;
  by: string;
  recordId: string;
  detail: Record<string, unknown>;
}

/** The reporting clocks of an incident as they stand at `now`. */
export function clocksOf(incident: Incident, settings: EntitySettings, now: Date): ReportingClock[] {
  const { awareAt, detectedAt, restoredAt, proposal, decision } = incident;
  return clocksFor(
    {
      awareAt: (awareAt ?? detectedAt).toISOString(),
      restoredAt: restoredAt?.toISOString(),
      proposal,
      decision,
      submissions: [],
    },
    settings.clocks,
    now.toISOString(),
  );
}

export function incidentView(incident: Incident, settings: EntitySettings, now: Date): IncidentView {
  const { description, maintenanceWindow, measurements } = incident;
  return {
    id: incident.id,
    reference: incident.reference,
    state: incident.state,
    title: incident.title,
    ...(description === null ? {} : { description }),
    openedBy: incident.openedBy,
    detectedAt: incident.detectedAt.toISOString(),
    awareAt: (incident.awareAt ?? incident.detectedAt).toISOString(),
    ...instant('occurredAt', incident.occurredAt),
    ...instant('restoredAt', incident.restoredAt),
    ...instant('resolvedAt', incident.resolvedAt),
    facts: { entity: settings.entity, ...incident.facts },
    ...(maintenanceWindow === null ? {} : { maintenanceWindow }),
    ...(measurements === null ? {} : { measurements }),
    proposal: incident.proposal,
    decision: incident.decision,
    clocks: clocksOf(incident, settings, now),
    version: incident.version,
    createdAt: incident.createdAt.toISOString(),
    updatedAt: incident.updatedAt.toISOString(),
  };
}

function instant<N extends string>(name: N, value: Date | null): Partial<Record<N, string>> {
  return value === null ? {} : ({ [name]: value.toISOString() } as Record<N, string>);
}

export function timelineView(entry: TimelineEntryEntity): TimelineEntryView {
  const { at, what, by, recordId, detail } = entry;
  return { at: at.toISOString(), what, by, recordId, detail };
}
