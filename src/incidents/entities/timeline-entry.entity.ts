import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn, type Relation } from 'typeorm';
import { IncidentEntity } from './incident.entity.js';

/** One thing that happened to an incident. */
@Entity({ schema: 'incidents', name: 'timeline' })
@Index('timeline_incident_id_idx', ['incidentId', 'n'])
@Check('timeline_what_bounded', `length(what) BETWEEN 1 AND 64`)
@Check('timeline_detail_bounded', `pg_column_size(detail) <= 16384`)
export class TimelineEntryEntity {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'timeline_pkey',
  })
  n: string;

  @Column({ name: 'incident_id', type: 'uuid' })
  incidentId: string;

  @ManyToOne(() => IncidentEntity)
  @JoinColumn({ name: 'incident_id', foreignKeyConstraintName: 'timeline_incident_id_fkey' })
  incident: Relation<IncidentEntity>;

  @Column({ type: 'timestamptz' })
  at: Date;

  @Column({ type: 'text' })
  what: string;

  /** `gateway`, or the name of an administrator. */
  @Column({ type: 'text' })
  by: string;

  /** The record of the log that was written with it. */
  @Column({ name: 'record_id', type: 'uuid' })
  recordId: string;

  @Column({ type: 'jsonb' })
  detail: Record<string, unknown>;
}
