import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Plan } from './schemas.js';
import type { DrillState } from './transitions.js';

/** A drill, from its proposal to the signature under its report. People stand in it by their ids. */
@Entity({ schema: 'drills', name: 'drills' })
@Index('drills_running_idx', ['id'], { where: `state = 'running'` })
@Check('drills_state_known', `state IN ('proposed', 'approved', 'running', 'stopped', 'ended', 'aborted')`)
@Check('drills_verdict_known', `verdict IN ('accepted', 'rejected')`)
@Check(
  'drills_texts_bounded',
  `length(name) BETWEEN 1 AND 64 AND length(purpose) BETWEEN 1 AND 2000
       AND length(why) <= 300 AND length(remark) <= 2000 AND length(report) <= 1048576`,
)
@Check('drills_plan_bounded', `pg_column_size(plan) <= 65536`)
@Check('drills_report_digest_sha256', `length(report_digest) = 32`)
@Check('drills_approved_by_another', `approved_by <> proposed_by`)
@Check('drills_signed_by_another', `signed_by <> proposed_by AND signed_by <> started_by`)
export class DrillEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'drills_pkey' })
  id: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  purpose: string;

  @Column({ type: 'text' })
  state: DrillState;

  /** Unset for one that ran on a system of its own and left its report here. */
  @Column({ type: 'jsonb', nullable: true })
  plan: Plan | null;

  @Column({ name: 'most_calls', type: 'integer' })
  mostCalls: number;

  /** Calls that the instances were allowed to strike so far. */
  @Column({ type: 'integer', default: 0 })
  granted: number;

  @Column({ name: 'proposed_by', type: 'uuid' })
  proposedBy: string;

  @Column({ name: 'approved_by', type: 'uuid', nullable: true })
  approvedBy: string | null;

  @Column({ name: 'started_by', type: 'uuid', nullable: true })
  startedBy: string | null;

  @Column({ name: 'stopped_by', type: 'uuid', nullable: true })
  stoppedBy: string | null;

  @Column({ name: 'signed_by', type: 'uuid', nullable: true })
  signedBy: string | null;

  @Column({ name: 'proposed_at', type: 'timestamptz' })
  proposedAt: Date;

  @Column({ name: 'approved_at', type: 'timestamptz', nullable: true })
  approvedAt: Date | null;

  @Column({ name: 'started_at', type: 'timestamptz', nullable: true })
  startedAt: Date | null;

  @Column({ name: 'ends_at', type: 'timestamptz', nullable: true })
  endsAt: Date | null;

  @Column({ name: 'over_at', type: 'timestamptz', nullable: true })
  overAt: Date | null;

  @Column({ name: 'reported_at', type: 'timestamptz', nullable: true })
  reportedAt: Date | null;

  @Column({ name: 'signed_at', type: 'timestamptz', nullable: true })
  signedAt: Date | null;

  /** Why it is over: `time`, `stopped`, `guard …`, `limit …`. */
  @Column({ type: 'text', nullable: true })
  why: string | null;

  /** The JSON of the report, letter for letter what its digest is of. */
  @Column({ type: 'text', nullable: true })
  report: string | null;

  @Column({ name: 'report_digest', type: 'bytea', nullable: true })
  reportDigest: Buffer | null;

  @Column({ type: 'text', nullable: true })
  verdict: 'accepted' | 'rejected' | null;

  @Column({ type: 'text', nullable: true })
  remark: string | null;
}

export type Drill = { [K in keyof DrillEntity]: DrillEntity[K] };
