import type { MigrationInterface, QueryRunner } from 'typeorm';

/** orchestration.workflow_runs.client_id: whose a run is, so that clients have turns without looking through all that wait. */
export class RunClients1764000070000 implements MigrationInterface {
  name = 'RunClients1764000070000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    for (const statement of UP) await runner.query(statement);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE INDEX workflow_runs_wake_at ON orchestration.workflow_runs (wake_at) WHERE wake_at IS NOT NULL',
    );
    await runner.query('ALTER TABLE orchestration.workflow_runs DROP COLUMN client_id');
  }
}

const UP = [
  'ALTER TABLE orchestration.workflow_runs ADD COLUMN client_id uuid',
  `UPDATE orchestration.workflow_runs r SET client_id = v.client_id
     FROM orchestration.verifications v WHERE v.id = r.verification_id`,
  'ALTER TABLE orchestration.workflow_runs ALTER COLUMN client_id SET NOT NULL',
  'DROP INDEX orchestration.workflow_runs_wake_at',
  'CREATE INDEX workflow_runs_due ON orchestration.workflow_runs (client_id, wake_at) WHERE wake_at IS NOT NULL',
  'GRANT SELECT (client_id) ON orchestration.workflow_runs TO gatehouse_auditor',
];
