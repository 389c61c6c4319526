import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation, Unique } from 'typeorm';
import { AdministratorEntity } from './administrator.entity.js';

/** A secret of an administrator at the internal issuer: its digest, never the secret. */
@Entity({ schema: 'auth', name: 'administrator_secrets' })
@Unique('administrator_secrets_hash_key', ['hash'])
@Index('administrator_secrets_administrator_id_idx', ['administratorId'])
@Check('administrator_secrets_hash_sha256', `length(hash) = 32`)
export class AdministratorSecretEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'administrator_secrets_pkey' })
  id: string;

  @Column({ name: 'administrator_id', type: 'uuid' })
  administratorId: string;

  @ManyToOne(() => AdministratorEntity)
  @JoinColumn({
    name: 'administrator_id',
    foreignKeyConstraintName: 'administrator_secrets_administrator_id_fkey',
  })
  administrator: Relation<AdministratorEntity>;

  @Column({ type: 'bytea' })
  hash: Buffer;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt: Date | null;
}
