import { Injectable } from '@nestjs/common';
import { AuditLog, type RecordInput } from '../audit/index.js';
import { administratorOf, type Call, Clock, type Tx, uuidv7 } from '../platform/index.js';
import { assess, type Assessed } from './assessment.js';
import { EntitySettings } from './entity-settings.js';
import type { Incident, Measurements } from './entities/incident.entity.js';
import { IncidentStore } from './incident-store.js';

/** Who acts: an administrator in a call, or the gateway itself. */
export interface Actor {
  name: string;
  call?: Call;
}

export const GATEWAY: Actor = { name: 'gateway' };

export function actorOf(call: Call): Actor {
  return { name: administratorOf(call).name, call };
}

/** One thing done to an incident. */
export interface Act {
  what: 'opened' | 'changed' | 'classified' | 'closed' | 'joined' | 'ceased' | 'reassessed';
  /** For the timeline and the record alike: figures and names of members, no free text. */
  detail: NonNullable<RecordInput['detail']>;
  /** For the timeline alone. */
  note?: Record<string, unknown>;
}

export interface Opening extends Assessed {
  title: string;
  description: string | null;
  awareAt: Date | null;
  causeKey: string | null;
  measurements: Measurements | null;
}

/** Writes incidents: each act, its entry in the timeline and its record are one transaction. */
@Injectable()
export class IncidentWriter {
  constructor(
    private readonly store: IncidentStore,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
    private readonly settings: EntitySettings,
  ) {}

  async open(tx: Tx, actor: Actor, opening: Opening): Promise<Incident> {
    const now = this.clock.now();
    const incident: Incident = {
      ...opening,
      id: uuidv7(now.getTime()),
      reference: await this.store.nextReference(tx, now.getUTCFullYear()),
      state: 'assessing',
      openedBy: actor.name,
      proposal: assess(opening, this.settings.entity, now),
      decision: null,
      causeClosedAt: null,
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
    await this.store.insert(tx, incident);
    await this.tell(tx, actor, incident, { what: 'opened', detail: proposalDetail(incident) });
    return incident;
  }

  /** Stores a changed incident as its next version, with its act. */
  async save(tx: Tx, actor: Actor, incident: Incident, act: Act): Promise<Incident> {
    const saved = { ...incident, version: incident.version + 1, updatedAt: this.clock.now() };
    await this.store.update(tx, saved);
    await this.tell(tx, actor, saved, act);
    return saved;
  }

  /** Stores what the gateway measured; no new version, so that a person's change in hand is not refused for it. */
  async measure(tx: Tx, incident: Incident, act: Act): Promise<void> {
    await this.store.update(tx, incident);
    await this.tell(tx, GATEWAY, incident, act);
  }

  /** The incident with its proposal worked out anew. */
  reassessed(incident: Incident): Incident {
    return { ...incident, proposal: assess(incident, this.settings.entity, this.clock.now(), incident.proposal) };
  }

  private async tell(tx: Tx, actor: Actor, incident: Incident, act: Act): Promise<void> {
    const now = this.clock.now();
    const recordId = uuidv7(now.getTime());
    const { call } = actor;
    const administrator = call && administratorOf(call);
    await this.audit.appendIn(tx, {
      id: recordId,
      at: now.toISOString(),
      kind: 'incident.act',
      call: call?.id,
      trace: call?.traceId,
      actor: administrator?.id ?? actor.name,
      credential: administrator?.tokenId,
      detail: {
        act: act.what,
        incident: incident.id,
        reference: incident.reference,
        state: incident.state,
        version: incident.version,
        ...act.detail,
      },
    });
    await this.store.addToTimeline(tx, {
      incidentId: incident.id,
      at: now,
      what: act.what,
      by: actor.name,
      recordId,
      detail: { ...act.detail, ...act.note },
    });
  }
}

/** What the engine proposes, in short. */
export function proposalDetail({ proposal }: Incident): NonNullable<RecordInput['detail']> {
  return { proposed: proposal.major, limb: proposal.limb, engineVersion: proposal.engineVersion };
}
