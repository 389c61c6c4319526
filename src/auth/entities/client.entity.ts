import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

export type State = 'active' | 'suspended' | 'revoked';
export type Factor = 'key' | 'token';

/** Which credentials a call must bring: `data` on `/v1`, `dropIn` on `/didit/v3`. */
export interface Factors {
  data: Factor[];
  dropIn: Factor[];
}

/** A system of the entity that calls the gateway. */
@Entity({ schema: 'auth', name: 'clients' })
@Unique('clients_name_key', ['name'])
@Check('clients_name_bounded', `length(name) BETWEEN 1 AND 64`)
@Check('clients_state_known', `state IN ('active', 'suspended', 'revoked')`)
export class ClientEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'clients_pkey' })
  id: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text', array: true })
  scopes: string[];

  @Column({ type: 'jsonb' })
  factors: Factors;

  @Column({ type: 'text', default: 'active' })
  state: State;

  /** When not empty, only these addresses may call as this client. */
  @Column({ type: 'cidr', array: true, default: '{}' })
  addresses: string[];

  @Column({ type: 'integer', default: 1 })
  version: number;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}
