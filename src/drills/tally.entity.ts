import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { DrillEntity } from './drill.entity.js';

/** What one instance saw of a drill. */
@Entity({ schema: 'drills', name: 'tallies' })
export class TallyEntity {
  @PrimaryColumn({ name: 'drill_id', type: 'uuid', primaryKeyConstraintName: 'tallies_pkey' })
  drillId: string;

  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'tallies_pkey' })
  instance: string;

  @ManyToOne(() => DrillEntity)
  @JoinColumn({ name: 'drill_id', foreignKeyConstraintName: 'tallies_drill_id_fkey' })
  drill: Relation<DrillEntity>;

  /** Calls to the vendor that it led through the proxy. */
  @Column({ type: 'integer' })
  struck: number;

  /** Calls of the scope that were answered with 5xx. */
  @Column({ type: 'integer' })
  failed: number;

  /** Calls of others, and how many of them were answered with 5xx. */
  @Column({ type: 'integer' })
  outside: number;

  @Column({ name: 'outside_failed', type: 'integer' })
  outsideFailed: number;
}
