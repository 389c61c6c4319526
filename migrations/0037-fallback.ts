import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * orchestration.queued_creates: verifications accepted while the vendor was away; what they ask for lies sealed in the vault.
 * orchestration.duties: work that one instance does at a time, with a lease.
 * orchestration.verifications: the rung each came by, when the sweep looks at it next, and who reviewed it.
 */
export class Fallback1764000037000 implements MigrationInterface {
  name = 'Fallback1764000037000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query(`
      ALTER TABLE orchestration.verifications
        ADD COLUMN rung          text NOT NULL DEFAULT 'fresh',
        ADD COLUMN seen_at       timestamptz,
        ADD COLUMN check_at      timestamptz,
        ADD COLUMN checks        integer NOT NULL DEFAULT 0,
        ADD COLUMN notified_at   timestamptz,
        ADD COLUMN reviewed_by   text,
        ADD COLUMN reviewed_at   timestamptz,
        ADD COLUMN sealed_review bytea,
        ADD CONSTRAINT verifications_rung_known CHECK (rung IN ('fresh', 'queued', 'manual', 'none')),
        ADD CONSTRAINT verifications_review_bounded CHECK (length(reviewed_by) <= 256 AND length(sealed_review) <= 4096)`);
    await runner.query(`
      UPDATE orchestration.verifications SET check_at = looked_at, seen_at = looked_at
       WHERE session_id IS NOT NULL AND erased_at IS NULL AND status IN ('pending', 'in-progress', 'in-review', 'resubmission')`);
    await runner.query(
      'CREATE INDEX verifications_check ON orchestration.verifications (check_at) WHERE check_at IS NOT NULL',
    );
    await runner.query(
      `CREATE INDEX verifications_in_review ON orchestration.verifications (id) WHERE status = 'in-review'`,
    );
    await runner.query(`
      GRANT SELECT (rung, seen_at, check_at, checks, notified_at, reviewed_by, reviewed_at)
         ON orchestration.verifications TO gatehouse_auditor`);
    await runner.query(`
      CREATE TABLE orchestration.queued_creates (
        verification_id uuid CONSTRAINT queued_creates_pkey PRIMARY KEY,
        client_id       uuid NOT NULL,
        body            uuid NOT NULL,
        queued_at       timestamptz NOT NULL,
        next_at         timestamptz NOT NULL,
        holder          uuid,
        lease_until     timestamptz,
        failed_at       timestamptz,
        strikes         integer NOT NULL DEFAULT 0
      )`);
    await runner.query(
      'CREATE INDEX queued_creates_client ON orchestration.queued_creates (client_id, verification_id)',
    );
    await runner.query('CREATE INDEX queued_creates_queued_at ON orchestration.queued_creates (queued_at)');
    await runner.query(`
      CREATE TABLE orchestration.duties (
        name        text CONSTRAINT duties_pkey PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
        holder      uuid NOT NULL,
        lease_until timestamptz NOT NULL
      )`);
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON orchestration.queued_creates TO gatehouse_app');
    await runner.query('GRANT SELECT, INSERT, UPDATE ON orchestration.duties TO gatehouse_app');
    await runner.query(`
      GRANT SELECT (verification_id, client_id, queued_at, next_at, failed_at, strikes)
         ON orchestration.queued_creates TO gatehouse_auditor`);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE orchestration.duties, orchestration.queued_creates');
    await runner.query(`
      ALTER TABLE orchestration.verifications
        DROP COLUMN rung, DROP COLUMN seen_at, DROP COLUMN check_at, DROP COLUMN checks, DROP COLUMN notified_at,
        DROP COLUMN reviewed_by, DROP COLUMN reviewed_at, DROP COLUMN sealed_review`);
  }
}
