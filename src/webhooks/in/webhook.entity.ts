import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * `new`: to be worked on · `done`: the session was followed · `kept`: names no session, nothing to do · `unmatched`: names a session that
 * nobody here follows · `failed`: could not be worked on in a day.
 */
export type WebhookState = 'new' | 'done' | 'kept' | 'unmatched' | 'failed';

/** A webhook that was received and not refused. Nothing in it names a person: the bytes are in the vault. */
@Entity({ schema: 'webhooks', name: 'inbox' })
@Unique('inbox_event_key', ['vendor', 'eventKey', 'verdict'])
@Index('inbox_received_at_idx', ['receivedAt'])
@Index('inbox_session_id_idx', ['sessionId'])
@Check('inbox_verdict_known', `verdict IN ('trusted', 'ask')`)
@Check('inbox_state_known', `state IN ('new', 'done', 'kept', 'unmatched', 'failed')`)
@Check(
  'inbox_texts_bounded',
  `length(vendor) <= 32 AND length(event_key) <= 256 AND length(reason) <= 64 AND length(event_type) <= 64`,
)
@Check('inbox_digest_sha256', `length(digest) = 32`)
export class WebhookEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'inbox_pkey' })
  id: string;

  @Column({ type: 'text' })
  vendor: string;

  /** What tells one event from another. */
  @Column({ name: 'event_key', type: 'text' })
  eventKey: string;

  /** `trusted`: signed and fresh · `ask`: not enough to be believed, enough to ask the vendor. */
  @Column({ type: 'text' })
  verdict: 'trusted' | 'ask';

  /** By which signature, or why it is not believed. */
  @Column({ type: 'text' })
  reason: string;

  @Column({ name: 'event_type', type: 'text' })
  eventType: string;

  @Column({ name: 'session_id', type: 'uuid', nullable: true })
  sessionId: string | null;

  @Column({ name: 'received_at', type: 'timestamptz' })
  receivedAt: Date;

  /** Id of the sealed bytes in the vault. */
  @Column({ type: 'uuid', nullable: true })
  raw: string | null;

  /** HMAC-SHA-256 of the bytes: tells whether two are the same without keeping them. */
  @Column({ type: 'bytea' })
  digest: Buffer;

  @Column({ type: 'text' })
  state: WebhookState;

  @Column({ type: 'integer', default: 0 })
  attempts: number;

  @Column({ name: 'settled_at', type: 'timestamptz', nullable: true })
  settledAt: Date | null;
}
