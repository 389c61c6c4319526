import { Inject, Injectable } from '@nestjs/common';
import { Clock, type Config, CONFIG, Database, Outbox, type Tx, uuidv7Floor, Vault } from '../../platform/index.js';
import type { CreateBody } from '../verifications/schemas.js';
import type { VerificationEntity } from '../verifications/verification.entity.js';

export interface Queued {
  id: string;
  clientId: string;
  /** Id in the vault of what was asked for. */
  body: string;
}

type Wanted = Omit<CreateBody, 'workflow' | 'subject'>;

const PURPOSE = 'queued-create';
const VENDOR = 'didit';
/** How long a verification stays with a sender that was last known to work on it. */
export const SEND_LEASE_MS = 10_000;
/** What was asked for outlives its time in the queue by this, for the sweep that ends it. */
const SPARE_MS = 3_600_000;

/** The table of verifications that were accepted while the vendor was away. */
@Injectable()
export class QueueBook {
  constructor(
    private readonly database: Database,
    private readonly vault: Vault,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Whether one more of this client's may wait; holds until the transaction ends. */
  async hasRoom(tx: Tx, clientId: string): Promise<boolean> {
    await this.lock(tx);
    const [row] = await tx.query<{ total: number; own: number }[]>(
      `SELECT count(*)::integer AS total, count(*) FILTER (WHERE client_id = $1)::integer AS own
         FROM orchestration.queued_creates`,
      [clientId],
    );
    const { queuePerClient, queueTotal } = this.config.fallback;
    return (row?.total ?? 0) < queueTotal && (row?.own ?? 0) < queuePerClient;
  }

  /** What is asked for is sealed under the subject's key, whose lock the transaction has. */
  async add(tx: Tx, row: VerificationEntity, { callback, language, metadata, expected }: Wanted): Promise<void> {
    const now = this.clock.now();
    const wanted: Wanted = { callback, language, metadata, expected };
    const body = await this.vault.put(tx, {
      owner: `subject:${row.subject}`,
      purpose: PURPOSE,
      plain: Buffer.from(JSON.stringify(wanted)),
      keepMs: this.config.fallback.queueFor + SPARE_MS,
    });
    const [first] = await tx.query<{ first: boolean }[]>(
      'SELECT NOT EXISTS (SELECT FROM orchestration.queued_creates) AS first',
    );
    await tx.query(
      `INSERT INTO orchestration.queued_creates (verification_id, client_id, body, queued_at, next_at)
       VALUES ($1, $2, $3, $4, $4)`,
      [row.id, row.clientId, body, now],
    );
    if (first?.first === true) await this.outbox.tell(tx, { at: now, kind: 'fallback.queue-began', subject: VENDOR });
  }

  /** Undefined when it was erased or kept long enough. */
  async wanted(tx: Tx, { body }: Pick<Queued, 'body'>): Promise<Wanted | undefined> {
    const plain = await this.vault.get(tx, body, PURPOSE);
    return plain && (JSON.parse(plain.toString()) as Wanted);
  }

  /**
   * Of each client the oldest that waits, unless somebody works on that one or it rests: those after it wait for it. First those that the
   * vendor has not failed yet, so that one which it always fails keeps no other client waiting.
   */
  async heads(limit: number): Promise<Queued[]> {
    return this.database.query<Queued>(
      `SELECT id, "clientId", body FROM (
         SELECT DISTINCT ON (client_id) verification_id AS id, client_id AS "clientId", body, next_at, lease_until, failed_at
           FROM orchestration.queued_creates ORDER BY client_id, verification_id) head
        WHERE next_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) ORDER BY failed_at NULLS FIRST, id LIMIT $2`,
      [this.clock.now(), limit],
    );
  }

  /** Takes one for sending; nobody else has it while the lease is renewed. @returns whether it was free */
  async claim(tx: Tx, id: string, holder: string): Promise<boolean> {
    const now = this.clock.now();
    return this.changed(
      tx,
      `UPDATE orchestration.queued_creates SET holder = $2, lease_until = $3
        WHERE verification_id = $1 AND (lease_until IS NULL OR lease_until <= $4) RETURNING verification_id`,
      [id, holder, new Date(now.getTime() + SEND_LEASE_MS), now],
    );
  }

  /** @returns whether the holder still has it: one that was silent for too long must send nothing any more */
  async renew(tx: Tx, id: string, holder: string): Promise<boolean> {
    const now = this.clock.now();
    return this.changed(
      tx,
      `UPDATE orchestration.queued_creates SET lease_until = $3
        WHERE verification_id = $1 AND holder = $2 AND lease_until > $4 RETURNING verification_id`,
      [id, holder, new Date(now.getTime() + SEND_LEASE_MS), now],
    );
  }

  /**
   * Lets go of one that the vendor failed, until that instant. It counts against it when the vendor has made sessions for others since it
   * failed before: then the trouble is its own, and it must not keep those after it waiting for ever.
   * @param madeAt when a session was last made for one of the queue
   * @returns how often that was so
   */
  async rest(tx: Tx, id: string, holder: string, until: Date, madeAt: Date): Promise<number> {
    const [row] = await tx.query<{ failed_at: Date | null }[]>(
      'SELECT failed_at FROM orchestration.queued_creates WHERE verification_id = $1 AND holder = $2 FOR UPDATE',
      [id, holder],
    );
    if (row === undefined) return 0;
    const { failed_at: failedAt } = row;
    const strike = failedAt !== null && (madeAt >= failedAt || (await this.madeOthersSince(tx, failedAt))) ? 1 : 0;
    const [rested] = await tx.query<{ strikes: number }[]>(
      `WITH rested AS (
         UPDATE orchestration.queued_creates SET lease_until = NULL, holder = NULL, next_at = $2, failed_at = $3, strikes = strikes + $4
          WHERE verification_id = $1 RETURNING strikes) SELECT strikes FROM rested`,
      [id, until, this.clock.now(), strike],
    );
    return rested?.strikes ?? 0;
  }

  /** Lets go of one that was not sent for a reason of the gateway's own. @param until when it may be tried again, unless at once */
  async letGo(id: string, holder: string, until?: Date): Promise<void> {
    await this.database.query(
      `UPDATE orchestration.queued_creates SET lease_until = NULL, holder = NULL, next_at = coalesce($3, next_at)
        WHERE verification_id = $1 AND holder = $2`,
      [id, holder, until ?? null],
    );
  }

  /** @returns whether it was there */
  async remove(tx: Tx, id: string): Promise<boolean> {
    await this.lock(tx);
    const [row] = await tx.query<{ body: string | null; left: boolean }[]>(
      `WITH gone AS (DELETE FROM orchestration.queued_creates WHERE verification_id = $1 RETURNING body)
       SELECT (SELECT body FROM gone) AS body,
              EXISTS (SELECT FROM orchestration.queued_creates WHERE verification_id <> $1) AS left`,
      [id],
    );
    if (row === undefined || row.body === null) return false;
    await this.vault.drop(tx, row.body);
    if (!row.left) await this.outbox.tell(tx, { at: this.clock.now(), kind: 'fallback.queue-ended', subject: VENDOR });
    return true;
  }

  /** Those that have nothing to wait for: called off, erased, served by another, or past their time; none that is being sent. */
  async over(limit: number): Promise<string[]> {
    const now = this.clock.now();
    const rows = await this.database.query<{ id: string }>(
      `SELECT q.verification_id AS id FROM orchestration.queued_creates q
         JOIN orchestration.verifications v ON v.id = q.verification_id
        WHERE (q.queued_at <= $1 OR v.status <> 'queued' OR v.erased_at IS NOT NULL)
          AND (q.lease_until IS NULL OR q.lease_until <= $2) ORDER BY q.verification_id LIMIT $3`,
      [new Date(now.getTime() - this.config.fallback.queueFor), now, limit],
    );
    return rows.map(({ id }) => id);
  }

  async isFree(tx: Tx, id: string): Promise<boolean> {
    const rows = await tx.query<object[]>(
      `SELECT FROM orchestration.queued_creates
        WHERE verification_id = $1 AND (lease_until IS NULL OR lease_until <= $2) FOR UPDATE`,
      [id, this.clock.now()],
    );
    return rows.length > 0;
  }

  async waiting(): Promise<{ n: number; oldest: Date | null }> {
    const [row] = await this.database.query<{ n: number; oldest: Date | null }>(
      'SELECT count(*)::integer AS n, min(queued_at) AS oldest FROM orchestration.queued_creates',
    );
    return row ?? { n: 0, oldest: null };
  }

  private async madeOthersSince(tx: Tx, since: Date): Promise<boolean> {
    const rows = await tx.query<object[]>(
      'SELECT FROM orchestration.verifications WHERE id > $1 AND session_id IS NOT NULL LIMIT 1',
      [uuidv7Floor(since.getTime())],
    );
    return rows.length > 0;
  }

  private async changed(tx: Tx, sql: string, parameters: unknown[]): Promise<boolean> {
    const [row] = await tx.query<{ n: number }[]>(
      `WITH changed AS (${sql}) SELECT count(*)::integer AS n FROM changed`,
      parameters,
    );
    return row?.n === 1;
  }

  /** Bounds and the two signals need one count for everybody. */
  private async lock(tx: Tx): Promise<void> {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('gatehouse/fallback.queue', 1713))`);
  }
}
