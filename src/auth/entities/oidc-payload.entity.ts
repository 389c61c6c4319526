import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** State of the issuer library, by model and digest of its id, since an id can be a bearer value. */
@Entity({ schema: 'auth', name: 'oidc_payloads' })
@Index('oidc_payloads_expires_at_idx', ['expiresAt'])
export class OidcPayloadEntity {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'oidc_payloads_pkey' })
  model: string;

  @PrimaryColumn({ name: 'id_hash', type: 'bytea', primaryKeyConstraintName: 'oidc_payloads_pkey' })
  idHash: Buffer;

  @Column({ type: 'jsonb' })
  payload: object;

  @Column({ name: 'consumed_at', type: 'timestamptz', nullable: true })
  consumedAt: Date | null;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;
}
