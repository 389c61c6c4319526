import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * drills.drills: one row a drill, from its proposal to the signature under its report; who did what stands in it, and each act has its
 * record in the log. `granted` is how many calls the instances may have struck so far: each takes some in advance, so that all together
 * never strike more than the plan allows. drills.tallies: what each instance saw.
 */
export class Drills1764000060000 implements MigrationInterface {
  name = 'Drills1764000060000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    for (const statement of [...TABLES, ...GRANTS]) await runner.query(statement);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE drills.tallies, drills.drills');
    await runner.query('DROP SCHEMA drills');
  }
}

const TABLES = [
  'CREATE SCHEMA drills',
  'GRANT USAGE ON SCHEMA drills TO gatehouse_app, gatehouse_auditor',
  `CREATE TABLE drills.drills (
     id            uuid CONSTRAINT drills_pkey PRIMARY KEY,
     name          text NOT NULL,
     purpose       text NOT NULL,
     state         text NOT NULL,
     plan          jsonb,
     most_calls    integer NOT NULL,
     granted       integer NOT NULL DEFAULT 0,
     proposed_by   uuid NOT NULL,
     approved_by   uuid,
     started_by    uuid,
     stopped_by    uuid,
     signed_by     uuid,
     proposed_at   timestamptz NOT NULL,
     approved_at   timestamptz,
     started_at    timestamptz,
     ends_at       timestamptz,
     over_at       timestamptz,
     reported_at   timestamptz,
     signed_at     timestamptz,
     why           text,
     report        text,
     report_digest bytea,
     verdict       text,
     remark        text,
     CONSTRAINT drills_state_known CHECK (state IN ('proposed', 'approved', 'running', 'stopped', 'ended', 'aborted')),
     CONSTRAINT drills_verdict_known CHECK (verdict IN ('accepted', 'rejected')),
     CONSTRAINT drills_texts_bounded CHECK (length(name) BETWEEN 1 AND 64 AND length(purpose) BETWEEN 1 AND 2000
       AND length(why) <= 300 AND length(remark) <= 2000 AND length(report) <= 1048576),
     CONSTRAINT drills_plan_bounded CHECK (pg_column_size(plan) <= 65536),
     CONSTRAINT drills_report_digest_sha256 CHECK (length(report_digest) = 32),
     CONSTRAINT drills_approved_by_another CHECK (approved_by <> proposed_by),
     CONSTRAINT drills_signed_by_another CHECK (signed_by <> proposed_by AND signed_by <> started_by)
   )`,
  `CREATE INDEX drills_running_idx ON drills.drills (id) WHERE state = 'running'`,
  `CREATE TABLE drills.tallies (
     drill_id       uuid NOT NULL CONSTRAINT tallies_drill_id_fkey REFERENCES drills.drills (id),
     instance       text NOT NULL,
     struck         integer NOT NULL,
     failed         integer NOT NULL,
     outside        integer NOT NULL,
     outside_failed integer NOT NULL,
     CONSTRAINT tallies_pkey PRIMARY KEY (drill_id, instance)
   )`,
];

const GRANTS = [
  'GRANT SELECT, INSERT, UPDATE ON drills.drills, drills.tallies TO gatehouse_app',
  'GRANT SELECT ON drills.drills, drills.tallies TO gatehouse_auditor',
];
