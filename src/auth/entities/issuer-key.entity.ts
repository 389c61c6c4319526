import type { JWK } from 'jose';
import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import type { Listener } from '../../platform/index.js';

/** A signing key of an embedded issuer: the private half only under the master key. */
@Entity({ schema: 'auth', name: 'issuer_keys' })
@Check('issuer_keys_listener_known', `listener IN ('public', 'admin')`)
export class IssuerKeyEntity {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'issuer_keys_pkey' })
  kid: string;

  @Column({ type: 'text' })
  listener: Listener;

  @Column({ name: 'public_jwk', type: 'jsonb' })
  publicJwk: JWK;

  @Column({ type: 'bytea' })
  sealed: Buffer;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** Published from its making, used from here on: every instance knows it before the first token comes. */
  @Column({ name: 'signs_from', type: 'timestamptz' })
  signsFrom: Date;

  @Column({ name: 'retires_at', type: 'timestamptz', nullable: true })
  retiresAt: Date | null;
}
