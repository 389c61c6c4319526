import { getConstructionPlans } from 'pg-boss';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The queue of durable jobs: pg-boss's own construction SQL, run as the owner, so that the gateway's role needs no right to change
 * a schema. A module's migration makes its queues with `pgboss.create_queue`. A release of pg-boss with another schema version
 * comes with a migration of its own that runs `getMigrationPlans`.
 */
export class Jobs1764000003000 implements MigrationInterface {
  name = 'Jobs1764000003000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(withoutTransaction(getConstructionPlans('pgboss')));
    for (const statement of GRANTS) await runner.query(statement);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA pgboss CASCADE');
  }
}

/** The plan brings a transaction of its own, whose COMMIT would end the migration's. */
function withoutTransaction(plan: string): string {
  const bare = plan.replace(/^\s*BEGIN;/, '').replace(/COMMIT;\s*$/, '');
  if (bare.length > plan.length - 'BEGIN;COMMIT;'.length)
    throw new Error('pg-boss’s plan has another form than expected');
  return bare;
}

/** What pg-boss notes on a queue while it works; how a queue behaves stays out of the gateway's reach. */
const NOTED = `deferred_count, blocked_count, queued_count, ready_count, active_count, failed_count, total_count, retained_count, retained_on,
  created_delta, completed_delta, failed_delta, delta_on, delta_seconds, wait_bins, run_bins, ready_oldest_seconds, ready_history,
  singletons_active, monitor_claim_on, monitor_on, maintain_on`;

const GRANTS = [
  'REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pgboss FROM PUBLIC',
  'GRANT USAGE ON SCHEMA pgboss TO gatehouse_app',
  'GRANT EXECUTE ON FUNCTION pgboss.job_now() TO gatehouse_app',
  'GRANT SELECT, INSERT, UPDATE, DELETE ON pgboss.job, pgboss.job_common TO gatehouse_app',
  'GRANT SELECT ON pgboss.queue, pgboss.version TO gatehouse_app',
  'GRANT SELECT, DELETE ON pgboss.job_dependency, pgboss.instance TO gatehouse_app',
  // Its rows are locked before they are deleted, which takes a right to change them.
  'GRANT UPDATE (heartbeat_on) ON pgboss.instance TO gatehouse_app',
  `GRANT UPDATE (${NOTED}) ON pgboss.queue TO gatehouse_app`,
  'GRANT UPDATE (flow_on, monitor_backoff_on) ON pgboss.version TO gatehouse_app',
];
