import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import type { TicketFacts } from '../engine/schemas.js';
import type { Proposal } from '../assessment.js';
import type { MaintenanceWindow } from '../schemas.js';
import type { IncidentState } from '../transitions.js';

/** What a named person decided. */
export interface IncidentDecision {
  major: boolean;
  /** Name of the administrator. */
  by: string;
  /** Instant of the classification, from which the clocks count. */
  at: string;
  reason: string;
}

/** What the gateway has measured of a cause that it noticed itself. */
export interface Measurements {
  failedCalls: number;
  firstFailureAt: string;
  lastFailureAt: string;
}

/** An incident, from the first sign of it to its end. */
@Entity({ schema: 'incidents', name: 'incidents' })
@Unique('incidents_reference_key', ['reference'])
@Index('incidents_state_id_idx', ['state', 'id'])
@Index('incidents_open_cause_idx', ['causeKey'], { unique: true, where: 'cause_closed_at IS NULL' })
@Index('incidents_cause_closed_idx', ['causeKey', 'causeClosedAt'])
@Check('incidents_state_known', `state IN ('assessing', 'not-major', 'major', 'reclassified', 'closed')`)
@Check('incidents_texts_bounded', `length(title) BETWEEN 1 AND 200 AND length(description) <= 10000`)
@Check('incidents_documents_bounded', `pg_column_size(facts) <= 65536 AND pg_column_size(proposal) <= 131072`)
export class IncidentEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'incidents_pkey' })
  id: string;

  @Column({ type: 'text' })
  reference: string;

  @Column({ type: 'text', default: 'assessing' })
  state: IncidentState;

  @Column({ type: 'text' })
  title: string;

  @Column({ type: 'text', nullable: true })
  description: string | null;

  /** `gateway`, or the name of an administrator. */
  @Column({ name: 'opened_by', type: 'text' })
  openedBy: string;

  /** What the gateway noticed, such as `vendor:didit`; unset when a person opened the incident. */
  @Column({ name: 'cause_key', type: 'text', nullable: true })
  causeKey: string | null;

  /** From then on further signs of the same cause are another incident. */
  @Column({ name: 'cause_closed_at', type: 'timestamptz', nullable: true })
  causeClosedAt: Date | null;

  @Column({ name: 'detected_at', type: 'timestamptz' })
  detectedAt: Date;

  /** Unset: the instant of detection. */
  @Column({ name: 'aware_at', type: 'timestamptz', nullable: true })
  awareAt: Date | null;

  @Column({ name: 'occurred_at', type: 'timestamptz', nullable: true })
  occurredAt: Date | null;

  @Column({ name: 'restored_at', type: 'timestamptz', nullable: true })
  restoredAt: Date | null;

  @Column({ name: 'resolved_at', type: 'timestamptz', nullable: true })
  resolvedAt: Date | null;

  /** Every value with where it comes from. */
  @Column({ type: 'jsonb' })
  facts: TicketFacts;

  @Column({ name: 'maintenance_window', type: 'jsonb', nullable: true })
  maintenanceWindow: MaintenanceWindow | null;

  @Column({ type: 'jsonb' })
  proposal: Proposal;

  @Column({ type: 'jsonb', nullable: true })
  decision: IncidentDecision | null;

  @Column({ type: 'jsonb', nullable: true })
  measurements: Measurements | null;

  @Column({ type: 'integer', default: 1 })
  version: number;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}

/** An incident as plain data, whose changes are made on copies. */
export type Incident = { [K in keyof IncidentEntity]: IncidentEntity[K] };
