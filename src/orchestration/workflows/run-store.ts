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

  async insert(tx: Tx, id: string, run: RunRow, steps: readonly string[]): Promise<void> {
    await tx.query(
      `INSERT INTO orchestration.workflow_runs (verification_id, deadline, wake_at, sealed_input) VALUES ($1, $2, $3, $4)`,
      [id, run.deadline, run.wakeAt, run.sealedInput],
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

  /** Takes the run for one engine, unless another is at it. @returns whether it was taken */
  async claim(id: string, holder: string, now: Date, until: Date): Promise<boolean> {
    const rows = await this.database.query<object>(
      `WITH taken AS (UPDATE orchestration.workflow_runs SET holder = $2, lease_until = $4
         WHERE verification_id = $1 AND wake_at IS NOT NULL AND (lease_until IS NULL OR lease_until <= $3) RETURNING 1)
       SELECT FROM taken`,
      [id, holder, now, until],
    );
    return rows.length === 1;
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

  /** Takes runs that are due and that nobody is at, those first that have been due for longest. */
  async claimDue(holder: string, now: Date, until: Date, most: number): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `WITH due AS (
         SELECT verification_id FROM orchestration.workflow_runs
          WHERE wake_at <= $2 AND (lease_until IS NULL OR lease_until <= $2) ORDER BY wake_at LIMIT $4 FOR UPDATE SKIP LOCKED),
       taken AS (
         UPDATE orchestration.workflow_runs r SET holder = $1, lease_until = $3 FROM due WHERE r.verification_id = due.verification_id
         RETURNING r.verification_id AS id)
       SELECT id FROM taken`,
      [holder, now, until, most],
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
