import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '../../platform/index.js';
import type { StepState } from './step-states.js';

export interface RunRow {
  /** Until when all uploads must have come; once it has started, until when it must have ended. */
  deadline: Date;
  /** When it is looked at again; null once nothing is left to do. */
  wakeAt: Date | null;
  /** Engine that is at it. */
  holder: string | null;
  /** What its caller expects of the person, sealed under the subject's key. */
  sealedInput: Buffer | null;
}

export interface StepRow {
  name: string;
  state: StepState;
  attempts: number;
  /** Those of them that count against `retry.count`. */
  failures: number;
  /** Id of the attempt under way; that of the record by which it ends. */
  attempt: string | null;
  notBefore: Date | null;
  rung: 'fresh' | 'queued' | 'manual' | 'none';
  /** Why it stands on a lower rung or was passed over. */
  reason: string | null;
  /** Id in the vault of its report, until the run has ended. */
  result: string | null;
  startedAt: Date | null;
  endedAt: Date | null;
}

export interface UploadRow {
  name: string;
  mediaType: string;
  bytes: number;
  /** Id in the vault; null once no step needs the bytes any more. */
  item: string | null;
}

const STEP_COLUMNS = `name, state, attempts, failures, attempt, not_before AS "notBefore", rung, reason, result, started_at AS "startedAt",
  ended_at AS "endedAt"`;

/** The tables of runs, their steps and their uploads. Whoever writes holds the row of the verification. */
@Injectable()
export class RunStore {
  constructor(private readonly database: Database) {}

  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  async insert(tx: Tx, id: string, clientId: string, run: RunRow, steps: readonly string[]): Promise<void> {
    await tx.query(
      `INSERT INTO orchestration.workflow_runs (verification_id, client_id, deadline, wake_at, sealed_input)
       VALUES ($1, $2, $3, $4, $5)`,
      [id, clientId, run.deadline, run.wakeAt, run.sealedInput],
    );
    await tx.query(
      `INSERT INTO orchestration.workflow_steps (verification_id, name, position)
       SELECT $1, name, position FROM unnest($2::text[]) WITH ORDINALITY AS s (name, position)`,
      [id, steps],
    );
  }

  async find(tx: Tx, id: string): Promise<RunRow | undefined> {
    const [row] = await tx.query<RunRow[]>(
      `SELECT deadline, wake_at AS "wakeAt", holder, sealed_input AS "sealedInput"
         FROM orchestration.workflow_runs WHERE verification_id = $1`,
      [id],
    );
    return row;
  }

  steps(tx: Tx, id: string): Promise<StepRow[]> {
    return tx.query<StepRow[]>(
      `SELECT ${STEP_COLUMNS} FROM orchestration.workflow_steps WHERE verification_id = $1 ORDER BY position`,
      [id],
    );
  }

  async writeStep(tx: Tx, id: string, step: StepRow): Promise<void> {
    await tx.query(
      `UPDATE orchestration.workflow_steps SET state = $3, attempts = $4, failures = $5, attempt = $6, not_before = $7, rung = $8,
         reason = $9, result = $10, started_at = $11, ended_at = $12 WHERE verification_id = $1 AND name = $2`,
      [
        id,
        step.name,
        step.state,
        step.attempts,
        step.failures,
        step.attempt,
        step.notBefore,
        step.rung,
        step.reason,
        step.result,
        step.startedAt,
        step.endedAt,
      ],
    );
  }

  /** Once the run has ended its decision holds what the reports said. @returns ids in the vault that nothing names any more */
  async forgetResults(tx: Tx, id: string): Promise<string[]> {
    const rows = await tx.query<{ result: string }[]>(
      'SELECT result FROM orchestration.workflow_steps WHERE verification_id = $1 AND result IS NOT NULL',
      [id],
    );
    await tx.query(
      'UPDATE orchestration.workflow_steps SET result = NULL WHERE verification_id = $1 AND result IS NOT NULL',
      [id],
    );
    return rows.map(({ result }) => result);
  }

  /** All needed uploads are there: the run's own time begins. */
  async start(tx: Tx, id: string, deadline: Date, wakeAt: Date): Promise<void> {
    await tx.query('UPDATE orchestration.workflow_runs SET deadline = $2, wake_at = $3 WHERE verification_id = $1', [
      id,
      deadline,
      wakeAt,
    ]);
  }

  /** All runs that this engine is at. */
  async renew(holder: string, until: Date): Promise<void> {
    await this.database.query('UPDATE orchestration.workflow_runs SET lease_until = $2 WHERE holder = $1', [
      holder,
      until,
    ]);
  }

  /** Lets go of it until it is due again. */
  async release(tx: Tx, id: string, wakeAt: Date): Promise<void> {
    await tx.query(
      `UPDATE orchestration.workflow_runs SET wake_at = $2, holder = NULL, lease_until = NULL WHERE verification_id = $1`,
      [id, wakeAt],
    );
  }

  /** Nothing is left to do. */
  async close(tx: Tx, id: string): Promise<void> {
    await tx.query(
      `UPDATE orchestration.workflow_runs SET wake_at = NULL, holder = NULL, lease_until = NULL, sealed_input = NULL
        WHERE verification_id = $1`,
      [id],
    );
  }

  /**
   * Takes runs that are due and that nobody is at: of the client with fewest under way first, and of each client those that have been due
   * for longest.
   * @param mostEach how many of one client's this engine may be at
   */
  async claimDue(
    holder: string,
    now: Date,
    until: Date,
    { most, mostEach }: { most: number; mostEach: number },
  ): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `WITH RECURSIVE clients AS (
         (SELECT client_id FROM orchestration.workflow_runs WHERE wake_at IS NOT NULL ORDER BY client_id LIMIT 1)
         UNION ALL
         SELECT (SELECT client_id FROM orchestration.workflow_runs WHERE wake_at IS NOT NULL AND client_id > c.client_id
                  ORDER BY client_id LIMIT 1) FROM clients c WHERE c.client_id IS NOT NULL),
       under_way AS (
         SELECT client_id, count(*) AS everywhere, count(*) FILTER (WHERE holder = $1) AS here
           FROM orchestration.workflow_runs WHERE holder IS NOT NULL AND lease_until > $2 GROUP BY client_id),
       next AS (
         SELECT due.verification_id, coalesce(everywhere, 0) + due.place AS turn, due.wake_at
           FROM clients CROSS JOIN LATERAL (
             SELECT verification_id, wake_at, row_number() OVER (ORDER BY wake_at) AS place
               FROM orchestration.workflow_runs r
              WHERE r.client_id = clients.client_id AND wake_at <= $2 AND (lease_until IS NULL OR lease_until <= $2)
              ORDER BY wake_at LIMIT $4) due LEFT JOIN under_way USING (client_id)
          WHERE coalesce(here, 0) + due.place <= $5
          ORDER BY turn, wake_at LIMIT $4),
       free AS (
         SELECT verification_id FROM orchestration.workflow_runs r JOIN next USING (verification_id)
          WHERE lease_until IS NULL OR lease_until <= $2 FOR UPDATE OF r SKIP LOCKED),
       taken AS (
         UPDATE orchestration.workflow_runs r SET holder = $1, lease_until = $3 FROM free
          WHERE r.verification_id = free.verification_id RETURNING r.verification_id AS id)
       SELECT id FROM taken`,
      [holder, now, until, most, mostEach],
    );
    return rows.map(({ id }) => id);
  }

  uploads(tx: Tx, id: string): Promise<UploadRow[]> {
    return tx.query<UploadRow[]>(
      `SELECT name, media_type AS "mediaType", bytes, item FROM orchestration.uploads WHERE verification_id = $1 ORDER BY name`,
      [id],
    );
  }

  async uploadNames(id: string): Promise<Set<string>> {
    const rows = await this.database.query<{ name: string }>(
      'SELECT name FROM orchestration.uploads WHERE verification_id = $1',
      [id],
    );
    return new Set(rows.map(({ name }) => name));
  }

  async keepUpload(tx: Tx, id: string, upload: UploadRow, now: Date): Promise<void> {
    await tx.query(
      `INSERT INTO orchestration.uploads (verification_id, name, media_type, bytes, item, kept_at) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (verification_id, name) DO UPDATE SET media_type = $3, bytes = $4, item = $5, kept_at = $6`,
      [id, upload.name, upload.mediaType, upload.bytes, upload.item, now],
    );
  }

  async spendUploads(tx: Tx, id: string, names: readonly string[]): Promise<void> {
    await tx.query('UPDATE orchestration.uploads SET item = NULL WHERE verification_id = $1 AND name = ANY($2)', [
      id,
      names,
    ]);
  }
}
