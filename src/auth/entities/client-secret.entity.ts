import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation, Unique } from 'typeorm';
import { ClientEntity } from './client.entity.js';

/** A secret of the client credentials grant: its digest, never the secret. */
@Entity({ schema: 'auth', name: 'client_secrets' })
@Unique('client_secrets_hash_key', ['hash'])
@Index('client_secrets_client_id_idx', ['clientId'])
@Check('client_secrets_hash_sha256', `length(hash) = 32`)
export class ClientSecretEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'client_secrets_pkey' })
  id: string;

  @Column({ name: 'client_id', type: 'uuid' })
  clientId: string;

  @ManyToOne(() => ClientEntity)
  @JoinColumn({ name: 'client_id', foreignKeyConstraintName: 'client_secrets_client_id_fkey' })
  client: Relation<ClientEntity>;

  @Column({ type: 'bytea' })
  hash: Buffer;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt: Date | null;
}
