import { Injectable } from '@nestjs/common';
import { Brackets } from 'typeorm';
import { Database, type Tx } from '../../platform/index.js';
import type { Status } from './transitions.js';
import { VerificationEntity } from './verification.entity.js';

export type Changes = Partial<Omit<VerificationEntity, 'id' | 'clientId' | 'idempotencyId' | 'createdAt'>>;

/** The row as it stands after the changes. */
export function changed(row: VerificationEntity, changes: Changes): VerificationEntity {
  return Object.assign(new VerificationEntity(), row, changes);
}

export interface PageFilter {
  clientId: string;
  status: Status | undefined;
  subject: string | undefined;
  createdFrom: Date | undefined;
  createdTo: Date | undefined;
  /** Ids below this one: UUIDv7 orders by time. */
  before: string | undefined;
  limit: number;
}

/** The table of verifications. */
@Injectable()
export class VerificationStore {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  async insert(tx: Tx, row: VerificationEntity): Promise<void> {
    await tx.createQueryBuilder().insert().into(VerificationEntity).values(row).execute();
  }

  async update(tx: Tx, id: string, changes: Changes): Promise<void> {
    await tx.createQueryBuilder().update(VerificationEntity).set(changes).where({ id }).execute();
  }

  async find(clientId: string, id: string): Promise<VerificationEntity | null> {
    return this.database.source.getRepository(VerificationEntity).findOneBy({ id, clientId });
  }

  /** Whosever it is: for those who answer for the house. */
  async byId(id: string): Promise<VerificationEntity | null> {
    return this.database.source.getRepository(VerificationEntity).findOneBy({ id });
  }

  /** Made by an earlier call under that key. */
  async byKey(idempotencyId: string): Promise<VerificationEntity | null> {
    return this.database.source.getRepository(VerificationEntity).findOneBy({ idempotencyId });
  }

  async lock(tx: Tx, id: string): Promise<VerificationEntity | null> {
    return this.locked(tx).where({ id }).getOne();
  }

  async lockOwn(tx: Tx, clientId: string, id: string): Promise<VerificationEntity | null> {
    return this.locked(tx).where({ id, clientId }).getOne();
  }

  async lockByKey(tx: Tx, idempotencyId: string): Promise<VerificationEntity | null> {
    return this.locked(tx).where({ idempotencyId }).getOne();
  }

  /** In one order for everybody, so that two that follow the same session never wait for each other; none of an erased subject. */
  async lockBySession(tx: Tx, sessionId: string): Promise<VerificationEntity[]> {
    return this.locked(tx).where({ sessionId }).andWhere('v.erased_at IS NULL').orderBy('v.id').getMany();
  }

  /** Newest first. */
  async page(filter: PageFilter): Promise<VerificationEntity[]> {
    const query = this.database.source
      .getRepository(VerificationEntity)
      .createQueryBuilder('v')
      .where('v.client_id = :clientId', filter)
      .orderBy('v.id', 'DESC')
      .limit(filter.limit);
    if (filter.before !== undefined) query.andWhere('v.id < :before', filter);
    if (filter.status !== undefined) query.andWhere('v.status = :status', filter);
    if (filter.subject !== undefined) query.andWhere('v.subject = :subject', filter);
    if (filter.createdFrom !== undefined) query.andWhere('v.created_at >= :createdFrom', filter);
    if (filter.createdTo !== undefined) query.andWhere('v.created_at <= :createdTo', filter);
    return query.getMany();
  }

  /**
   * A number for a look at the vendor that is about to begin, and how many verifications follow that session. Numbers order looks over all
   * instances as no clock could.
   */
  async beginLook(sessionId: string): Promise<{ look: string; followers: number }> {
    const [row] = await this.database.query<{ look: string; followers: string }>(
      `SELECT nextval('orchestration.looks') AS look,
              (SELECT count(*) FROM orchestration.verifications WHERE session_id = $1 AND erased_at IS NULL) AS followers`,
      [sessionId],
    );
    return { look: row?.look ?? '0', followers: Number(row?.followers ?? 0) };
  }

  /** Marks a look as taken, for one of all callers at once. @returns whether it was this one. */
  async takeLook(id: string, now: Date, lastBefore: Date): Promise<boolean> {
    const result = await this.database.source
      .createQueryBuilder()
      .update(VerificationEntity)
      .set({ lookedAt: now })
      .where('id = :id AND looked_at <= :lastBefore', { id, lastBefore })
      .execute();
    return result.affected === 1;
  }

  /** Verifications that were begun and have no session, least recently looked at first. */
  async withoutSession(
    before: { unsure: Date; settled: Date },
    limit: number,
  ): Promise<Pick<VerificationEntity, 'id' | 'idempotencyId'>[]> {
    return this.database.source
      .getRepository(VerificationEntity)
      .createQueryBuilder('v')
      .select(['v.id', 'v.idempotencyId'])
      .where(`v.session_id IS NULL AND v.hosted AND v.status = 'pending'`)
      .andWhere(
        new Brackets((due) =>
          due
            .where('v.unsure AND v.looked_at <= :unsure', before)
            .orWhere('NOT v.unsure AND v.looked_at <= :settled', before),
        ),
      )
      .orderBy('v.looked_at')
      .limit(limit)
      .getMany();
  }

  /** Verifications that the vendor failed and that wait for a person; holds until the transaction ends. */
  async countForReview(tx: Tx): Promise<number> {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('gatehouse/fallback.reviews', 1713))`);
    return this.inReview(tx).andWhere(`v.rung = 'manual'`).getCount();
  }

  /** Verifications that wait for a person, oldest first. */
  async pageInReview(after: string | undefined, limit: number): Promise<VerificationEntity[]> {
    const query = this.inReview(this.database.source.manager).orderBy('v.id').limit(limit);
    if (after !== undefined) query.andWhere('v.id > :after', { after });
    return query.getMany();
  }

  private inReview(from: Tx) {
    return from
      .getRepository(VerificationEntity)
      .createQueryBuilder('v')
      .where(`v.status = 'in-review' AND v.erased_at IS NULL`);
  }

  private locked(tx: Tx) {
    return tx.getRepository(VerificationEntity).createQueryBuilder('v').setLock('pessimistic_write');
  }
}
