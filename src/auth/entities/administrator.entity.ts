import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import type { State } from './client.entity.js';

/** A named person on the internal listener. */
@Entity({ schema: 'auth', name: 'administrators' })
@Unique('administrators_name_key', ['name'])
@Check('administrators_name_bounded', `length(name) BETWEEN 1 AND 64`)
@Check('administrators_state_known', `state IN ('active', 'suspended', 'revoked')`)
export class AdministratorEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'administrators_pkey' })
  id: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text', array: true })
  roles: string[];

  @Column({ type: 'text', default: 'active' })
  state: State;

  @Column({ type: 'integer', default: 1 })
  version: number;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}
