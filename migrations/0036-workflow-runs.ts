import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * orchestration.workflow_runs: one row a verification that the gateway runs itself: who is at it (a lease), and when it is looked at again.
 * orchestration.workflow_steps: where each step of a run stands. orchestration.uploads: pictures that wait for their step, whose bytes are
 * sealed in the vault until then. `hosted` tells verifications with a session at the vendor from those that run here and never have one.
 */
export class WorkflowRuns1764000036000 implements MigrationInterface {
  name = 'WorkflowRuns1764000036000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    for (const statement of [...TABLES, ...GRANTS]) await runner.query(statement);
    await runner.query('SELECT pgboss.create_queue($1, $2)', ['workflows.run', QUEUE]);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('SELECT pgboss.delete_queue($1)', ['workflows.run']);
    await runner.query('DROP TABLE orchestration.uploads, orchestration.workflow_steps, orchestration.workflow_runs');
    await runner.query('DROP INDEX orchestration.verifications_without_session');
    await runner.query('ALTER TABLE orchestration.verifications DROP COLUMN hosted');
    await runner.query(WITHOUT_SESSION);
  }
}

const WITHOUT_SESSION = `CREATE INDEX verifications_without_session ON orchestration.verifications (looked_at)
  WHERE session_id IS NULL AND status IN ('pending', 'queued')`;

const TABLES = [
  'ALTER TABLE orchestration.verifications ADD COLUMN hosted boolean NOT NULL DEFAULT true',
  'DROP INDEX orchestration.verifications_without_session',
  `CREATE INDEX verifications_without_session ON orchestration.verifications (looked_at)
     WHERE session_id IS NULL AND hosted AND status IN ('pending', 'queued')`,
  `CREATE TABLE orchestration.workflow_runs (
     verification_id uuid CONSTRAINT workflow_runs_pkey PRIMARY KEY
                     CONSTRAINT workflow_runs_verification_fkey REFERENCES orchestration.verifications (id),
     deadline        timestamptz NOT NULL,
     wake_at         timestamptz,
     holder          uuid,
     lease_until     timestamptz,
     sealed_input    bytea,
     CONSTRAINT workflow_runs_lease CHECK ((holder IS NULL) = (lease_until IS NULL)),
     CONSTRAINT workflow_runs_ended CHECK (wake_at IS NOT NULL OR (holder IS NULL AND sealed_input IS NULL)),
     CONSTRAINT workflow_runs_input_bounded CHECK (length(sealed_input) <= 16384)
   )`,
  'CREATE INDEX workflow_runs_wake_at ON orchestration.workflow_runs (wake_at) WHERE wake_at IS NOT NULL',
  'CREATE INDEX workflow_runs_holder ON orchestration.workflow_runs (holder) WHERE holder IS NOT NULL',
  `CREATE TABLE orchestration.workflow_steps (
     verification_id uuid NOT NULL CONSTRAINT workflow_steps_run_fkey REFERENCES orchestration.workflow_runs (verification_id),
     name            text NOT NULL,
     position        smallint NOT NULL,
     state           text NOT NULL DEFAULT 'waiting',
     attempts        smallint NOT NULL DEFAULT 0,
     failures        smallint NOT NULL DEFAULT 0,
     attempt         uuid,
     not_before      timestamptz,
     rung            text NOT NULL DEFAULT 'fresh',
     reason          text,
     result          uuid,
     started_at      timestamptz,
     ended_at        timestamptz,
     CONSTRAINT workflow_steps_pkey PRIMARY KEY (verification_id, name),
     CONSTRAINT workflow_steps_state_known CHECK (state IN ('waiting', 'sending', 'resting', 'queued', 'passed', 'failed', 'review',
       'error', 'skipped')),
     CONSTRAINT workflow_steps_sending CHECK ((state = 'sending') = (attempt IS NOT NULL)),
     CONSTRAINT workflow_steps_resting CHECK ((state IN ('resting', 'queued')) = (not_before IS NOT NULL)),
     CONSTRAINT workflow_steps_ended CHECK ((state IN ('passed', 'failed', 'review', 'error', 'skipped')) = (ended_at IS NOT NULL)),
     CONSTRAINT workflow_steps_rung_known CHECK (rung IN ('fresh', 'queued', 'manual', 'none')),
     CONSTRAINT workflow_steps_texts_bounded CHECK (length(name) <= 64 AND length(reason) <= 64)
   )`,
  `CREATE TABLE orchestration.uploads (
     verification_id uuid NOT NULL CONSTRAINT uploads_run_fkey REFERENCES orchestration.workflow_runs (verification_id),
     name            text NOT NULL,
     media_type      text NOT NULL,
     bytes           integer NOT NULL,
     item            uuid,
     kept_at         timestamptz NOT NULL,
     CONSTRAINT uploads_pkey PRIMARY KEY (verification_id, name),
     CONSTRAINT uploads_bounded CHECK (length(name) <= 64 AND bytes BETWEEN 1 AND 10485760),
     CONSTRAINT uploads_media_type_known CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp', 'application/pdf'))
   )`,
];

const GRANTS = [
  `GRANT SELECT, INSERT, UPDATE ON orchestration.workflow_runs, orchestration.workflow_steps, orchestration.uploads
     TO gatehouse_app`,
  'GRANT SELECT (hosted) ON orchestration.verifications TO gatehouse_auditor',
  'GRANT SELECT (verification_id, deadline, wake_at, holder, lease_until) ON orchestration.workflow_runs TO gatehouse_auditor',
  'GRANT SELECT ON orchestration.workflow_steps TO gatehouse_auditor',
  'GRANT SELECT (verification_id, name, media_type, bytes, kept_at) ON orchestration.uploads TO gatehouse_auditor',
];

/** A job only says that a run is due: the sweep leaves another when it is lost, so that few attempts are enough. */
const QUEUE = {
  policy: 'standard',
  notify: true,
  heartbeatSeconds: 10,
  expireInSeconds: 900,
  deleteAfterSeconds: 60,
  retryBackoff: true,
  retryDelay: 1,
  retryDelayMax: 30,
  retryLimit: 3,
};
