import { Injectable } from '@nestjs/common';
import { type Call, Clock, Database, invalidRequest, ProblemError } from '../platform/index.js';
import type { Proposal } from './assessment.js';
import { changesBetween } from './changes.js';
import type { Clock as ReportingClock } from './engine/clocks.js';
import { EntitySettings } from './entity-settings.js';
import type { Incident } from './entities/incident.entity.js';
import { IncidentStore, type Page } from './incident-store.js';
import { type Act, actorOf, IncidentWriter, proposalDetail } from './incident-writer.js';
import { mergePatch } from './merge-patch.js';
import {
  type ClassificationBody,
  type IncidentListQuery,
  type IncidentPatch,
  type NewIncident,
  patchedIncidentSchema,
  type TimelineQuery,
} from './schemas.js';
import { type IncidentEvent, type IncidentState, next } from './transitions.js';
import { clocksOf, type IncidentView, incidentView, type TimelineEntryView, timelineView } from './views.js';

/** Incidents as people see and change them. */
@Injectable()
export class Incidents {
  constructor(
    private readonly database: Database,
    private readonly store: IncidentStore,
    private readonly writer: IncidentWriter,
    private readonly clock: Clock,
    private readonly settings: EntitySettings,
  ) {}

  async list(query: IncidentListQuery): Promise<Page<IncidentView>> {
    const { items, nextCursor } = await this.store.list(query);
    return { items: items.map((incident) => this.view(incident)), nextCursor };
  }

  async get(id: string): Promise<IncidentView> {
    return this.view(await this.store.get(id));
  }

  async proposal(id: string): Promise<Proposal> {
    return (await this.store.get(id)).proposal;
  }

  async clocks(id: string): Promise<{ items: ReportingClock[] }> {
    return { items: clocksOf(await this.store.get(id), this.settings, this.clock.now()) };
  }

  async timeline(id: string, query: TimelineQuery): Promise<Page<TimelineEntryView>> {
    await this.store.get(id);
    const { items, nextCursor } = await this.store.timeline(id, query);
    return { items: items.map((entry) => timelineView(entry)), nextCursor };
  }

  async open(call: Call, body: NewIncident): Promise<IncidentView> {
    const opening = { ...membersOf(body), causeKey: null, measurements: null };
    return this.view(await this.database.transaction((tx) => this.writer.open(tx, actorOf(call), opening)));
  }

  /**
   * Merges a JSON merge patch into what people say of an incident.
   * @throws ProblemError `version-conflict` when `expected` is another version, `conflict` when its state does not take the change
   */
  async change(call: Call, id: string, patch: IncidentPatch, expected: number | undefined): Promise<IncidentView> {
    return this.database.transaction(async (tx) => {
      const incident = await this.hold(tx, id, expected);
      const before = documentOf(incident);
      const parsed = patchedIncidentSchema.safeParse(mergePatch(before, patch));
      if (!parsed.success) throw invalidRequest(parsed.error.issues);
      const state = movedTo(incident.state, parsed.data.state);
      const after = documentOf({ ...incident, ...membersOf(parsed.data), state });
      const changes = changesBetween(before, after);
      if (changes.length === 0) return this.view(incident);
      if (incident.state === 'closed') throw conflict('A closed incident is not changed any more.');
      const changed = this.writer.reassessed({ ...incident, ...membersOf(parsed.data), state });
      // Further failures after its end are another incident.
      if (state === 'closed' || changed.resolvedAt !== null) changed.causeClosedAt ??= this.clock.now();
      const act: Act = {
        what: state === incident.state ? 'changed' : 'closed',
        detail: { changes: changes.map((change) => ({ ...change })), ...proposalDetail(changed) },
      };
      return this.view(await this.writer.save(tx, actorOf(call), changed, act));
    });
  }

  /** Stores the decision of a named person: the engine only proposes. */
  async decide(call: Call, id: string, body: ClassificationBody, expected: number | undefined): Promise<IncidentView> {
    return this.database.transaction(async (tx) => {
      const incident = await this.hold(tx, id, expected);
      const event: IncidentEvent = body.major ? 'decide.major' : 'decide.not-major';
      const state = next(incident.state, event);
      if (state === undefined)
        throw conflict(`An incident in the state ${incident.state} does not take this classification.`);
      const at = body.classifiedAt === undefined ? this.clock.now() : new Date(body.classifiedAt);
      if (body.classifiedAt !== undefined && at < (incident.awareAt ?? incident.detectedAt))
        throw invalidRequest([{ path: ['classifiedAt'], message: 'must not be before awareAt' }]);
      const actor = actorOf(call);
      const decision = { major: body.major, by: actor.name, at: at.toISOString(), reason: body.reason };
      return this.view(
        await this.writer.save(
          tx,
          actor,
          { ...incident, state, decision },
          {
            what: 'classified',
            detail: { major: decision.major, classifiedAt: decision.at, ...proposalDetail(incident) },
            note: { reason: decision.reason },
          },
        ),
      );
    });
  }

  private view(incident: Incident): IncidentView {
    return incidentView(incident, this.settings, this.clock.now());
  }

  private async hold(
    tx: Parameters<IncidentStore['hold']>[0],
    id: string,
    expected: number | undefined,
  ): Promise<Incident> {
    const incident = await this.store.hold(tx, id);
    if (expected !== incident.version) throw new ProblemError('version-conflict', { rule: 'incident.version' });
    return incident;
  }
}

/** By a patch an incident is closed and nothing else: the other states follow from a classification. */
function movedTo(from: IncidentState, to: IncidentState): IncidentState {
  if (to === from) return from;
  const moved = to === 'closed' ? next(from, 'close') : undefined;
  if (moved === undefined) throw conflict(`An incident in the state ${from} is not moved to ${to} by a patch.`);
  return moved;
}

function conflict(detail: string): ProblemError {
  return new ProblemError('conflict', { detail, rule: 'incident.state' });
}

type Members = Pick<
  Incident,
  | 'title'
  | 'description'
  | 'detectedAt'
  | 'awareAt'
  | 'occurredAt'
  | 'restoredAt'
  | 'resolvedAt'
  | 'facts'
  | 'maintenanceWindow'
>;

function membersOf(body: NewIncident): Members {
  const optional = (text: string | undefined): Date | null => (text === undefined ? null : new Date(text));
  return {
    title: body.title,
    description: body.description ?? null,
    detectedAt: new Date(body.detectedAt),
    awareAt: optional(body.awareAt),
    occurredAt: optional(body.occurredAt),
    restoredAt: optional(body.restoredAt),
    resolvedAt: optional(body.resolvedAt),
    facts: body.facts,
    maintenanceWindow: body.maintenanceWindow ?? null,
  };
}

/** What a patch is merged into: the incident as `newIncidentSchema` takes it, and its state. */
function documentOf(incident: Incident): object {
  const { title, description, facts, maintenanceWindow, state } = incident;
  const instants = (['detectedAt', 'awareAt', 'occurredAt', 'restoredAt', 'resolvedAt'] as const).flatMap((name) => {
    const value = incident[name];
    return value === null ? [] : [[name, value.toISOString()] as const];
  });
  return {
    title,
    ...(description === null ? {} : { description }),
    ...Object.fromEntries(instants),
    facts,
    ...(maintenanceWindow === null ? {} : { maintenanceWindow }),
    state,
  };
}
