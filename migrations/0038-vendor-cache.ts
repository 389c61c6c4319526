import type { MigrationInterface, QueryRunner } from 'typeorm';

/** vendors.cached_answers: what the vendor last said, by client and mask; the bodies lie sealed in the vault. */
export class VendorCache1764000038000 implements MigrationInterface {
  name = 'VendorCache1764000038000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('SET LOCAL ROLE gatehouse_owner');
    await runner.query('CREATE SCHEMA IF NOT EXISTS vendors AUTHORIZATION gatehouse_owner');
    await runner.query('GRANT USAGE ON SCHEMA vendors TO gatehouse_app, gatehouse_auditor');
    await runner.query(`
      CREATE TABLE vendors.cached_answers (
        key        bytea CONSTRAINT cached_answers_pkey PRIMARY KEY CHECK (length(key) = 32),
        client_id  uuid NOT NULL,
        operation  text NOT NULL CHECK (length(operation) <= 64),
        resource   text NOT NULL CHECK (length(resource) <= 128),
        body       uuid NOT NULL,
        policy     jsonb NOT NULL CHECK (pg_column_size(policy) <= 8192),
        bytes      integer NOT NULL,
        stored_at  timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE INDEX cached_answers_resource ON vendors.cached_answers (resource)');
    await runner.query('CREATE INDEX cached_answers_stored_at ON vendors.cached_answers (stored_at)');
    await runner.query('GRANT SELECT, INSERT, UPDATE, DELETE ON vendors.cached_answers TO gatehouse_app');
    await runner.query(`
      GRANT SELECT (client_id, operation, bytes, stored_at, expires_at) ON vendors.cached_answers TO gatehouse_auditor`);
    await runner.query('RESET ROLE');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE vendors.cached_answers');
    await runner.query('DROP SCHEMA vendors');
  }
}
