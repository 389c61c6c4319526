import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The four roles, before anything they own or reach. None can log in by itself: an operator's logins are made members.
 * Each module has a schema of its own name; no module's SQL names another's.
 */
export class Roles1764000001000 implements MigrationInterface {
  name = 'Roles1764000001000';

  async up(runner: QueryRunner): Promise<void> {
    for (const role of ['gatehouse_owner', 'gatehouse_app', 'gatehouse_auditor', 'gatehouse_archivist']) {
      // Roles belong to the cluster, not to the database: another deployment's may stand already.
      await runner.query(`
        DO $$ BEGIN
          CREATE ROLE ${role} NOLOGIN NOINHERIT;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$`);
    }
    // A migrating login that is no superuser needs the right to act as the owner (PostgreSQL 16 and later give it ADMIN only).
    await runner.query(`
      DO $$ BEGIN
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN
          EXECUTE format('GRANT gatehouse_owner TO %I WITH INHERIT TRUE, SET TRUE', session_user);
        END IF;
      END $$`);
    await runner.query(`
      DO $$ BEGIN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO gatehouse_owner', current_database());
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
      END $$`);
    await runner.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
    for (const schema of ['platform', 'audit', 'auth', 'orchestration', 'webhooks', 'incidents']) {
      await runner.query(`CREATE SCHEMA ${schema} AUTHORIZATION gatehouse_owner`);
      await runner.query(`GRANT USAGE ON SCHEMA ${schema} TO gatehouse_app, gatehouse_auditor`);
    }
    await runner.query('GRANT USAGE ON SCHEMA audit TO gatehouse_archivist');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const schema of ['incidents', 'webhooks', 'orchestration', 'auth', 'audit', 'platform']) {
      await runner.query(`DROP SCHEMA ${schema}`);
    }
  }
}
