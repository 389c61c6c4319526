import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import type { VerificationRung } from '../fallback/rungs.js';
import type { Relationship } from './schemas.js';
import type { Step } from './steps.js';
import type { Status } from './transitions.js';

/** One person being verified. What names the person stands sealed under the subject's key; `subject` is a pseudonym. */
@Entity({ schema: 'orchestration', name: 'verifications' })
@Unique('verifications_idempotency', ['idempotencyId'])
@Check(
  'verifications_status_known',
  `status IN ('pending', 'in-progress', 'approved', 'declined', 'in-review', 'resubmission', 'expired', 'abandoned', 'cancelled', 'queued', 'failed')`,
)
@Check('verifications_relationship_known', `relationship IN ('customer', 'prospect', 'unknown')`)
@Check('verifications_rung_known', `rung IN ('fresh', 'queued', 'manual', 'none')`)
@Check('verifications_review_bounded', `length(reviewed_by) <= 256 AND length(sealed_review) <= 4096`)
@Check('verifications_sealed_bounded', `length(sealed_subject) <= 4096 AND length(sealed_link) <= 16384`)
@Check('verifications_steps_bounded', `pg_column_size(steps) <= 16384`)
@Index('verifications_client', ['clientId', 'id'])
@Index('verifications_client_subject', ['clientId', 'subject', 'id'])
@Index('verifications_client_status', ['clientId', 'status', 'id'])
@Index('verifications_session', ['sessionId'])
@Index('verifications_without_session', ['lookedAt'], {
  where: `session_id IS NULL AND hosted AND status IN ('pending', 'queued')`,
})
@Index('verifications_check', ['checkAt'], { where: 'check_at IS NOT NULL' })
@Index('verifications_in_review', ['id'], { where: `status = 'in-review'` })
export class VerificationEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'verifications_pkey' })
  id: string;

  @Column({ name: 'client_id', type: 'uuid' })
  clientId: string;

  /** Id of the Idempotency-Key that asked for it: a repeat goes on with this row and makes no other. */
  @Column({ name: 'idempotency_id', type: 'uuid' })
  idempotencyId: string;

  @Column({ type: 'text' })
  workflow: string;

  @Column({ name: 'workflow_version', type: 'integer' })
  workflowVersion: number;

  @Column({ type: 'text' })
  subject: string;

  @Column({ type: 'text' })
  relationship: Relationship;

  @Column({ type: 'text', default: 'pending' })
  status: Status;

  @Column({ type: 'text' })
  vendor: string;

  /** The vendor's own word, as last seen; also of a cancelled one, which no longer follows it. */
  @Column({ name: 'vendor_status', type: 'text', nullable: true })
  vendorStatus: string | null;

  /** Whether a session at the vendor does it all; else the gateway runs its workflow itself. */
  @Column({ type: 'boolean', default: true })
  hosted: boolean;

  @Column({ name: 'session_id', type: 'uuid', nullable: true })
  sessionId: string | null;

  /** A create was sent and its outcome is not known: look before another is sent. */
  @Column({ type: 'boolean', default: false })
  unsure: boolean;

  /** How often the background looked for the session of an unknown outcome. */
  @Column({ type: 'integer', default: 0 })
  searches: number;

  @Column({ name: 'sealed_subject', type: 'bytea' })
  sealedSubject: Buffer;

  @Column({ name: 'sealed_link', type: 'bytea', nullable: true })
  sealedLink: Buffer | null;

  /** How it came to its session, or why it has none. */
  @Column({ type: 'text', default: 'fresh' })
  rung: VerificationRung;

  @Column({ type: 'jsonb' })
  steps: Step[];

  /** Id in the vault of the vendor's decision. */
  @Column({ type: 'uuid', nullable: true })
  decision: string | null;

  /** Number of the look at the vendor that was applied last: an answer to an earlier one changes nothing any more. */
  @Column({ type: 'bigint', default: 0 })
  look: string;

  @Column({ name: 'looked_at', type: 'timestamptz' })
  lookedAt: Date;

  /** When the vendor last said where it stands. */
  @Column({ name: 'seen_at', type: 'timestamptz', nullable: true })
  seenAt: Date | null;

  /** When the sweep asks about it unless something is heard before; null when there is nothing to ask. */
  @Column({ name: 'check_at', type: 'timestamptz', nullable: true })
  checkAt: Date | null;

  /** Looks of the sweep in vain since something was last heard. */
  @Column({ type: 'integer', default: 0 })
  checks: number;

  /** When a webhook told of its decision. */
  @Column({ name: 'notified_at', type: 'timestamptz', nullable: true })
  notifiedAt: Date | null;

  /** Id of the person who decided it here: the vendor's later word is kept and moves it no more. */
  @Column({ name: 'reviewed_by', type: 'text', nullable: true })
  reviewedBy: string | null;

  @Column({ name: 'reviewed_at', type: 'timestamptz', nullable: true })
  reviewedAt: Date | null;

  /** The person's reason, sealed under the subject's key. */
  @Column({ name: 'sealed_review', type: 'bytea', nullable: true })
  sealedReview: Buffer | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;

  /** When the subject was erased: nothing of the person is kept or asked for any more. */
  @Column({ name: 'erased_at', type: 'timestamptz', nullable: true })
  erasedAt: Date | null;
}
